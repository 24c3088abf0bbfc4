import Wiring

/// Synapses from a port or a population onto a population (FORMAT.md §3).
public struct Projection: Equatable, Sendable {
  /// The projection's name, for people.
  public var name: String
  /// Where it comes from.
  public var source: Source
  /// Index of the target into ``Model/populations``.
  public var target: Int
  /// Steps between a spike and its arrival, 0...255; of tap 0 where there are several. 0 for a held
  /// frame.
  public var delay: Int
  /// How many delays the projection has, 1...32, each with rows of its own; 1 for a held frame.
  public var taps: Int
  /// Steps from one tap's delay to the next one's, 1...16; 1 where there is one tap.
  public var tapStep: Int
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
    name: String, from source: Source, to target: Int, delay: Int = 0, taps: Int = 1,
    tapStep: Int = 1, topology: Topology, pool: Int = 1, shift: Int = 0, weights: WeightMatrix
  ) {
    self.name = name
    self.source = source
    self.target = target
    self.delay = delay
    self.taps = taps
    self.tapStep = tapStep
    self.topology = topology
    self.pool = pool
    self.shift = shift
    self.weights = weights
  }

  /// The rows of one tap.
  package func weights(ofTap tap: Int) -> WeightMatrix {
    let rows = weights.rows / taps
    let entries = tap * rows * weights.columns..<(tap + 1) * rows * weights.columns
    return WeightMatrix(
      rows: rows, columns: weights.columns, values: Array(weights.values[entries]))
  }

  /// The delay of each tap, ascending.
  public var delays: [Int] { (0..<taps).map { delay + $0 * tapStep } }

  /// The delay of the last tap: how many steps back the projection reaches.
  public var reach: Int { delay + (taps - 1) * tapStep }
}
