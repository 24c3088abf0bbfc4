import Tensors
import TestMathematics
import Testing

@testable import Spiking

@Suite struct IntegratorTests {
  @Test func membranesAreRunningSums() {
    let current = Variable(Tensor([3, 1, 2], [1, 10, 2, 20, -4, 40]))
    let membranes = integrate(current, steps: 3, on: Tape())
    #expect(membranes.value == Tensor([3, 1, 2], [1, 10, 3, 30, -1, 70]))
  }

  @Test func oneStepIsTheCurrent() {
    let current = Variable(Tensor([1, 2], [3, -4]))
    #expect(integrate(current, steps: 1, on: Tape()).value.elements == [3, -4])
  }

  /// 2^24 + 1 + 1 is lost in float32 sums one by one.
  @Test func sumsPassTwoToTheTwentyFour() {
    let current = Variable(Tensor([3, 1], [0x1p24, 1, 1]))
    #expect(integrate(current, steps: 3, on: Tape()).value[2] == 0x1p24 + 2)
  }

  @Test func aMembranesGradientReachesAllEarlierCurrents() {
    let tape = Tape()
    let current = Variable(Tensor([3, 1], [1, 2, 3]), needsGradient: true)
    let membranes = integrate(current, steps: 3, on: tape)
    tape.backward(from: membranes, seed: Tensor([3, 1], [100, 10, 1]))
    #expect(current.gradient?.elements == [111, 11, 1])
  }

  @Test func gradientEqualsDifferences() {
    var random = RandomSource(seed: 1)
    let current = Tensor.random([4, 2, 3], in: -1...1, using: &random)
    // Linear: only rounding of sums of four.
    #expect(
      gradientError(of: [current], step: 1) { integrate($0[0], steps: 4, on: $1) }
        < 1e-6)
  }
}
