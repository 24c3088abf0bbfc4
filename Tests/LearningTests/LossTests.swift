import Foundation
import Tensors
import TestMathematics
import Testing

@testable import Learning
@testable import Spiking

@Suite struct LossTests {
  /// Two steps, one sample, two classes: currents (1, 0) and (0, 3).
  private func value(_ stepWeight: Float, labels: [Int] = [1], batchSize: Int = 1) -> Float {
    let tape = Tape()
    let currents = Variable(Tensor([2, 1, 2], [1, 0, 0, 3]))
    var output = NetworkOutput()
    output.currents = currents
    output.membranes = integrate(currents, steps: 2, on: tape)
    return Loss(stepWeight: stepWeight).value(
      output, labels: labels, batchSize: batchSize, steps: 2, on: tape
    ).value[0]
  }

  // Of differences d of two logits, the cross-entropy of the first is log(1 + e^(−d)).
  private let whole = log(1 + exp(Float(-2)))
  private let stepByStep = (log(1 + exp(Float(1))) + log(1 + exp(Float(-3)))) / 2

  @Test func weightZeroIsTheCrossEntropyOfTheSum() { #expect(abs(value(0) - whole) < 1e-6) }

  @Test func weightOneIsTheMeanOverSteps() { #expect(abs(value(1) - stepByStep) < 1e-6) }

  @Test func theWeightMixesBoth() {
    #expect(abs(value(0.25) - (0.75 * whole + 0.25 * stepByStep)) < 1e-6)
  }

  @Test func aShardCountsByItsShareOfTheBatch() {
    #expect(abs(value(0.25, batchSize: 4) - value(0.25) / 4) < 1e-6)
  }

  @Test(arguments: [Float(0), 0.3, 1]) func gradientEqualsDifferences(stepWeight: Float) {
    var random = RandomSource(seed: 1)
    let currents = Tensor.random([3, 2, 4], in: -1...1, using: &random)
    let error = gradientError(of: [currents], step: 0x1p-6) { inputs, tape in
      var output = NetworkOutput()
      output.currents = inputs[0]
      output.membranes = integrate(inputs[0], steps: 3, on: tape)
      return Loss(stepWeight: stepWeight).value(
        output, labels: [2, 0], batchSize: 2, steps: 3, on: tape)
    }
    // Truncation h²/6 = 4e-5 of a third derivative below 1; rounding of a loss near 2 over 2h: 8e-6.
    #expect(error < 3e-4)
  }
}
