import Testing

@testable import Wiring

@Suite struct PoissonEncoderTests {
  @Test func theLargestValueIsCertainAndZeroNever() {
    let encoder = PoissonEncoder(gain: PoissonEncoder.certain(at: 4))
    let frame: [Int16] = [0, 4, 0, 4]
    for step in 0..<100 {
      #expect(encoder.spikes(of: frame, seed: 7, port: 0, step: step) == [1, 3])
    }
  }

  /// 100 values over 400 steps: 40,000 draws of probability p stay within five standard deviations.
  @Test(arguments: [(1, 0.125), (4, 0.5), (7, 0.875)])
  func ratesAreThoseOfTheValues(value: Int, probability: Double) {
    let encoder = PoissonEncoder(gain: PoissonEncoder.certain(at: 8))
    let frame = [Int16](repeating: Int16(value), count: 100)
    var counts = [Int](repeating: 0, count: frame.count)
    for step in 0..<400 {
      for index in encoder.spikes(of: frame, seed: 3, port: 1, step: step) {
        counts[Int(index)] += 1
      }
    }
    let deviation = (40_000 * probability * (1 - probability)).squareRoot()
    #expect(abs(Double(counts.reduce(0, +)) - 40_000 * probability) < 5 * deviation)
    // No address is favoured: six deviations for the worst of a hundred.
    let own = (400 * probability * (1 - probability)).squareRoot()
    #expect(counts.allSatisfy { abs(Double($0) - 400 * probability) < 6 * own })
  }

  @Test func seedsAndPortsDrawApart() {
    let encoder = PoissonEncoder(gain: PoissonEncoder.certain(at: 2))
    let frame = [Int16](repeating: 1, count: 1000)
    func spikes(_ seed: UInt32, _ port: Int) -> Set<UInt32> {
      Set(encoder.spikes(of: frame, seed: seed, port: port, step: 0))
    }
    // Two draws of a half have a quarter in common: 250 of 1000, within five deviations of 14.
    for other in [spikes(1, 0), spikes(2, 0), spikes(0, 1)] {
      #expect(abs(spikes(0, 0).intersection(other).count - 250) < 70)
    }
  }
}
