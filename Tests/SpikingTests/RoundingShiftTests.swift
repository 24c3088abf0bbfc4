import Tensors
import Testing

@testable import Spiking

@Suite struct RoundingShiftTests {
  private func shifted(_ values: [Float], right: Int) -> [Float] {
    roundingShift(Variable(Tensor([values.count], values)), right: right, on: Tape())
      .value.elements
  }

  @Test func halvesRoundUpAlsoBelowZero() {
    #expect(shifted([-3, -2, -1, 0, 1, 2, 3], right: 1) == [-1, -1, 0, 0, 1, 1, 2])
    #expect(shifted([-6, -5, -2, 2, 5, 6], right: 2) == [-1, -1, 0, 1, 1, 2])
  }

  @Test func zeroBitsChangeNothing() {
    #expect(shifted([-5, 7], right: 0) == [-5, 7])
  }

  /// An arithmetic shift right of a negative integer is a floor in Swift.
  @Test(arguments: 1...20) func equalsTheIntegerShift(right: Int) {
    let most = (1 << 24) - (1 << (right - 1)) - 1
    var random = RandomSource(seed: UInt64(right))
    let values =
      [-most, most, -1, 0, 1] + (0..<2000).map { _ in random.integer(below: 2 * most) - most }
    let half = 1 << (right - 1)
    #expect(
      shifted(values.map(Float.init), right: right) == values.map { Float(($0 + half) >> right) })
  }

  @Test func theGradientIsDividedLikeTheCurrent() {
    let tape = Tape()
    let current = Variable(Tensor([2], [5, -5]), needsGradient: true)
    tape.backward(from: roundingShift(current, right: 3, on: tape), seed: Tensor([2], [8, 1]))
    #expect(current.gradient?.elements == [1, 0.125])
  }
}
