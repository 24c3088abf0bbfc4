import TestMathematics
import Testing

@testable import Tensors

@Suite struct SumTests {
  @Test func weightedSumWeighsEachTerm() {
    let a = Variable(Tensor([2], [1, 2]))
    let b = Variable(Tensor([2], [10, 20]))
    #expect(weightedSum([(2, a), (-1, b)], on: Tape()).value == Tensor([2], [-8, -16]))
  }

  @Test func weightedSumOfOneTermIsAMultiple() {
    let a = Variable(Tensor([3], [1, 2, 3]))
    #expect(weightedSum([(0.5, a)], on: Tape()).value == Tensor([3], [0.5, 1, 1.5]))
  }

  @Test func orderOfTwoTermsDoesNotMatter() {
    let a = Variable(Tensor([2], [1.5, 2]))
    let b = Variable(Tensor([2], [0.25, -3]))
    #expect(
      weightedSum([(2, a), (4, b)], on: Tape()).value
        == weightedSum([(4, b), (2, a)], on: Tape()).value)
  }

  @Test func aTermUsedTwiceGetsBothGradients() {
    let tape = Tape()
    let a = Variable(Tensor([1], [1]), needsGradient: true)
    tape.backward(from: weightedSum([(2, a), (3, a)], on: tape))
    #expect(a.gradient == Tensor([1], [5]))
  }

  @Test func weightedSumGradientsEqualDifferences() {
    var random = RandomSource(seed: 1)
    let a = Tensor.random([2, 3], in: -1...1, using: &random)
    let b = Tensor.random([2, 3], in: -1...1, using: &random)
    let error = gradientError(of: [a, b], step: 1) {
      weightedSum([(0.75, $0[0]), (-2, $0[1])], on: $1)
    }
    #expect(error < 1e-6)  // Linear: rounding only.
  }

  @Test func lastStepTakesTheLastEntry() {
    let sequence = Variable(Tensor([3, 1, 2], [1, 2, 3, 4, 5, 6]))
    #expect(lastStep(of: sequence, steps: 3, on: Tape()).value == Tensor([1, 2], [5, 6]))
  }

  @Test func lastOfOneStepIsTheWhole() {
    let sequence = Variable(Tensor([2, 2], [1, 2, 3, 4]))
    #expect(lastStep(of: sequence, steps: 1, on: Tape()).value == sequence.value)
  }

  @Test func earlierStepsGetNoGradient() {
    let tape = Tape()
    let sequence = Variable(Tensor([2, 1, 2], [1, 2, 3, 4]), needsGradient: true)
    tape.backward(from: lastStep(of: sequence, steps: 2, on: tape))
    #expect(sequence.gradient == Tensor([2, 1, 2], [0, 0, 1, 1]))
  }

  @Test func lastStepGradientEqualsDifferences() {
    var random = RandomSource(seed: 2)
    let sequence = Tensor.random([3, 2, 2], in: -1...1, using: &random)
    let error = gradientError(of: [sequence], step: 1) { lastStep(of: $0[0], steps: 3, on: $1) }
    #expect(error < 1e-6)  // Linear: rounding only.
  }
}
