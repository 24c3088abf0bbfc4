import Spiking
import Tensors

/// What training minimises: cross-entropy of the read-out, over the whole inference and step by step.
///
/// `L = (1 − w)·CE(R(V)) + w·mean_t CE(I_t)`: V the read-out's membranes after every step, R their
/// reduction, I_t the read-out's current in step t, w the weight of the steps. With R the last membrane
/// and w = 0 this is DIET-SNN's loss (Rathi and Roy, TNNLS 2021); the second term is TET's (Deng et al.,
/// ICLR 2022, equation 10 without its regulariser), which makes early answers good ones.
///
/// Where every step has its own label, the first term is `mean_t CE(V_t, label_t)` and the second goes
/// by the step's label too.
public struct Loss: Hashable, Sendable {
  /// What stands for a sample's membranes over T steps.
  public enum Reduction: String, Hashable, Sendable, Codable, CaseIterable {
    /// The membrane after the last step: what a device answers by.
    case last
    /// The sum of the membranes after all steps.
    case sum
    /// The mean of the membranes after all steps.
    case mean
    /// For each class the largest membrane of all steps.
    case maximum
  }

  /// R.
  public var reduction: Reduction
  /// w in [0, 1].
  public var stepWeight: Float

  /// A loss of the given reduction and weight of the steps.
  public init(reduction: Reduction = .last, stepWeight: Float = 0) {
    self.reduction = reduction
    self.stepWeight = stepWeight
  }

  /// The mean loss over `batchSize` samples, of which `labels` are a shard's: one a sample, or one a
  /// step and sample.
  func value(
    _ output: NetworkOutput, labels: [Int], isLabelledByStep: Bool, batchSize: Int, steps: Int,
    on tape: Tape
  ) -> Variable {
    guard let currents = output.currents, let membranes = output.membranes else {
      preconditionFailure("a network ran without a read-out")
    }
    let scale = 1 / Float(batchSize)
    var terms: [(weight: Float, term: Variable)] = []
    if stepWeight < 1 {
      let whole =
        isLabelledByStep
        ? softmaxCrossEntropy(
          membranes, labels: labels, scale: scale / Float(steps), on: tape)
        : softmaxCrossEntropy(
          reduced(membranes, steps: steps, on: tape), labels: labels, scale: scale, on: tape)
      terms.append((1 - stepWeight, whole))
    }
    if stepWeight > 0 {
      terms.append(
        (
          stepWeight,
          softmaxCrossEntropy(currents, labels: labels, scale: scale / Float(steps), on: tape)
        ))
    }
    return weightedSum(terms, on: tape)
  }

  private func reduced(_ membranes: Variable, steps: Int, on tape: Tape) -> Variable {
    switch reduction {
    case .last: lastStep(of: membranes, steps: steps, on: tape)
    case .sum: sumOverSteps(membranes, steps: steps, scale: 1, on: tape)
    case .mean: sumOverSteps(membranes, steps: steps, scale: 1 / Float(steps), on: tape)
    case .maximum: maximumOverSteps(membranes, steps: steps, on: tape)
    }
  }
}
