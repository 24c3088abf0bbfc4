import Tensors

/// What a neuron does after a spike.
public enum Reset: String, Hashable, Sendable, Codable {
  /// V ← V − θ: the residue above the threshold is kept.
  case subtract
  /// V ← 0.
  case zero
}

/// When a neuron fires.
public enum Compare: String, Hashable, Sendable, Codable {
  /// V > θ.
  case greater
  /// V ≥ θ.
  case greaterOrEqual

  func fires(_ potential: Float, _ threshold: Float) -> Bool {
    self == .greater ? potential > threshold : potential >= threshold
  }
}

/// The rules of a leaky integrate-and-fire neuron, besides its learned threshold θ and leak λ.
///
/// One step, in real numbers (V starts at 0, I is the step's current, b a bias):
/// ```
/// V̄ = λ·V + I + b        s = V̄ > θ        V = V̄ − θ·s   (or 0 where s)
/// ```
/// On the integer grid `λ·V` is truncated toward zero and V̄ clamped to the membrane's range:
/// models/FORMAT.md, section 4. A spike crosses the network within the step.
///
/// Backward, with z = V̄/θ − 1, ψ the surrogate slope at z, δs the gradient of the spike and δV of the
/// membrane after reset (0 after the last step):
/// ```
/// ∂I = ∂b = g = δV + δs·ψ/θ     (reset to zero: δV·(1 − s) + δs·ψ/θ)
/// ∂λ = Σ g·V_before     ∂θ = Σ (−δs·ψ·V̄/θ² − s·δV)     δV_before = λ·g
/// ```
/// The reset's own dependence on V is detached. Source: Rathi and Roy, DIET-SNN (TNNLS 2021),
/// section III, as the authors' code executes it.
public struct LIFDynamics: Hashable, Sendable, Codable {
  public var reset: Reset
  public var compare: Compare
  public var surrogate: Surrogate

  public init(
    reset: Reset = .subtract, compare: Compare = .greater,
    surrogate: Surrogate = .triangular(scale: 0.3)
  ) {
    self.reset = reset
    self.compare = compare
    self.surrogate = surrogate
  }
}

/// A price on spiking above a target rate: `strength·(rate − target)²` per population, 0 below the
/// target; the rate is the mean over the neurons, steps and samples of a shard.
public struct ActivityPenalty: Hashable, Sendable {
  public var strength: Float
  public var targetRate: Float

  public init(strength: Float, targetRate: Float) {
    self.strength = strength
    self.targetRate = targetRate
  }
}

/// The spikes of a population, and what was seen while computing them.
public struct LIFOutput {
  /// `[T·B, …]`, step by step, 0 or 1; `[T, B, …]` where the current was held.
  public var spikes: Variable
  /// The membranes before reset, in the shape of the spikes and in the unit of the current times its
  /// scale.
  public var potentials: Tensor
  /// Mean spikes per neuron and step.
  public var rate: Float
  /// Clamps that changed a membrane.
  public var saturations: Int
  /// The activity penalty's value, part of the loss; its gradient is already in the tape.
  public var penalty: Float
}

/// Runs a population of LIF neurons over T steps as one operation.
///
/// - Parameters:
///   - current: `[T·B, …]`, step by step, or `[B, …]` where `held`: the same in every step. A current
///     with a step axis is consumed: its memory becomes the membranes.
///   - threshold, leak, bias: 1, C (last axis) or N values (all axes after B).
///   - range: the membrane's floor and ceiling on the integer grid; nil computes in real numbers.
///   - currentScale: what the current is multiplied with, 2^shift on the integer grid.
public func lif(
  _ current: Variable, held: Bool, steps: Int, batch: Int, threshold: Variable, leak: Variable,
  bias: Variable?, dynamics: LIFDynamics, range: ClosedRange<Float>? = nil,
  currentScale: Float = 1, penalty: ActivityPenalty? = nil, on tape: Tape
) -> LIFOutput {
  let parameters = [threshold, leak] + (bias.map { [$0] } ?? [])
  let period = parameters.map(\.value.count).max() ?? 1
  let neurons = current.value.count / (held ? 1 : steps)
  precondition(
    neurons % batch == 0 && (neurons / batch) % period == 0
      && parameters.allSatisfy { period % $0.value.count == 0 },
    "lif: parameters of \(parameters.map(\.value.count)) values do not fit a current "
      + "\(current.shape) of \(steps) steps and \(batch) samples")
  let size = LIFSize(
    steps: steps, neurons: neurons, period: period, heldCurrent: held, currentScale: currentScale,
    dynamics: dynamics, grid: range)
  func row(_ variable: Variable?, default value: Float) -> [Float] {
    guard let variable else { return size.expand(nil, count: 1, default: value) }
    return variable.value.withPointer {
      size.expand($0, count: variable.value.count, default: value)
    }
  }
  let thresholds = row(threshold, default: 1)
  let leaks = row(leak, default: 1)
  let shape = held ? [steps] + current.shape : current.shape
  var potentials = held ? Tensor(uninitialized: shape) : current.consumeValue()
  var spikes = Tensor(uninitialized: shape)
  let counts = potentials.withMutablePointer { membranes in
    spikes.withMutablePointer { spikes in
      let biases = row(bias, default: 0)
      if held {
        return current.value.withPointer {
          LIFKernel.forward(
            size, current: $0, threshold: thresholds, leak: leaks, bias: biases,
            membranes: membranes, spikes: spikes)
        }
      }
      return LIFKernel.forward(
        size, current: membranes, threshold: thresholds, leak: leaks, bias: biases,
        membranes: membranes, spikes: spikes)
    }
  }
  let rate = Float(counts.spikes) / Float(spikes.count)
  let excess = max(0, rate - (penalty?.targetRate ?? .infinity))
  let needsGradient = ([current] + parameters).contains { $0.needsGradient }
  let output = LIFOutput(
    spikes: Variable(spikes, needsGradient: needsGradient), potentials: potentials, rate: rate,
    saturations: counts.saturations,
    penalty: (penalty?.strength ?? 0) * excess * excess)
  guard needsGradient else { return output }
  let offset = (penalty?.strength ?? 0) * 2 * excess / Float(spikes.count)
  tape.record { [spikes = output.spikes] in
    // The penalty's gradient stands alone where nothing reads the spikes.
    guard
      var gradient = spikes.takeGradient() ?? (offset == 0 ? nil : Tensor(spikes.shape))
    else { return }
    var gradients = LIFGradients(period: period)
    gradient.withMutablePointer { gradient in
      potentials.withPointer { membranes in
        LIFKernel.backward(
          size, surrogate: dynamics.surrogate, membranes: membranes, gradient: gradient,
          spikeOffset: offset, threshold: thresholds, leak: leaks,
          into: &gradients)
      }
    }
    threshold.accumulate(folded(gradients.threshold, to: threshold.shape))
    leak.accumulate(folded(gradients.leak, to: leak.shape))
    if let bias { bias.accumulate(folded(gradients.bias, to: bias.shape)) }
    guard current.needsGradient else { return }
    current.accumulate(held ? gradient.summedOverSteps(steps, shape: current.shape) : gradient)
  }
  return output
}

/// A period's gradients added up to the granularity of the parameter.
private func folded(_ row: [Float], to shape: [Int]) -> Tensor {
  var result = [Float](repeating: 0, count: shape.reduce(1, *))
  for (index, value) in row.enumerated() { result[index % result.count] += value }
  return Tensor(shape, result)
}
