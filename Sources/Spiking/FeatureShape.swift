/// The shape of a population or an input: channels × height × width, a vector of N being N × 1 × 1.
///
/// The linear index of (c, y, x) is `(y·width + x)·channels + c` (models/FORMAT.md, section 1).
public struct FeatureShape: Hashable, Sendable, Codable, CustomStringConvertible {
  public var channels: Int
  public var height: Int
  public var width: Int

  public init(channels: Int, height: Int = 1, width: Int = 1) {
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// The number of neurons.
  public var count: Int { channels * height * width }

  public var description: String {
    height == 1 && width == 1 ? "\(channels)" : "\(channels)x\(height)x\(width)"
  }

  /// The shape after a sum-pool of `side`, incomplete windows dropped.
  public func pooled(_ side: Int) -> FeatureShape {
    FeatureShape(channels: channels, height: height / side, width: width / side)
  }

  /// The extents in memory, `[height, width, channels]`.
  var extents: [Int] { [height, width, channels] }
}
