import Wiring

/// Synapses from a port or a population onto a population (FORMAT.md §3).
public struct Projection: Equatable, Sendable {
  /// The projection's name, for people.
  public var name: String
  /// Where it comes from.
  public var source: Source
  /// Index of the target into ``Model/populations``.
  public var target: Int
  /// 0: spikes of this step; 1: spikes of the step before. From a port: 0.
  public var delay: Int
  /// Which source reaches which target.
  public var topology: Topology
  /// Side and stride of the sum-pool in front, 1...16; 1: none.
  public var pool: Int
  /// Left shift of spikes' sums (0...15) or rounding right shift of values' sums (0...24).
  public var shift: Int
  /// The weights.
  public var weights: WeightMatrix

  /// A projection.
  public init(
    name: String, from source: Source, to target: Int, delay: Int = 0, topology: Topology,
    pool: Int = 1, shift: Int = 0, weights: WeightMatrix
  ) {
    self.name = name
    self.source = source
    self.target = target
    self.delay = delay
    self.topology = topology
    self.pool = pool
    self.shift = shift
    self.weights = weights
  }
}
