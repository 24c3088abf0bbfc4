import Tensors

/// The part of a population's neurons that speak in one training pass: 0, or 1 / (1 − p), by sample and
/// neuron, the same in every step.
struct DropoutMask {
  /// `[B·N]`.
  let factors: Tensor

  init(probability: Float, count: Int, random: RandomSource) {
    var random = random
    let kept = 1 / (1 - probability)
    factors = Tensor(
      [count], (0..<count).map { _ in random.uniform() < Double(probability) ? 0 : kept })
  }

  /// The spikes of one or more steps with the silenced neurons' taken out.
  func applied(to spikes: Variable, on tape: Tape) -> Variable {
    let output = Variable(multiplied(spikes.value), needsGradient: spikes.needsGradient)
    guard output.needsGradient else { return output }
    tape.record { [self] in
      if let gradient = output.takeGradient() { spikes.accumulate(multiplied(gradient)) }
    }
    return output
  }

  private func multiplied(_ tensor: Tensor) -> Tensor {
    var result = tensor
    let count = factors.count
    factors.withPointer { factors in
      result.withMutablePointer { target in
        for start in stride(from: 0, to: tensor.count, by: count) {
          for index in 0..<count { target[start + index] *= factors[index] }
        }
      }
    }
    return result
  }
}
