import Datasets
import ModelFormat

/// The smallest margin that ends inferences early at a bounded loss of accuracy, and what it brought
/// on the samples it was chosen on.
public struct ExitChoice: Equatable, Sendable {
  /// The margin, at least 1.
  public var margin: Int
  /// The share of samples answered rightly with this margin.
  public var accuracy: Double
  /// The share answered rightly after the last step.
  public var fullAccuracy: Double
  /// Mean steps taken with this margin.
  public var steps: Double

  /// A sample's answers: after each step the margin of its scores, and whether its class is right.
  typealias Answers = [(margin: Int, isRight: Bool)]

  /// How many margins are tried: the quantiles of those that samples show.
  private static let candidates = 256

  /// The smallest candidate whose accuracy is at least the full one less `loss`.
  ///
  /// Precondition: there are samples, each of at least one step.
  init(for samples: [Answers], accuracyLoss loss: Double) {
    let margins = samples.flatMap { $0.map { max($0.margin, 1) } }.sorted()
    var tried: [Int] = []
    for quantile in 0..<Self.candidates {
      let margin = margins[quantile * margins.count / Self.candidates]
      if tried.last != margin { tried.append(margin) }
    }
    // No sample shows a larger margin than the last candidate by which none would end early.
    let never = min((margins.last ?? 0) + 1, 0x7FFF_FFFF)
    let full = Self.outcome(of: samples, margin: never).accuracy
    for margin in tried {
      let outcome = Self.outcome(of: samples, margin: margin)
      if outcome.accuracy >= full - loss {
        self.init(margin, outcome, full)
        return
      }
    }
    self.init(never, Self.outcome(of: samples, margin: never), full)
  }

  private init(_ margin: Int, _ outcome: (accuracy: Double, steps: Double), _ full: Double) {
    self.margin = margin
    (accuracy, steps) = outcome
    fullAccuracy = full
  }

  private static func outcome(
    of samples: [Answers], margin: Int
  ) -> (accuracy: Double, steps: Double) {
    var (right, steps) = (0, 0)
    for answers in samples {
      let last = answers.firstIndex { $0.margin >= margin } ?? answers.count - 1
      right += answers[last].isRight ? 1 : 0
      steps += last + 1
    }
    let count = Double(samples.count)
    return (Double(right) / count, Double(steps) / count)
  }
}

extension SessionModel {
  /// Chooses an exit margin on a split: the smallest whose accuracy is at least that after the last step
  /// less `accuracyLoss`, a fraction.
  ///
  /// Throws ``RuntimeError`` where the data set does not fit the model or has no sample, and what reading
  /// a sample throws. Precondition: the model has no exit rule and at least two classes.
  public func chooseExit(
    on dataset: some Dataset, split: Split, accuracyLoss: Double, threads: Int = 2
  ) throws -> ExitChoice {
    let count = dataset.count(in: split)
    guard count > 0 else {
      throw RuntimeError.unsuitable(
        path: "exit", expected: "\(split.rawValue) samples to choose a margin on", found: "none")
    }
    let samples = try inShards(count: count, threads: threads) { range in
      let session = try Session(self)
      return try range.map { index -> ExitChoice.Answers in
        let sample = try dataset.sample(at: index, in: split)
        let input = try InferenceInput(sample, at: index, for: model)
        return try session.runKeepingScores(input).map { scores in
          (Exit.margin(of: scores), Inference.classIndex(of: scores) == sample.label)
        }
      }
    }
    return ExitChoice(for: samples, accuracyLoss: accuracyLoss)
  }
}
