import ModelFormat
import Testing
import Wiring

@testable import ModelExport

/// Models the trainer could have made run; all others are refused by name.
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

  private func refusal(_ change: (inout Model) -> Void) throws -> TrainingEngineError? {
    var model = Self.chain
    change(&model)
    try model.validate()
    return #expect(throws: TrainingEngineError.self) { try TrainingEngine(model) }
  }

  /// Changes the LIF parameters of the first population.
  private func refusalOfNeurons(
    _ change: @escaping (inout Population.LIF) -> Void
  ) throws -> TrainingEngineError? {
    try refusal { model in
      guard case .lif(var lif) = model.populations[0].kind else { return }
      change(&lif)
      model.populations[0].kind = .lif(lif)
    }
  }

  @Test func graphsOtherThanAChainAreRefused() throws {
    let graph = TrainingEngineError(place: "chain", found: "graph other than a chain")
    #expect(try refusal { $0.inputs.append($0.inputs[0]) } == graph)
    #expect(try refusal { $0.projections.append($0.projections[2]) } == graph)
    #expect(
      try refusal {
        $0.populations.insert($0.populations.removeLast(), at: 0)
        for index in 0..<3 { $0.projections[index].target = [1, 2, 0][index] }
        $0.projections[1].source = .population(1)
        $0.projections[2].source = .population(2)
        $0.readout = 0
      } == graph)
  }

  @Test func projectionsOutOfOrderAreRefused() throws {
    let found = "graph other than a chain"
    #expect(
      try refusal { $0.projections.swapAt(0, 1) }
        == TrainingEngineError(place: "projection second", found: found))
    #expect(
      try refusal { $0.projections[2].delay = 1 }
        == TrainingEngineError(place: "projection third", found: found))
  }

  /// A network has at least one spiking layer; this once stopped the program.
  @Test func aReadoutAloneIsRefused() throws {
    #expect(
      try refusal { model in
        model.populations = [model.populations[2]]
        model.projections = [
          Projection(
            name: "only", from: .input(0), to: 0, topology: .dense,
            weights: WeightMatrix(rows: 4, columns: 2, values: [1, 2, 3, 4, 5, 6, 7, 8]))
        ]
        model.readout = 0
      } == TrainingEngineError(place: "chain", found: "read-out without a spiking layer"))
  }

  @Test(arguments: [
    InputPort.Kind.values(minimum: 0, maximum: 9, framePerStep: true),
    .events(.every(maximumPerStep: 3)),
  ])
  func portsOfOtherKindsAreRefused(kind: InputPort.Kind) throws {
    #expect(
      try refusal { $0.inputs[0].kind = kind }
        == TrainingEngineError(place: "pixels", found: "port of this kind"))
  }

  @Test func neuronsOfOtherKindsAreRefused() throws {
    func error(_ found: String) -> TrainingEngineError {
      TrainingEngineError(place: "population conv", found: found)
    }
    #expect(
      try refusal { $0.populations[0].initial = [0, 1] } == error("initial membrane other than 0"))
    #expect(
      try refusal { $0.populations[0].leak = [16384, 16385] }
        == error("leak off the grid of 1/256"))
    #expect(try refusalOfNeurons { $0.refractorySteps = 1 } == error("refractory steps"))
    #expect(try refusalOfNeurons { $0.reset = .value(1) } == error("reset to a value"))
  }

  @Test func readoutsWithALeakOrABiasAreRefused() throws {
    let error = TrainingEngineError(
      place: "population out", found: "read-out with a leak or a bias")
    #expect(try refusal { $0.populations[2].leak = 16384 } == error)
    #expect(try refusal { $0.populations[2].leak = [32768, 0] } == error)
    #expect(try refusal { $0.populations[2].bias = [0, 5] } == error)
  }

  @Test func topologiesTheTrainerLacksAreRefused() throws {
    let error = TrainingEngineError(place: "projection first", found: "topology of this kind")
    let geometries = [
      Convolution(y: .init(kernel: 3, padding: 1), x: .init(kernel: 1)),
      Convolution(kernel: 2, padding: 1, dilation: 2),
    ]
    for geometry in geometries {
      let taps = geometry.y.kernel * geometry.x.kernel
      #expect(
        try refusal {
          $0.projections[0].topology = .convolution(geometry)
          $0.projections[0].weights = WeightMatrix(
            rows: 1, columns: 2 * taps, values: [Int8](repeating: 1, count: 2 * taps))
        } == error)
    }
    #expect(
      try refusal {
        $0.populations[0].shape.channels = 1
        $0.projections[0].topology = .oneToOne
        $0.projections[0].weights = WeightMatrix(rows: 1, columns: 1, values: [2])
        $0.projections[1].weights = WeightMatrix(rows: 1, columns: 2, values: [2, 3])
      } == error)
    #expect(
      try refusal {
        $0.projections[1].pool = 1
        $0.populations[1].shape = $0.populations[0].shape
        $0.populations[1].bias = .none
        $0.projections[1].topology = .convolution(Convolution(kernel: 1, groups: 2))
        $0.projections[1].weights = WeightMatrix(rows: 2, columns: 1, values: [2, 3])
        $0.projections[2].weights = WeightMatrix(
          rows: 8, columns: 2, values: [Int8](repeating: 1, count: 16))
      } == TrainingEngineError(place: "projection second", found: "topology of this kind"))
  }

  /// The trainer's dense currents have no rows and columns; their steps were once read as an
  /// image's.
  @Test func aConvolutionOrPoolBehindADenseProjectionIsRefused() throws {
    let error = TrainingEngineError(
      place: "projection third", found: "convolution or pool behind a dense projection")
    #expect(
      try refusal {
        $0.projections[2].topology = .convolution(Convolution(kernel: 1))
      } == error)
    #expect(
      try refusal {
        $0.populations[1].shape = Shape(channels: 2, height: 2, width: 2)
        $0.projections[1].weights = WeightMatrix(
          rows: 2, columns: 8, values: [Int8](repeating: 1, count: 16))
        $0.projections[2].pool = 2
      } == error)
  }

  @Test func errorsSayWhereAndWhat() {
    #expect(
      "\(TrainingEngineError(place: "population conv", found: "reset to a value"))"
        == "population conv: the trainer builds no reset to a value")
  }
}
