@testable import Spiking

/// The LIF equations of one neuron in double precision, step by step as they are written at
/// ``LIFDynamics``: what the vectorised kernels are held against.
struct LIFReference {
  var threshold: Double
  var leak: Double
  var bias: Double
  var dynamics: LIFDynamics

  struct Trajectory: Equatable {
    var potentials: [Double] = []
    var spikes: [Double] = []
    /// The membranes each step starts from.
    var before: [Double] = []
  }

  func forward(_ currents: [Double]) -> Trajectory {
    var result = Trajectory()
    var membrane = 0.0
    for current in currents {
      result.before.append(membrane)
      let potential = leak * membrane + current + bias
      let fires = dynamics.compare == .greater ? potential > threshold : potential >= threshold
      result.potentials.append(potential)
      result.spikes.append(fires ? 1 : 0)
      membrane = potential
      if fires { membrane = dynamics.reset == .subtract ? potential - threshold : 0 }
    }
    return result
  }

  struct Gradients {
    var currents: [Double]
    var threshold = 0.0
    var leak = 0.0
    var bias = 0.0
  }

  func backward(_ trajectory: Trajectory, spikeGradients: [Double]) -> Gradients {
    var result = Gradients(currents: spikeGradients.map { _ in 0 })
    var carried = 0.0
    for step in spikeGradients.indices.reversed() {
      let potential = trajectory.potentials[step]
      let spike = trajectory.spikes[step]
      let previous = trajectory.spikes[..<step].lastIndex(of: 1)
      let slope = Self.slope(
        dynamics.surrogate, potential / threshold - 1, elapsed: previous.map { step - $0 })
      let fromSpike = spikeGradients[step] * slope
      let kept = dynamics.reset == .subtract ? carried : carried * (1 - spike)
      let total = kept + fromSpike / threshold
      result.currents[step] = total
      result.bias += total
      result.leak += total * trajectory.before[step]
      result.threshold -= fromSpike * potential / (threshold * threshold)
      if dynamics.reset == .subtract { result.threshold -= spike * carried }
      carried = leak * total
    }
    return result
  }

  static func slope(_ surrogate: Surrogate, _ z: Double, elapsed: Int?) -> Double {
    switch surrogate {
    case .triangular(let scale): return Double(scale) * max(0, 1 - abs(z))
    case .arctan(let sharpness):
      let x = Double.pi / 2 * Double(sharpness) * z
      return Double(sharpness) / 2 / (1 + x * x)
    case .fastSigmoid(let sharpness):
      let x = 1 + Double(sharpness) * abs(z)
      return 1 / (x * x)
    case .rectangular(let scale, let halfWidth):
      return abs(z) < Double(halfWidth) ? Double(scale) : 0
    case .spikeTime(let scale, let decay):
      guard let elapsed else { return 0 }
      // e^(−β·Δt), a product of Δt factors.
      let factor = exponential(-Double(decay))
      return (0..<elapsed).reduce(Double(scale)) { value, _ in value * factor }
    }
  }

  /// The series of e^x, for |x| ≤ 1.
  private static func exponential(_ x: Double) -> Double {
    var term = 1.0
    return (1..<24).reduce(1.0) { sum, order in
      term *= x / Double(order)
      return sum + term
    }
  }
}
