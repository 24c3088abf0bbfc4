import Foundation
import Wiring

/// The learning rate of every step of a stage.
///
/// With w warm-up steps of n in all, step s has η·(s + 1)/w for s < w. After that it is η, or with
/// cosine decay `η·(f + (1 − f)·(1 + cos(π·p))/2)`, p running from 0 at step w to 1 at step n − 1: the
/// last step has exactly η·f, and the rate never rises again. Source: Loshchilov and Hutter, SGDR,
/// ICLR 2017, equation 5, without restarts.
public struct Schedule: Hashable, Sendable {
  /// How the rate runs after the warm-up.
  public enum Shape: Hashable, Sendable {
    /// It stays at its peak.
    case constant
    /// Ends at `finalFraction` (f) of the peak, 0…1.
    case cosine(finalFraction: Double)
  }

  /// How the rate runs after the warm-up.
  public var shape: Shape
  /// η, the highest rate.
  public var peak: Double
  /// w.
  public var warmupSteps: Int
  /// n ≥ 1.
  public var totalSteps: Int

  /// A schedule of `totalSteps` updates.
  public init(_ shape: Shape, peak: Double, warmupSteps: Int = 0, totalSteps: Int) {
    precondition(
      totalSteps >= 1 && warmupSteps >= 0,
      "a schedule needs steps, found \(totalSteps) with \(warmupSteps) of warm-up")
    self.shape = shape
    self.peak = peak
    self.warmupSteps = warmupSteps
    self.totalSteps = totalSteps
  }

  /// The schedule of a recipe's stage whose epochs have `stepsPerEpoch` steps.
  public init(_ stage: StageRecipe, stepsPerEpoch: Int) {
    let total = stage.epochs * stepsPerEpoch
    self.init(
      stage.schedule.kind == .constant
        ? .constant : .cosine(finalFraction: stage.schedule.finalFraction),
      peak: stage.optimizer.learningRate,
      warmupSteps: Int((stage.schedule.warmupEpochs * Double(stepsPerEpoch)).rounded()),
      totalSteps: total)
  }

  /// The learning rate of step `step`, counted from 0; beyond the last step that of the last.
  public func learningRate(at step: Int) -> Float {
    if step < warmupSteps { return Float(peak * Double(step + 1) / Double(warmupSteps)) }
    guard case .cosine(let final) = shape else { return Float(peak) }
    let length = totalSteps - 1 - warmupSteps
    let progress = length > 0 ? min(1, Double(step - warmupSteps) / Double(length)) : 1
    return Float(peak * (final + (1 - final) * (1 + cos(.pi * progress)) / 2))
  }
}
