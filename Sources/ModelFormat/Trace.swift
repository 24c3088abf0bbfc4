/// Everything that an engine shows of one step, for comparison with another engine.
public struct StepRecord: Equatable, Sendable {
  /// Per population: the linear indices of the neurons that spiked, ascending.
  public var spikes: [[UInt32]]
  /// Per population: every membrane after the step (after resets), by linear index.
  public var membranes: [[Int32]]

  /// A record of these spikes and membranes.
  public init(spikes: [[UInt32]], membranes: [[Int32]]) {
    self.spikes = spikes
    self.membranes = membranes
  }
}

/// The running hash of a population's spikes and membranes, or of other hashes (FORMAT.md §8).
public struct TraceHash: Hashable, Sendable {
  /// The hash of everything added so far.
  public private(set) var value: UInt32 = 0x811C_9DC5

  /// The hash of nothing.
  public init() {}

  /// Takes one 32-bit word.
  public mutating func add(_ word: UInt32) {
    value = (((value << 5) | (value >> 27)) ^ word) &* 0x9E37_79B1
  }

  /// Takes one step of one population: `spikes` ascending, then the separator, then `membranes`.
  public mutating func add(spikes: [UInt32], membranes: [Int32]) {
    for neuron in spikes { add(neuron) }
    add(0xFFFF_FFFF)
    for membrane in membranes { add(UInt32(bitPattern: membrane)) }
  }
}
