import Foundation
import Tensors
import TestMathematics
import Testing
import Wiring

@testable import Learning
@testable import Spiking

@Suite struct LossTests {
  private let network: Network

  init() throws {
    network = try Network(
      name: "test", architecture: Architecture("1-2"), input: .events(Shape(channels: 1)),
      classes: 2, steps: 2, neurons: NeuronConfiguration(), random: RandomSource(seed: 1))
  }

  /// What a read-out says that gets these currents, `[T·B, K]`.
  private func output(_ currents: Variable, steps: Int, on tape: Tape) -> NetworkOutput {
    var output = NetworkOutput(network)
    output.currents = currents
    output.membranes = integrate(
      currents, PopulationNumbers(threshold: nil, leak: nil, bias: nil, initial: nil),
      steps: steps, onGrid: false, on: tape)
    return output
  }

  /// Two steps, one sample, two classes: currents (1, 0) and (0, 3).
  private func value(_ stepWeight: Float, batchSize: Int = 1) -> Float {
    value(Loss(stepWeight: stepWeight), [1, 0, 0, 3], labels: [1], batchSize: batchSize)
  }

  private func value(
    _ loss: Loss, _ currents: [Float], labels: [Int], batchSize: Int = 1
  ) -> Float {
    let tape = Tape()
    return loss.value(
      output(Variable(Tensor([2, 2], currents)), steps: 2, on: tape), labels: labels,
      isLabelledByStep: labels.count > 1, batchSize: batchSize, steps: 2, on: tape
    ).value[0]
  }

  /// Of differences d of two logits, the cross-entropy of the first is log(1 + e^(−d)).
  private func entropy(_ difference: Float) -> Float { log(1 + exp(-difference)) }
  private var whole: Float { entropy(2) }
  private var stepByStep: Float { (entropy(-1) + entropy(3)) / 2 }

  @Test func weightZeroIsTheCrossEntropyOfTheSum() {
    #expect(abs(value(0) - whole) < 1e-6)
  }

  @Test func weightOneIsTheMeanOverSteps() {
    #expect(abs(value(1) - stepByStep) < 1e-6)
  }

  @Test func theWeightMixesBoth() {
    #expect(abs(value(0.25) - (0.75 * whole + 0.25 * stepByStep)) < 1e-6)
  }

  @Test func aShardCountsByItsShareOfTheBatch() {
    #expect(abs(value(0.25, batchSize: 4) - value(0.25) / 4) < 1e-6)
  }

  /// Membranes (1, 5) and (3, 2): the last says −1 for class 1, their sum 3, their mean 1.5, the largest
  /// of each class 2.
  @Test(arguments: [
    (Loss.Reduction.last, Float(-1)), (.sum, 3), (.mean, 1.5), (.maximum, 2),
  ])
  func membranesAreReduced(_ reduction: Loss.Reduction, difference: Float) {
    let found = value(Loss(reduction: reduction), [1, 5, 2, -3], labels: [1])
    #expect(abs(found - entropy(difference)) < 1e-6)
    // Currents are not reduced.
    let mixed = value(Loss(reduction: reduction, stepWeight: 0.5), [1, 5, 2, -3], labels: [1])
    let steps = (entropy(4) + entropy(-5)) / 2
    #expect(abs(mixed - (entropy(difference) + steps) / 2) < 1e-6)
  }

  /// Membranes (1, 5) labelled 1 and (3, 2) labelled 0, whatever the reduction.
  @Test(arguments: Loss.Reduction.allCases)
  func labelsPerStepAreOfTheStepsMembrane(_ reduction: Loss.Reduction) {
    let whole = (entropy(4) + entropy(1)) / 2
    let steps = (entropy(4) + entropy(5)) / 2
    for weight in [Float(0), 0.25, 1] {
      let found = value(
        Loss(reduction: reduction, stepWeight: weight), [1, 5, 2, -3], labels: [1, 0])
      #expect(abs(found - ((1 - weight) * whole + weight * steps)) < 1e-6)
    }
  }

  @Test(arguments: Loss.Reduction.allCases, [Float(0), 0.3, 1])
  func gradientEqualsDifferences(_ reduction: Loss.Reduction, stepWeight: Float) {
    expectGradientEqualsDifferences(
      Loss(reduction: reduction, stepWeight: stepWeight), labels: [2, 0])
  }

  @Test(arguments: [Float(0), 0.3, 1])
  func gradientOfLabelsPerStepEqualsDifferences(stepWeight: Float) {
    expectGradientEqualsDifferences(
      Loss(stepWeight: stepWeight), labels: [2, 0, 1, 1, 3, 0])
  }

  /// Three steps of two samples and four classes.
  private func expectGradientEqualsDifferences(_ loss: Loss, labels: [Int]) {
    // No class has two steps whose largest membranes are as near as the difference's step.
    var random = RandomSource(seed: 2)
    let currents = Tensor.random([6, 4], in: -1...1, using: &random)
    let error = gradientError(of: [currents], step: 0x1p-6) { inputs, tape in
      loss.value(
        output(inputs[0], steps: 3, on: tape), labels: labels,
        isLabelledByStep: labels.count > 2, batchSize: 2, steps: 3, on: tape)
    }
    // Truncation h²/6 = 4e-5 of a third derivative below 1, of a sum of three membranes below 8;
    // rounding of a loss near 2 over 2h: 8e-6.
    #expect(error < (loss.reduction == .sum ? 3e-3 : 3e-4))
  }
}
