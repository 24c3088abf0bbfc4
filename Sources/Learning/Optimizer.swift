import Spiking
import Tensors

/// How parameters follow their gradients g, with the learning rate η of the step and decay d.
///
/// ```
/// sgd:    v ← μ·v + g + d·w          w ← w − η·v       (Nesterov: w ← w − η·(g + d·w + μ·v))
/// adam:   m ← β₁·m + (1 − β₁)·g      v ← β₂·v + (1 − β₂)·g²
///         w ← w − η·(m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
/// ```
/// Adam adds d·w to g; with `decoupledDecay` (AdamW) w shrinks by η·d·w instead. Sources: Kingma and Ba,
/// ICLR 2015, algorithm 1; Loshchilov and Hutter, ICLR 2019, algorithm 2; Sutskever et al., ICML 2013
/// (Nesterov, in the form with η outside v).
public struct OptimizerConfiguration: Hashable, Sendable, Codable {
  /// How a value follows its gradient.
  public enum Method: Hashable, Sendable, Codable {
    /// Stochastic gradient descent, μ in 0…<1.
    case sgd(momentum: Float, nesterov: Bool)
    /// Adam, β₁ and β₂ in 0…<1, ε > 0.
    case adam(beta1: Double, beta2: Double, epsilon: Float, decoupledDecay: Bool)
  }

  /// How parameters follow their gradients.
  public var method: Method
  /// d, applied to parameters of the role `weight` only.
  public var weightDecay: Float = 0
  /// Multiples of η for thresholds, leaks and quantiser steps.
  public var thresholdRate: Float = 1
  /// The multiple of leaks.
  public var leakRate: Float = 1
  /// The multiple of quantiser steps.
  public var stepRate: Float = 1
  /// Gradients are scaled so that their joint norm does not exceed this; nil: as they are.
  public var clipNorm: Float?

  /// A configuration of the given method, everything else at its default.
  public init(
    _ method: Method = .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decoupledDecay: false)
  ) {
    self.method = method
  }

  func rate(of role: Parameter.Role) -> Float {
    switch role {
    case .weight, .bias, .initial, .scale: 1
    case .statistic: 0
    case .threshold: thresholdRate
    case .leak, .currentLeak: leakRate
    case .step: stepRate
    }
  }
}

/// Updates a network's parameters from their gradients, and remembers what the method needs.
///
/// Updates are elementwise and norms are summed in fixed chunks: results do not depend on the number
/// of threads.
public final class Optimizer {
  /// The constants of every update.
  public let configuration: OptimizerConfiguration
  /// What is updated, in the order of the gradients.
  public let parameters: [Parameter]
  /// What is remembered of each parameter, in their order.
  public let moments: [OptimizerMoments]
  /// The updates made so far, t.
  public internal(set) var stepCount = 0
  private let threads: Int

  /// An optimizer that remembers nothing yet.
  public init(
    _ configuration: OptimizerConfiguration, parameters: [Parameter],
    threads: Int = Parallel.coreCount
  ) {
    self.configuration = configuration
    self.parameters = parameters
    self.threads = threads
    moments = parameters.map { parameter in
      let zero = Tensor(parameter.value.shape)
      guard case .adam = configuration.method else {
        return OptimizerMoments(first: zero, second: nil)
      }
      return OptimizerMoments(first: zero, second: Tensor(parameter.value.shape))
    }
  }

  /// The joint Euclidean norm of gradients, not finite where one of them is not.
  public func norm(_ gradients: [Tensor]) -> Double {
    OptimizerKernel.squaredNorm(gradients, threads: threads).squareRoot()
  }

  /// Makes one update and brings the parameters back into their ranges and masks. A pruned weight has no
  /// gradient, and nothing is remembered of it.
  ///
  /// - Parameters:
  ///   - gradients: one per parameter, in their order, of their counts.
  ///   - learningRate: η before the role's multiple.
  /// - Returns: the gradients' norm before clipping. Where it is not finite nothing was updated.
  @discardableResult
  public func step(_ gradients: [Tensor], learningRate: Float) -> Double {
    precondition(
      gradients.count == parameters.count
        && zip(gradients, parameters).allSatisfy { $0.count == $1.value.count },
      "an optimizer of \(parameters.map(\.value.shape)) got gradients of \(gradients.map(\.shape))")
    let gradients = zip(gradients, parameters).map { gradient, parameter in
      guard let mask = parameter.mask else { return gradient }
      var gradient = gradient
      gradient.multiply(by: mask)
      return gradient
    }
    let norm = norm(gradients)
    guard norm.isFinite else { return norm }
    // What was remembered of a weight must not outlive it.
    for (parameter, moments) in zip(parameters, moments) {
      if let mask = parameter.mask { moments.apply(mask) }
    }
    stepCount += 1
    var gradientScale: Float = 1
    if let limit = configuration.clipNorm, norm > Double(limit) {
      gradientScale = Float(Double(limit) / norm)
    }
    let slots = parameters.indices.map { index -> OptimizerKernel.Slot in
      let role = parameters[index].role
      return OptimizerKernel.Slot(
        parameter: parameters[index], gradient: gradients[index], moments: moments[index],
        rate: learningRate * configuration.rate(of: role),
        decay: role == .weight ? configuration.weightDecay : 0)
    }
    OptimizerKernel.update(
      slots, method: configuration.method, step: stepCount, gradientScale: gradientScale,
      threads: threads)
    for parameter in parameters { parameter.enforceConstraints() }
    return norm
  }
}

/// What an optimizer remembers of one parameter.
public final class OptimizerMoments {
  /// The running mean of gradients: Adam's m, SGD's v.
  public internal(set) var first: Tensor
  /// Adam's v; nil for SGD.
  public internal(set) var second: Tensor?

  init(first: Tensor, second: Tensor?) {
    self.first = first
    self.second = second
  }

  /// Forgets what was remembered where a mask is 0.
  func apply(_ mask: Tensor) {
    first.multiply(by: mask)
    second?.multiply(by: mask)
  }
}
