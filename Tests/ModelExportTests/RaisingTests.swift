import ModelFixtures
import ModelFormat
import Testing
import Wiring

@testable import ModelExport

/// What no chain of the shorthand has is computed as the reference does; only a read-out whose sums leave
/// float32's integers is refused, by name.
@Suite struct RaisingTests {
  /// Four values onto a convolution onto a vector onto a read-out.
  static var chain: Model {
    let shape = Shape(channels: 1, height: 2, width: 2)
    return Model(
      name: "chain", steps: 2,
      inputs: [
        InputPort(
          name: "pixels", shape: shape, kind: .values(minimum: 0, maximum: 9, framePerStep: false))
      ],
      populations: [
        Population(
          name: "conv", shape: Shape(channels: 2, height: 2, width: 2),
          kind: .lif(Population.LIF(threshold: 3)), leak: 16384),
        Population(
          name: "dense", shape: Shape(channels: 2), kind: .lif(Population.LIF(threshold: [2, 3])),
          bias: [0, 1]),
        Population(name: "out", shape: Shape(channels: 2), kind: .readout),
      ],
      projections: [
        Projection(
          name: "first", from: .input(0), to: 0,
          topology: .convolution(Convolution(kernel: 3, padding: 1)), shift: 1,
          weights: WeightMatrix(rows: 1, columns: 18, values: (0..<18).map { Int8($0 - 7) })),
        Projection(
          name: "second", from: .population(0), to: 1, topology: .dense, pool: 2,
          weights: WeightMatrix(rows: 2, columns: 2, values: [1, 0, 2, -1])),
        Projection(
          name: "third", from: .population(1), to: 2, topology: .dense, shift: 2,
          weights: WeightMatrix(rows: 2, columns: 2, values: [3, 0, -1, 2])),
      ],
      readout: 2)
  }

  /// The chain, changed, does on random inputs what the reference does.
  private func expectEqual(
    _ comment: Comment? = nil, _ change: (inout Model) -> Void
  ) throws {
    var model = Self.chain
    (model.steps, model.maximumSteps) = (4, 9)
    change(&model)
    try model.validate()
    var spikes = 0
    var scores: Set<Int32> = []
    for seed in 0..<8 as Range<UInt64> {
      let answer = try expectEqualEngines(
        model, RandomModels.input(for: model, seed: seed), comment)
      spikes += answer.counters.populations.reduce(0) { $0 + $1.spikesOut }
      scores.formUnion(answer.scores)
    }
    // Equality of what never moved says nothing.
    #expect(spikes > 0 || model.populations.count == 1, comment)
    #expect(scores.count > 1, comment)
  }

  /// Changes the LIF parameters of the first population.
  private func expectEqualNeurons(
    _ comment: Comment? = nil, _ change: (inout Population.LIF) -> Void
  ) throws {
    try expectEqual(comment) { model in
      guard case .lif(var lif) = model.populations[0].kind else { return }
      change(&lif)
      model.populations[0].kind = .lif(lif)
    }
  }

  @Test func graphsOtherThanAChainRun() throws {
    try expectEqual("a port nobody hears") { $0.inputs.append($0.inputs[0]) }
    try expectEqual("two ports") {
      $0.inputs.append($0.inputs[0])
      $0.projections.append($0.projections[0])
      $0.projections[3].source = .input(1)
    }
    try expectEqual("two projections between the same populations") {
      $0.projections.append($0.projections[2])
    }
    try expectEqual("a read-out in front") {
      $0.populations.insert($0.populations.removeLast(), at: 0)
      for index in 0..<3 { $0.projections[index].target = [1, 2, 0][index] }
      $0.projections[1].source = .population(1)
      $0.projections[2].source = .population(2)
      $0.readout = 0
    }
    try expectEqual("a population that hears itself") {
      $0.projections.append($0.projections[1])
      $0.projections[3].source = .population(1)
      $0.projections[3].pool = 1
      $0.projections[3].delay = 1
    }
  }

  @Test func projectionsOutOfOrderRun() throws {
    try expectEqual { $0.projections.swapAt(0, 1) }
    try expectEqual { $0.projections[2].delay = 1 }
  }

  /// This once stopped the program.
  @Test func aReadoutAloneRuns() throws {
    try expectEqual { model in
      model.populations = [model.populations[2]]
      model.projections = [
        Projection(
          name: "only", from: .input(0), to: 0, topology: .dense,
          weights: WeightMatrix(rows: 4, columns: 2, values: [1, 2, 3, 4, 5, 6, 7, 8]))
      ]
      model.readout = 0
    }
  }

  @Test(arguments: [
    InputPort.Kind.values(minimum: 0, maximum: 9, framePerStep: true),
    .values(minimum: -32768, maximum: 32767, framePerStep: true),
    .values(minimum: -9, maximum: 9, framePerStep: false), .events(.once),
    .events(.every(maximumPerStep: 3)),
  ])
  func portsOfAllKindsRun(kind: InputPort.Kind) throws {
    try expectEqual {
      $0.inputs[0].kind = kind
      if case .events = kind { $0.projections[0].shift = 2 }
    }
  }

