import Testing

@testable import Evaluation

@Suite struct ExitChoiceTests {
  /// Ten samples of three steps: margins 1, 5, 9. The first answer of two of them is wrong, and the
  /// second answer of one.
  private static let samples: [ExitChoice.Answers] = (0..<10).map { sample in
    [(1, sample > 1), (5, sample > 0), (9, true)]
  }

  @Test func withoutLossTheSmallestMarginKeepsEveryAnswer() {
    let choice = ExitChoice(for: Self.samples, accuracyLoss: 0)
    #expect(choice.margin == 9)
    #expect(choice.accuracy == 1)
    #expect(choice.steps == 3)
  }

  @Test func aLossEndsInferencesEarlier() {
    let tenth = ExitChoice(for: Self.samples, accuracyLoss: 0.1)
    #expect((tenth.margin, tenth.accuracy, tenth.steps) == (5, 0.9, 2))
    #expect(tenth.fullAccuracy == 1)
    let fifth = ExitChoice(for: Self.samples, accuracyLoss: 0.2)
    #expect((fifth.margin, fifth.accuracy, fifth.steps) == (1, 0.8, 1))
  }

  @Test func aMarginIsNeverBelowOne() {
    let choice = ExitChoice(for: [[(0, true), (0, true)]], accuracyLoss: 1)
    #expect((choice.margin, choice.steps) == (1, 2))
  }
}
