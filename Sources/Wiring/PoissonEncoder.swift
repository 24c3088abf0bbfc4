/// Values as spikes by chance (FORMAT.md §2): in each step a value x spikes with the probability
/// x · gain / 2^24. The same seed gives the same spikes on every machine.
public struct PoissonEncoder: Hashable, Sendable {
  /// Probability of a value of 1 in units of 2^-24, at least 1; gain times the largest value is at most 2^24.
  public var gain: Int

  /// An encoder of this gain.
  public init(gain: Int) { self.gain = gain }

  /// The gain with which `value` spikes in every step.
  public static func certain(at value: Int) -> Int { (1 << 24) / value }

  /// The indices that spike in a step, ascending, of a frame on a port of a sample.
  ///
  /// `seed`: the sample's. `port`: the index of the port in its model. Precondition: no value is negative.
  public func spikes(
    of frame: some RandomAccessCollection<Int16>, seed: UInt32, port: Int, step: Int
  ) -> [UInt32] {
    var indices: [UInt32] = []
    for (index, value) in frame.enumerated()
    where Int(Self.chance(seed: seed, port: port, position: step * frame.count + index))
      < Int(value) * gain
    {
      indices.append(UInt32(index))
    }
    return indices
  }

  /// 24 bits by chance for one address in one step; `position`: step · N + index. The multipliers and
  /// shifts are those of Chris Wellons's "lowbias32", found by search for the least bias.
  static func chance(seed: UInt32, port: Int, position: Int) -> UInt32 {
    var x = seed &+ UInt32(truncatingIfNeeded: port) &* 0x85EB_CA6B
    x ^= UInt32(truncatingIfNeeded: position + 1) &* 0x9E37_79B1
    x = (x ^ (x >> 16)) &* 0x7FEB_352D
    x = (x ^ (x >> 15)) &* 0x846C_A68B
    return (x ^ (x >> 16)) >> 8
  }
}
