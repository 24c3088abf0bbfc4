/// The slope put in place of the derivative of a spike in the backward pass.
///
/// Every slope is taken at z = V/θ − 1, the distance to the threshold in units of the threshold, so
/// the gradient with respect to V carries a further 1/θ.
public enum Surrogate: Hashable, Sendable, Codable {
  /// `γ·max(0, 1 − |z|)`; Rathi and Roy, DIET-SNN, TNNLS 2021 (γ = 0.3). No gradient for |z| ≥ 1.
  case triangular(scale: Float)
  /// `(α/2) / (1 + (π/2·α·z)²)`; Fang et al., ICCV 2021 (α = 2).
  case arctan(sharpness: Float)
  /// `1 / (1 + k·|z|)²`; Zenke and Ganguli, SuperSpike, Neural Computation 2018.
  case fastSigmoid(sharpness: Float)
  /// `γ` for |z| < w, else 0; Wu et al., STBP, Frontiers in Neuroscience 2018.
  case rectangular(scale: Float, halfWidth: Float)
  /// `α·exp(−β·Δt)`, Δt steps since the neuron's previous spike, 0 for a neuron that has not spiked;
  /// Rathi et al., ICLR 2020, equation 10 (α = 0.3, β = 0.01).
  case spikeTime(scale: Float, decay: Float)

  /// The slope at a distance to the threshold; `elapsed` matters to ``spikeTime(scale:decay:)`` only.
  public func slope(at z: Float, elapsed: Int? = nil) -> Float {
    if case .spikeTime(let scale, let decay) = self {
      return elapsed.map { SpikeTimeTable.slope(scale: scale, decay: decay, elapsed: $0) } ?? 0
    }
    return kernelSlope(at: z)
  }
}
