import Foundation
import TestMathematics
import Testing

@testable import Tensors

@Suite struct SoftmaxCrossEntropyTests {
  private func loss(_ logits: Tensor, _ labels: [Int], scale: Float = 1) -> Float {
    softmaxCrossEntropy(Variable(logits), labels: labels, scale: scale, on: Tape()).value[0]
  }

  @Test func equalLogitsCostTheLogarithmOfTheClasses() {
    // One rounding of a number below 2.
    #expect(abs(loss(Tensor([1, 4]), [2]) - log(4)) < 1e-6)
  }

  @Test func hugeLogitsStayFinite() {
    #expect(loss(Tensor([1, 2], [1e30, -1e30]), [0]) == 0)
    #expect(loss(Tensor([1, 2], [30_000, 0]), [1]) == 30_000)
  }

  @Test func oneClassCostsNothing() {
    #expect(loss(Tensor([2, 1], [5, -7]), [0, 0]) == 0)
  }

  @Test func labelsRepeatEveryStep() {
    let logits = Tensor([2, 2, 3], [1, 0, 0, 0, 2, 0, 0, 0, 3, 4, 0, 0])
    let whole = loss(logits, [0, 1], scale: 0.25)
    let repeated = loss(logits.reshaped([4, 3]), [0, 1, 0, 1], scale: 0.25)
    #expect(whole == repeated)
  }

  @Test func gradientIsProbabilityMinusLabel() {
    let tape = Tape()
    let logits = Variable(Tensor([1, 2], [log(3), 0]), needsGradient: true)
    tape.backward(from: softmaxCrossEntropy(logits, labels: [1], scale: 2, on: tape))
    let gradient = logits.gradient?.elements ?? []
    #expect(relativeDifference(gradient, [1.5, -1.5]) < 1e-6)
  }

  @Test func aShiftOfAllLogitsChangesNothing() {
    let logits = Tensor([2, 3], [0.5, -1.25, 2, 0, 3, -0.75])
    let shifted = loss(logits.map { $0 + 64 }, [2, 0])
    // The shift is exact on quarters; so is every difference to the maximum. The logarithm of the sum is
    // added to a maximum near 64: one rounding of 4e-6.
    #expect(abs(shifted - loss(logits, [2, 0])) < 1e-5)
  }

  @Test func permutingClassesPermutesNothingElse() {
    let a = loss(Tensor([1, 3], [1, 2, 4]), [2])
    let b = loss(Tensor([1, 3], [4, 1, 2]), [0])
    #expect(abs(a - b) < 1e-6)
  }

  @Test func gradientEqualsDifferences() {
    var random = RandomSource(seed: 1)
    let logits = Tensor.random([2, 3, 4], in: -2...2, using: &random)
    let error = gradientError(of: [logits], step: 0x1p-6) {
      softmaxCrossEntropy($0[0], labels: [3, 0, 1], scale: 0.5, on: $1)
    }
    // Truncation h²/6 = 4e-5 of a third derivative below 1, rounding of a loss near 5 over 2h: 2e-5.
    #expect(error < 2e-4)
  }
}
