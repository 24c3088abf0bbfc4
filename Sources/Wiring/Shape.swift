/// The extent of a population, port or pooled source: channels × height × width (FORMAT.md §1).
///
/// A vector of N neurons is `Shape(channels: N)`; a one-dimensional signal has height 1. A valid
/// shape has sides of at least 1 and at most ``maximumCount`` neurons; the types that
/// use a shape check that, the shape itself holds any numbers.
public struct Shape: Hashable, Sendable {
  /// The largest C·H·W of a valid shape: 2^20.
  public static let maximumCount = 1 << 20

  /// Channels, C.
  public var channels: Int
  /// Rows, H.
  public var height: Int
  /// Columns, W.
  public var width: Int

  /// A shape of `channels` × `height` × `width`.
  public init(channels: Int, height: Int = 1, width: Int = 1) {
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// The extents in memory order, `[height, width, channels]`.
  public var extents: [Int] { [height, width, channels] }

  /// N = C·H·W. Precondition: the sides' product fits an `Int`, as it does for a valid shape.
  public var count: Int { channels * height * width }

  /// The linear index of (channel, y, x), channels last (FORMAT.md §1, shapes and indices).
  public func index(channel: Int, y: Int, x: Int) -> Int {
    (y * width + x) * channels + channel
  }

  /// The coordinates of a linear index: the inverse of ``index(channel:y:x:)``.
  public func coordinates(of index: Int) -> (channel: Int, y: Int, x: Int) {
    let place = index / channels
    return (index % channels, place / width, place % width)
  }

  /// The shape after a sum-pool of `pool` × `pool` with stride `pool` (FORMAT.md §3, sum-pool).
  ///
  /// Rows and columns that fill no window are dropped, so a side smaller than `pool` becomes 0.
  /// Precondition: `pool > 0`.
  public func pooled(by pool: Int) -> Shape {
    Shape(channels: channels, height: height / pool, width: width / pool)
  }
}

extension Shape: CustomStringConvertible {
  /// The sides as `C×H×W`.
  public var description: String { "\(channels)×\(height)×\(width)" }
}
