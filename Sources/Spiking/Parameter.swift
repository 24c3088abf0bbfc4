import Tensors

/// A learned tensor of a network. Populations, projections, optimizers and checkpoints refer to the
/// same object.
public final class Parameter {
  /// What a parameter is, which decides how it is updated: only weights decay and are pruned.
  public enum Role: String, Sendable, Codable {
    /// What a population or projection has by this name.
    case weight, threshold, leak, bias, initial
    /// What a population has as ``Population/currentLeak``.
    case currentLeak = "current_leak"
    /// The factor of a normalised current.
    case scale
    /// Measured, not learned: a normalised current's mean or variance.
    case statistic
    /// A quantiser's step.
    case step
  }

  /// Unique within a network, `population.role` or `projection.weight`.
  public let name: String
  /// What the parameter is.
  public let role: Role
  /// Its elements now.
  public var value: Tensor
  /// 0 where an element was pruned and stays 0, 1 elsewhere; nil: nothing is pruned.
  public var mask: Tensor? {
    didSet { applyMask() }
  }
  /// Updates never leave this range.
  public let range: ClosedRange<Float>

  /// A parameter of the given value; every real number is allowed where no range is stated.
  public init(
    _ name: String, role: Role, value: Tensor,
    range: ClosedRange<Float> = -Float.greatestFiniteMagnitude...Float.greatestFiniteMagnitude
  ) {
    self.name = name
    self.role = role
    self.value = value
    self.range = range
  }

  /// Brings the value back into ``range`` and pruned elements back to 0; called after every update.
  public func enforceConstraints() {
    if range.lowerBound > -.greatestFiniteMagnitude || range.upperBound < .greatestFiniteMagnitude {
      value.apply { min(max($0, range.lowerBound), range.upperBound) }
    }
    applyMask()
  }

  private func applyMask() {
    guard let mask else { return }
    precondition(
      mask.count == value.count,
      "the mask of \(name) has \(mask.count) elements, not \(value.count)")
    value.multiply(by: mask)
  }
}
