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
    network.projections.reduce(0) { $0 + ($1.weight.mask?.elements.count { $0 == 0 } ?? 0) }
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

  // MARK: The stage's numbers

  private func quantized(
    _ change: (inout QuantizationRecipe) -> Void = { _ in }
  ) throws -> StageCompression {
    var stage = StageRecipe(name: "stage")
    var bits = QuantizationRecipe(bits: 4)
    change(&bits)
    stage.quantization = bits
    return try StageCompression(stage)
  }

  @Test func aStageOfRealNumbersTakesTheParametersThemselves() throws {
    let compression = try StageCompression(StageRecipe(name: "stage"))
    #expect(try compression.prepare(network()) is RealArithmetic)
    #expect(try compression.state() == ObserverState())
  }

  @Test func widthsAreAskedByProjection() throws {
    let compression = try quantized { $0.layers = ["readout": 8] }
    let network = try network()
    let arithmetic = try #require(compression.prepare(network) as? QuantizedArithmetic)
    #expect(arithmetic.bits == [.four, .eight])
    let unknown = try quantized { $0.layers = ["conv9": 8] }
    #expect(throws: CompressionError.unknownLayer(name: "conv9", known: ["dense1", "readout"])) {
      try unknown.willBeginStage(network, steps: 1, stepsPerEpoch: 1)
    }
  }

  @Test func aStageFoldsNormalisationBeforeItsGrid() throws {
    var plan = NetworkPlan(
      ports: [.events(Shape(channels: 4))],
      populations: [
        .init(
          name: "a", shape: Shape(channels: 3), neurons: NeuronConfiguration(isNormalized: true)),
        .init(name: "readout", shape: Shape(channels: 2), neurons: nil),
      ], readout: 1)
    plan.projections = [
      .init(name: "in", from: .input(0), to: 0, topology: .dense),
      .init(name: "out", from: .population(0), to: 1, topology: .dense),
    ]
    let network = try Network(name: "normal", plan: plan, steps: 2, random: RandomSource(seed: 1))
    let normalization = try #require(network.populations[0].normalization)
    normalization.scale.value = Tensor([3], [2, 4, 8])
    let before = network.projections[0].weight.value
    let arithmetic = try #require(quantized().prepare(network) as? QuantizedArithmetic)
    #expect(normalization.scale.value.elements == [1, 1, 1])
    let after = network.projections[0].weight.value
    for index in 0..<12 {
      #expect(abs(after[index] - before[index] * [2, 4, 8][index % 3]) < 1e-5)
    }
    // Steps are of the folded weights: 2·mean|w|/√7.
    let mean = (0..<4).reduce(Float(0)) { $0 + abs(after[3 * $1 + 2]) } / 4
    #expect(abs(arithmetic.steps[0].value[2] - 2 * mean / Float(7).squareRoot()) < 1e-5)
  }

  @Test func theGridIsKeptAndRestored() throws {
    let network = try network()
    let first = try quantized()
    let arithmetic = try #require(first.prepare(network) as? QuantizedArithmetic)
    let state = try first.state()
    // Weights that moved ask for another grid; a stage that goes on keeps its own.
    for projection in network.projections { projection.weight.value.apply { $0 * 0.003 } }
    let second = try quantized()
    let other = try #require(second.prepare(network) as? QuantizedArithmetic)
    #expect(other.namedChoices != arithmetic.namedChoices)
    try second.restore(state)
    #expect(other.namedChoices == arithmetic.namedChoices)
    #expect(throws: CompressionError.noGrid(layer: "all layers")) {
      try second.restore(ObserverState())
    }
  }

  /// The arithmetic goes to the loop, the observer beside it.
  @Test func aQuantisedStageTrainsItsSteps() throws {
    struct Source: BatchSource {
      var trainingBatchCount: Int { 3 }
      var validationBatchCount: Int { 1 }
      func trainingBatch(epoch: Int, index: Int) -> TrainingBatch { validationBatch(index) }
      func validationBatch(_ index: Int) -> TrainingBatch {
        TrainingBatch(
          values: (0..<2 * 8 * 4).map { UInt8($0 * 7 % 5 % 2) }, labels: [0, 1, 0, 1, 1, 0, 1, 0])
      }
    }
    let network = try network()
    let compression = try quantized()
    let arithmetic = try #require(compression.prepare(network) as? QuantizedArithmetic)
    let steps = arithmetic.steps.map(\.value)
    let recipe = try Recipe(
      yaml: """
        name: tiny
        data: {set: toy}
        network: {architecture: 2-2, steps: 2}
        stages: [{name: int4, epochs: 2, quantization: {bits: 4}}]
        """)
    var loop = TrainingLoop(
      network: network, arithmetic: arithmetic, stage: TrainingStage(recipe, index: 0),
      source: Source())
    loop.observers = [compression]
    #expect(try loop.run().isFinished)
    #expect(zip(arithmetic.steps, steps).allSatisfy { $0.value != $1 })
  }
}