  @Test func neuronsOfAllKindsRun() throws {
    try expectEqual("initial membrane") { $0.populations[0].initial = [0, 1] }
    try expectEqual("leak off the grid of 1/256") { $0.populations[0].leak = [16384, 16385] }
    try expectEqualNeurons("refractory steps") { $0.refractorySteps = 1 }
    try expectEqualNeurons("reset to a value") { $0.reset = .value(1) }
    try expectEqualNeurons("reset to zero") { $0.reset = .zero }
    try expectEqualNeurons("threshold 0") { $0.threshold = 0 }
    try expectEqualNeurons("a narrow membrane") { ($0.floor, $0.ceiling) = (-2, 5) }
  }

  @Test func readoutsWithALeakABiasOrAnInitialMembraneRun() throws {
    try expectEqual { $0.populations[2].leak = 16384 }
    try expectEqual { $0.populations[2].leak = [32768, 0] }
    try expectEqual { $0.populations[2].bias = [0, 5] }
    try expectEqual { $0.populations[2].initial = [-7, (1 << 24) + 2] }
  }

  @Test func topologiesOfAllKindsRun() throws {
    let geometries = [
      Convolution(y: .init(kernel: 3, padding: 1), x: .init(kernel: 1)),
      Convolution(kernel: 2, padding: 1, dilation: 2),
    ]
    for geometry in geometries {
      let taps = geometry.y.kernel * geometry.x.kernel
      try expectEqual("\(geometry)") {
        $0.projections[0].topology = .convolution(geometry)
        $0.projections[0].weights = WeightMatrix(
          rows: 1, columns: 2 * taps, values: [Int8](repeating: 1, count: 2 * taps))
      }
    }
    try expectEqual("one to one") {
      $0.populations[0].shape.channels = 1
      $0.projections[0].topology = .oneToOne
      $0.projections[0].weights = WeightMatrix(rows: 1, columns: 1, values: [2])
      $0.projections[1].weights = WeightMatrix(rows: 1, columns: 2, values: [2, 3])
    }
    try expectEqual("lateral") {
      $0.projections.append(
        Projection(
          name: "others", from: .population(0), to: 0, delay: 1, topology: .lateral,
          weights: WeightMatrix(rows: 1, columns: 1, values: [-1])))
    }
    try expectEqual("groups") {
      $0.projections[1].pool = 1
      $0.populations[1].shape = $0.populations[0].shape
      $0.populations[1].bias = .none
      $0.projections[1].topology = .convolution(Convolution(kernel: 1, groups: 2))
      $0.projections[1].weights = WeightMatrix(rows: 2, columns: 1, values: [2, 3])
      $0.projections[2].weights = WeightMatrix(
        rows: 8, columns: 2, values: [Int8](repeating: 1, count: 16))
    }
  }

  /// The steps of dense currents were once read as an image's.
  @Test func aConvolutionOrPoolBehindADenseProjectionRuns() throws {
    try expectEqual { $0.projections[2].topology = .convolution(Convolution(kernel: 1)) }
    try expectEqual {
      $0.populations[1].shape = Shape(channels: 2, height: 2, width: 2)
      $0.projections[1].weights = WeightMatrix(
        rows: 2, columns: 8, values: [Int8](repeating: 1, count: 16))
      $0.projections[2].pool = 2
    }
  }

  // MARK: Refusals

  private func refusal(_ change: (inout Model) -> Void) throws -> TrainingEngineError? {
    var model = Self.chain
    change(&model)
    try model.validate()
    return #expect(throws: TrainingEngineError.self) { try TrainingEngine(model) }
  }

  @Test func aReadoutThatStartsBetweenFloatsIsRefused() throws {
    #expect(
      try refusal { $0.populations[2].initial = [0, (1 << 24) + 1] }
        == TrainingEngineError(
          place: "population out, initial", expected: "integers that float32 holds exactly",
          found: "16777217"))
  }

  /// Values straight onto a read-out: two ports of `sources` values, each within the format's own bound.
  private static func large(sources: Int) -> Model {
    let shape = Shape(channels: sources)
    let kind = InputPort.Kind.values(minimum: -32768, maximum: 32767, framePerStep: true)
    let weights = WeightMatrix(
      rows: sources, columns: 1, values: [Int8](repeating: 127, count: sources))
    return Model(
      name: "large", steps: 4,
      inputs: (0..<2).map { InputPort(name: "port \($0)", shape: shape, kind: kind) },
      populations: [Population(name: "out", shape: Shape(channels: 1), kind: .readout)],
      projections: (0..<2).map {
        Projection(
          name: "\($0)", from: .input($0), to: 0, topology: .dense, weights: weights)
      }, readout: 0)
  }

  @Test func aReadoutWhoseSumsOfOneStepPassFloatsIsRefused() throws {
    // 2 · 2 · 127 · 32768 = 16 646 144 < 2^24.
    for value in [Int16.min, .max] {
      let frames = [[Int16]](repeating: [value, value], count: 4)
      try expectEqualEngines(
        Self.large(sources: 2),
        InferenceInput(steps: 4, ports: [.frames(frames), .frames(frames)]))
    }
    // 2 · 3 · 127 · 32768 = 24 969 216.
    let model = Self.large(sources: 3)
    try model.validate()
    let error = #expect(throws: TrainingEngineError.self) { try TrainingEngine(model) }
    #expect(
      error
        == TrainingEngineError(
          place: "population out",
          expected: "sums of one step below 16777216, which float32 holds exactly",
          found: "a bound of 24969216"))
  }

  @Test func errorsSayWhereAndWhat() {
    let error = TrainingEngineError(place: "population out", expected: "little", found: "much")
    #expect("\(error)" == "population out: expected little, found much")
  }
}
