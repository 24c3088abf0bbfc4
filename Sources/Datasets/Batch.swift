import Wiring

/// Samples laid out for the network, in a buffer that is kept from batch to batch.
public struct Batch: Hashable, Sendable {
  /// `[B, H, W, C]` in 0...255 for constant values, `[T, B, H, W, C]` of 0 and 1 for events.
  public internal(set) var values: [UInt8] = []
  /// `[B]`, indices into the class names.
  public internal(set) var labels: [Int] = []
  /// The shape `[H, W, C]` of one sample in one step; nil before the batch is first filled.
  public internal(set) var shape: Shape?
  /// The number of steps, T; nil where the values are constant.
  public internal(set) var steps: Int?

  /// A batch without samples, to be filled by ``BatchLoader/fill(_:with:epoch:)``.
  public init() {}

  /// The number of samples, B.
  public var count: Int { labels.count }
}
