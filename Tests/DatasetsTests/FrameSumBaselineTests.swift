import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite struct FrameSumBaselineTests {
  private func rows(_ counts: [[Int]]) -> [SparseRow] { counts.map(SparseRow.init) }

  @Test func separableCountsAreLearned() {
    let rows = rows([[4, 0, 1], [9, 1, 1], [0, 4, 1], [1, 9, 1]])
    var regression = SoftmaxRegression(featureCount: 3, classCount: 2, rows: rows)
    regression.fit(rows: rows, labels: [0, 0, 1, 1], settings: .init())
    #expect(regression.accuracy(rows: rows, labels: [0, 0, 1, 1]) == 1)
  }

  /// One sample of norm 1 and two classes: the first step moves by rate * (label - 1/2) * feature.
  @Test func firstStepFollowsTheGradient() {
    let rows = rows([[0, 4]])
    var regression = SoftmaxRegression(featureCount: 2, classCount: 2, rows: rows)
    var settings = FrameSumBaseline.Settings()
    settings.epochs = 1
    settings.learningRate = 0.5
    regression.fit(rows: rows, labels: [1], settings: settings)
    #expect(regression.scale == 2)
    #expect(regression.weights == [0, 0, -0.25, 0.25, -0.25, 0.25])
  }

  @Test func trainingIsRepeatable() throws {
    var settings = MovingShapes.Settings()
    settings.trainCount = 40
    settings.testCount = 20
    var short = FrameSumBaseline.Settings()
    short.epochs = 2
    let set = MovingShapes(seed: 1, settings: settings)
    let first = try FrameSumBaseline(dataset: set, settings: short, threads: 1)
    #expect(try FrameSumBaseline(dataset: set, settings: short, threads: 2) == first)
    #expect(first.trainCount == 40 && first.testCount == 20)
  }

  /// Opposite motions look alike once time is summed away, so 50 % is the most that can be had.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["SNN_LONG_TESTS"] == "1"))
  func movingShapesNeedTime() throws {
    var settings = MovingShapes.Settings()
    settings.trainCount = 1000
    let baseline = try FrameSumBaseline(dataset: MovingShapes(seed: 1, settings: settings))
    // 0.5 plus four deviations of a proportion over 1000 samples.
    #expect(baseline.testAccuracy < 0.5 + 4 * 0.0158)
    #expect(baseline.testAccuracy > 0.2)
  }

  @Test func aSetWithoutSamplesIsRefused() {
    var settings = MovingShapes.Settings()
    settings.trainCount = 0
    settings.testCount = 1
    #expect(throws: DatasetError.self) {
      try FrameSumBaseline(dataset: MovingShapes(seed: 1, settings: settings))
    }
  }
}
