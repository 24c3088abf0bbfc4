import Learning
import ModelCompression
import Spiking
import Tensors
import Testing
import Wiring

@testable import Commands

/// What a stage's recipe does to a network while it trains.
@Suite struct StageCompressionTests {
  /// 8 + 4 weights.
  private func network() throws -> Network {
    try Network(
      name: "test", architecture: Architecture("2-2"), input: .events(Shape(channels: 4)),
      classes: 2, steps: 2, neurons: NeuronConfiguration(), random: RandomSource(seed: 1))
  }

  private func prunedCount(_ network: Network) -> Int {
    network.layers.reduce(0) { $0 + ($1.weight.mask?.elements.count { $0 == 0 } ?? 0) }
  }

  /// The number of pruned weights after each step of a stage.
  private func counts(begin: Double, end: Double, steps: Int, stepsPerEpoch: Int) throws -> [Int] {
    let network = try network()
    var stage = StageRecipe(name: "stage")
    var pruning = PruningRecipe(sparsity: 0.5)
    (pruning.begin, pruning.end) = (begin, end)
    stage.pruning = pruning
    let compression = try StageCompression(stage)
    try compression.willBeginStage(network, steps: steps, stepsPerEpoch: stepsPerEpoch)
    return try (1...steps).map { step in
      try compression.didStep(step, of: steps, network)
      return prunedCount(network)
    }
  }

  @Test func pruningReachesItsGoalAtTheEndAndStaysThere() throws {
    // 6 · (1 − (1 − u)³) for u = 1/4, 1/2, 3/4, 1.
    #expect(
      try counts(begin: 0, end: 0.5, steps: 8, stepsPerEpoch: 8) == [3, 5, 6, 6, 6, 6, 6, 6])
  }

  /// Ranking is done eight times an epoch, here every 30 steps, and at the end whatever the step.
  @Test func nothingIsPrunedBetweenRankings() throws {
    // 6 · (1 − (1 − 30/56)³) = 5.4 after step 30; the plan ends after step 56.
    let expected = [(0, 29), (5, 26), (6, 9)].flatMap { [Int](repeating: $0, count: $1) }
    #expect(try counts(begin: 0, end: 0.875, steps: 64, stepsPerEpoch: 240) == expected)
  }

  /// It once never came: steps count from 1.
  @Test func aPlanThatEndsAtOncePrunesAfterTheFirstStep() throws {
    #expect(try counts(begin: 0, end: 0, steps: 3, stepsPerEpoch: 3) == [6, 6, 6])
  }
}
