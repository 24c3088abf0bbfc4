/// The state digest of a population's membranes and spikes (`models/FORMAT.md`, section 8): a sum
/// over steps and neurons, which engines may go through in any order.
package struct StateDigest: Sendable {
  /// N of the population.
  package let neurons: Int
  /// The digest of all steps so far.
  package private(set) var value: UInt32 = 0
  private var position: UInt32 = 0

  package init(neurons: Int) { self.neurons = neurons }

  /// Takes the next step: indices of the neurons that spiked, ascending, and all membranes.
  package mutating func add(spikes: [UInt32], membranes: [Int32]) {
    var next = spikes.startIndex
    for (neuron, membrane) in membranes.enumerated() {
      position &+= 1
      var spiked: UInt32 = 0
      if next < spikes.endIndex, spikes[next] == neuron {
        spiked = 1
        next += 1
      }
      let state = UInt32(bitPattern: membrane) &* 0x85EB_CA6B &+ spiked
      var mixed = position &* 0x9E37_79B1 ^ state
      mixed ^= mixed >> 15
      mixed = mixed &* 0x2C1B_3C6D
      mixed ^= mixed >> 12
      value &+= mixed
    }
  }
}
