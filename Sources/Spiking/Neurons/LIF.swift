import Tensors

/// What a neuron does after a spike.
public enum Reset: String, Hashable, Sendable, Codable {
  /// V ← V − θ: the residue above the threshold is kept.
  case subtract
  /// V ← 0.
  case zero
  /// V ← ``LIFDynamics/resetValue``.
  case value
}

/// When a neuron fires.
public enum Compare: String, Hashable, Sendable, Codable {
  /// V > θ.
  case greater
  /// V ≥ θ.
  case greaterOrEqual
}

/// The rules of a leaky integrate-and-fire neuron, besides its learned threshold θ and leak λ.
///
/// One step, in real numbers (I is the step's current, b a bias):
/// ```
/// V̄ = λ·V + I + b        s = V̄ > θ        V = V̄ − θ·s   (or 0, or a value, where s)
/// ```
/// V starts at the population's initial membrane. In the ``refractorySteps`` steps after a spike, I and b
/// are lost, V stays and no spike comes.
///
/// On the integer grid `λ·V` is truncated toward zero and V̄ clamped to the membrane's range:
/// models/FORMAT.md, section 4. A spike crosses the network within the step.
///
/// Backward, with z = V̄/θ − 1, ψ the surrogate slope at z, δs the gradient of the spike and δV of the
/// membrane after reset (0 after the last step):
/// ```
/// ∂I = ∂b = g = δV + δs·ψ/θ     (reset to zero: δV·(1 − s) + δs·ψ/θ)
/// ∂λ = Σ g·V_before     ∂θ = Σ (−δs·ψ·V̄/θ² − s·δV)     δV_before = λ·g
/// ```
/// In a step whose input is lost g is 0 and δV_before = δV. The initial membrane's gradient is
/// δV_before of step 0.
///
/// The reset's own dependence on V is detached. Source: Rathi and Roy, DIET-SNN (TNNLS 2021),
/// section III, as the authors' code executes it.
public struct LIFDynamics: Hashable, Sendable, Codable {
  /// What a spike does to the membrane.
  public var reset: Reset
  /// When a membrane fires.
  public var compare: Compare
  /// The slope in place of a spike's derivative.
  public var surrogate: Surrogate
  /// The membrane after a spike, where ``reset`` is to a value; in real numbers, at most θ in use.
  public var resetValue: Float
  /// Steps after a spike in which input is lost, 0…255.
  public var refractorySteps: Int

  /// Neurons of the given rules; by default the plainest.
  public init(
    reset: Reset = .subtract, compare: Compare = .greater,
    surrogate: Surrogate = .triangular(scale: 0.3), resetValue: Float = 0,
    refractorySteps: Int = 0
  ) {
    self.reset = reset
    self.compare = compare
    self.surrogate = surrogate
    self.resetValue = resetValue
    self.refractorySteps = refractorySteps
  }
}

/// A price on spiking above a target rate: `strength·(rate − target)²` per population, 0 below the
/// target; the rate is the mean over the neurons, steps and samples of a shard.
public struct ActivityPenalty: Hashable, Sendable {
  /// The price of the squared excess, ≥ 0.
  public var strength: Float
  /// Spikes per neuron and step that cost nothing, 0…1.
  public var targetRate: Float

  /// A price of `strength` above `targetRate`.
  public init(strength: Float, targetRate: Float) {
    self.strength = strength
    self.targetRate = targetRate
  }
}
