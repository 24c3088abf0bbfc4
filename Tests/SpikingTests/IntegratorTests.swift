import Tensors
import TestMathematics
import Testing

@testable import Spiking

@Suite struct IntegratorTests {
  private let plain = PopulationNumbers(threshold: nil, leak: nil, bias: nil, initial: nil)

  @Test func membranesAreRunningSums() {
    let current = Variable(Tensor([3, 1, 2], [1, 10, 2, 20, -4, 40]))
    let membranes = integrate(current, plain, steps: 3, onGrid: false, on: Tape())
    #expect(membranes.value == Tensor([3, 1, 2], [1, 10, 3, 30, -1, 70]))
  }

  @Test func oneStepIsTheCurrent() {
    let current = Variable(Tensor([1, 2], [3, -4]))
    #expect(
      integrate(current, plain, steps: 1, onGrid: false, on: Tape()).value.elements == [3, -4])
  }

  /// 2^24 + 1 + 1 is lost in float32 sums one by one.
  @Test func sumsPassTwoToTheTwentyFour() {
    let current = Variable(Tensor([3, 1], [0x1p24, 1, 1]))
    #expect(integrate(current, plain, steps: 3, onGrid: false, on: Tape()).value[2] == 0x1p24 + 2)
  }

  @Test func aMembranesGradientReachesAllEarlierCurrents() {
    let tape = Tape()
    let current = Variable(Tensor([3, 1], [1, 2, 3]), needsGradient: true)
    let membranes = integrate(current, plain, steps: 3, onGrid: false, on: tape)
    tape.backward(from: membranes, seed: Tensor([3, 1], [100, 10, 1]))
    #expect(current.gradient?.elements == [111, 11, 1])
  }

  @Test func gradientEqualsDifferences() {
    var random = RandomSource(seed: 1)
    let current = Tensor.random([4, 2, 3], in: -1...1, using: &random)
    // Linear: only rounding of sums of four.
    #expect(
      gradientError(of: [current], step: 1) {
        integrate($0[0], plain, steps: 4, onGrid: false, on: $1)
      }
        < 1e-6)
  }

  private func numbers(_ variables: ArraySlice<Variable>) -> PopulationNumbers {
    let variables = Array(variables)
    return PopulationNumbers(
      threshold: nil, leak: variables[0], bias: variables[1], initial: variables[2])
  }

  @Test func membranesLeakFromTheirInitialValue() {
    let current = Variable(Tensor([3, 2], [1, 10, 2, 20, 4, 40]))
    let membranes = integrate(
      current,
      numbers([
        Variable(Tensor([1], [0.5])), Variable(Tensor([2], [0, 1])), Variable(Tensor([1], [8])),
      ]), steps: 3, onGrid: false, on: Tape())
    #expect(membranes.value.elements == [5, 15, 4.5, 28.5, 6.25, 55.25])
  }

  @Test func onTheGridALeakTruncatesTowardZero() {
    let current = Variable(Tensor([2, 2], [3, -3, 0, 0]))
    let membranes = integrate(
      current,
      numbers([
        Variable(Tensor([1], [0.5])), Variable(Tensor([1], [0])), Variable(Tensor([1], [0])),
      ]), steps: 2, onGrid: true, on: Tape())
    #expect(membranes.value.elements == [3, -3, 1, -1])
  }

  @Test func gradientsOfLeakBiasAndInitialEqualDifferences() {
    var random = RandomSource(seed: 2)
    let current = Tensor.random([4, 2, 3], in: -1...1, using: &random)
    let leak = Tensor.random([3], in: 0.5...0.9, using: &random)
    let bias = Tensor.random([1], in: -1...1, using: &random)
    let initial = Tensor.random([3], in: -1...1, using: &random)
    // Cubic in the leak: differences of 1e-2 leave 1e-4 of it.
    #expect(
      gradientError(of: [current, leak, bias, initial], step: 1e-2) {
        integrate($0[0], numbers($0[1...]), steps: 4, onGrid: false, on: $1)
      } < 3e-4)
  }
}
