import Spiking
import Tensors

/// What training minimises: cross-entropy of the read-out, over the whole inference and step by step.
///
/// `L = (1 − w)·CE(Σ_t O_t) + w·mean_t CE(O_t)`, O_t the read-out's current in step t, w the weight of
/// the steps. w = 0 is DIET-SNN's loss (Rathi and Roy, TNNLS 2021); the second term is TET's (Deng et
/// al., ICLR 2022, equation 10 without its regulariser), which makes early answers good ones.
public struct Loss: Hashable, Sendable {
  /// w in [0, 1].
  public var stepWeight: Float

  public init(stepWeight: Float = 0) { self.stepWeight = stepWeight }

  /// The mean loss over `batchSize` samples, of which a shard holds `labels.count`.
  func value(
    _ output: NetworkOutput, labels: [Int], batchSize: Int, steps: Int, on tape: Tape
  ) -> Variable {
    guard let currents = output.currents, let membranes = output.membranes else {
      preconditionFailure("a network ran without a read-out")
    }
    let scale = 1 / Float(batchSize)
    var terms: [(weight: Float, term: Variable)] = []
    if stepWeight < 1 {
      let last = lastStep(of: membranes, steps: steps, on: tape)
      terms.append(
        (1 - stepWeight, softmaxCrossEntropy(last, labels: labels, scale: scale, on: tape)))
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
}
