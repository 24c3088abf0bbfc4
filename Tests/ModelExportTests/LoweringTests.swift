import ModelCompression
import ModelExport
import ModelFixtures
import ModelFormat
import Spiking
import Tensors
import Testing
import Wiring

/// The integers of a quantised network, its model and both as engines: equality, never a tolerance.
@Suite struct LoweringTests {
  /// What happened over all samples of a sweep.
  private struct Seen {
    var spikes = 0
    var saturations = 0
    var kinds: Set<String> = []

    mutating func note(
      _ network: Network, _ arithmetic: QuantizedArithmetic, _ model: Model, _ answer: Inference
    ) {
      for counters in answer.counters.populations {
        spikes += counters.spikesOut
        saturations += counters.saturations
      }
      for port in network.ports { note(port) }
      if network.ports.count > 1 { kinds.insert("ports") }
      for (index, population) in model.populations.enumerated() {
        if network.populations[index].bias != nil { kinds.insert("bias") }
        note(population)
        let sources = network.incoming[index].map { network.port(of: network.projections[$0]) }
        if sources.contains(where: { $0?.carriesValues == true })
          && sources.contains(where: { $0?.carriesValues != true })
        {
          kinds.insert("values beside spikes")
        }
      }
      for (projection, bits) in zip(model.projections, arithmetic.bits) {
        kinds.insert("\(bits.rawValue) bits")
        note(projection)
      }
    }

    private mutating func note(_ port: Spiking.InputPort) {
      switch port.kind {
      case .events(.once): kinds.insert("events")
      case .events(.every): kinds.insert("events that all count")
      case .values(0, _, _, false): kinds.insert("values")
      case .values(let minimum, _, _, let framePerStep):
        if minimum < 0 { kinds.insert("values below 0") }
        if framePerStep { kinds.insert("values per step") }
      }
    }

    private mutating func note(_ population: ModelFormat.Population) {
      guard case .lif(let lif) = population.kind else {
        if !population.leak.values.isEmpty { kinds.insert("read-out leak") }
        return
      }
      if case .value = lif.reset { kinds.insert("value") } else { kinds.insert("\(lif.reset)") }
      kinds.insert("\(lif.compare)")
      if lif.refractorySteps > 0 { kinds.insert("refractory") }
      if !population.initial.values.isEmpty { kinds.insert("initial") }
      let count = lif.threshold.values.count
      kinds.insert(count == 1 ? "layer" : count == population.shape.channels ? "channel" : "neuron")
    }

    private mutating func note(_ projection: ModelFormat.Projection) {
      if projection.pool > 1 { kinds.insert("pool") }
      if projection.delay > 0 { kinds.insert("delay") }
      let isRecurrent = projection.source == .population(projection.target)
      switch projection.topology {
      case .convolution(let convolution):
        kinds.insert("convolution")
        if convolution.y.stride > 1 { kinds.insert("stride") }
        if convolution.y.paddingBefore > 0 { kinds.insert("padding") }
        if convolution.y.kernel != convolution.x.kernel { kinds.insert("rectangle") }
        if convolution.y.dilation > 1 { kinds.insert("dilation") }
        if convolution.groups > 1 { kinds.insert("groups") }
        if projection.name == "b_a" { kinds.insert("convolutional recurrence") }
      case .dense: kinds.insert(isRecurrent ? "dense recurrence" : "dense")
      case .oneToOne: kinds.insert(isRecurrent ? "recurrence one to one" : "residual")
      case .lateral: kinds.insert(isRecurrent ? "lateral recurrence" : "lateral")
      }
    }
  }

  @Test func everyEngineComputesTheIntegersOfTheNetwork() throws {
    var (chains, graphs) = (Seen(), Seen())
    for seed in 0..<480 as Range<UInt64> {
      let (network, arithmetic) = try RandomNetworks.network(seed: seed)
      let model = try lower(
        network, arithmetic, as: ExportDescription(name: network.name, maximumSteps: 6))
      try model.validate()
      let engines = [TrainingEngine(network, arithmetic), try TrainingEngine(model)]
      var simulator = try ReferenceSimulator(model)
      for input in RandomNetworks.inputs(for: network, seed: seed) {
        var expected: [StepRecord] = []
        var answer = try simulator.run(input) { expected.append($0) }
        if seed.isMultiple(of: 2) {
          chains.note(network, arithmetic, model, answer)
        } else {
          graphs.note(network, arithmetic, model, answer)
        }
        answer.counters.projections = []
        answer.counters.ports = []
        for engine in engines {
          var found: [StepRecord] = []
          let given = engine.run(input) { found.append($0) }
          let step = FirstDifference.between(expected: expected, found: found)
          let end = FirstDifference.between(expected: answer, found: given)
          #expect(step == nil && end == nil, "seed \(seed)")
        }
      }
    }
    let expected: Set = [
      "events", "values", "8 bits", "4 bits", "3 bits", "2 bits", "pool", "bias", "subtract",
      "zero", "greater", "greaterEqual", "layer", "channel", "neuron", "convolution", "stride",
      "padding", "dense", "ports", "events that all count", "values below 0", "values per step",
      "values beside spikes", "read-out leak", "value", "refractory", "initial", "delay",
      "rectangle", "dilation", "groups", "convolutional recurrence", "dense recurrence",
      "recurrence one to one", "residual", "lateral", "lateral recurrence",
    ]
    #expect(expected.subtracting(chains.kinds.union(graphs.kinds)) == [])
    for seen in [chains, graphs] { #expect(seen.spikes > 2000 && seen.saturations > 200) }
  }

  // MARK: By hand

  /// Two inputs onto two neurons onto a read-out, weights and thresholds in real numbers.
  private func tinyNetwork(_ neurons: NeuronConfiguration = NeuronConfiguration()) throws -> Network
  {
    let network = try Network(
      name: "tiny", architecture: Architecture("2-2"), input: .events(Shape(channels: 2)),
      classes: 2, steps: 3, neurons: neurons, random: RandomSource(seed: 1))
    network.projections[0].weight.value = Tensor([2, 2], [0.5, -0.25, 0.75, 1])
    network.projections[1].weight.value = Tensor([2, 2], [1, -1, 0, 2])
    return network
  }

  private func quantise(
    _ network: Network, step: Float, shift: Int
  ) throws -> QuantizedArithmetic {
    let arithmetic = try QuantizedArithmetic(network) { _ in .eight }
    for parameter in arithmetic.steps { parameter.value.apply { _ in step } }
    try arithmetic.restore(
      arithmetic.namedChoices.mapValues { choice in
        var choice = choice
        (choice.shift, choice.floor, choice.ceiling) = (shift, -1000, 2000)
        return choice
      })
    return arithmetic
  }

  @Test func parametersBecomeIntegersInMembraneUnits() throws {
    let network = try tinyNetwork(NeuronConfiguration(threshold: 1.5, leak: 0.75, bias: true))
    network.populations[0].bias?.value = Tensor([2], [0.25, -0.5])
    let model = try lower(
      network, quantise(network, step: 0.25, shift: 1),
      as: ExportDescription(
        name: "a name", producer: "tests", stepMicroseconds: 500, maximumSteps: 9,
        task: Model.Task(classNames: ["no", "yes"])))
    #expect(model.name == "a name" && model.producer == "tests" && model.stepMicroseconds == 500)
    #expect(model.steps == 3 && model.maximumSteps == 9 && model.readout == 1)
    #expect(model.inputs.map(\.kind) == [.events(.once)])
    #expect(model.populations.map(\.name) == ["dense1", "readout"])
    // The membrane's unit is Δ / 2^shift = 1/8; equal values become one.
    #expect(
      model.populations[0].kind
        == .lif(ModelFormat.Population.LIF(threshold: 12, floor: -1000, ceiling: 2000)))
    #expect(model.populations[0].bias == [2, -4])
    #expect(model.populations[0].leak == 24576)
    #expect(model.populations[1].isReadout)
    #expect(model.projections.map(\.shift) == [1, 1])
    #expect(model.projections[0].weights.values == [2, -1, 3, 4])
    #expect(model.projections[1].weights.values == [4, -4, 0, 8])
    #expect(model.projections.map(\.source) == [.input(0), .population(0)])
    #expect(model.task.classNames == ["no", "yes"])
    #expect(model.task.units == [[0.125, 0.125], [0.125]])
  }

  @Test func defaultsAreNotStored() throws {
    let network = try tinyNetwork(NeuronConfiguration(threshold: 1, leak: 1, bias: true))
    let model = try lower(
      network, quantise(network, step: 0.25, shift: 0),
      as: ExportDescription(name: "", maximumSteps: 3))
    #expect(model.populations[0].leak == .none && model.populations[0].bias == .none)
  }

  @Test func valuesBecomeAPortOfBytes() throws {
    let network = try Network(
      name: "tiny", architecture: Architecture("2-2"),
      input: .bytes(Shape(channels: 1, height: 2, width: 3), scale: 1 / 255), classes: 2,
      steps: 3, neurons: NeuronConfiguration(), random: RandomSource(seed: 1))
    let arithmetic = try QuantizedArithmetic(network) { _ in .four }
    let port = try lower(
      network, arithmetic, as: ExportDescription(name: "", maximumSteps: 3)
    ).inputs[0]
    #expect(port.kind == .values(minimum: 0, maximum: 255, framePerStep: false))
    #expect(port.shape == Shape(channels: 1, height: 2, width: 3))
    #expect(port.origin == "uint8")
  }

  @Test func portsOfAllKindsKeepTheirPlaces() throws {
    let shape = Shape(channels: 2)
    let kinds: [Spiking.InputPort.Kind] = [
      .events(.every(maximumPerStep: 7)),
      .values(minimum: -32768, maximum: 32767, scale: 1 / 8192, framePerStep: true), .events(.once),
    ]
    var plan = NetworkPlan(
      ports: kinds.enumerated().map { .init(name: "port \($0)", shape: shape, kind: $1) },
      populations: [.init(name: "only", shape: shape, neurons: nil, readoutLeak: 0.5)])
    plan.projections = kinds.indices.map {
      .init(name: "from \($0)", from: .input($0), to: 0, topology: .oneToOne)
    }
    let network = try Network(name: "ports", plan: plan, steps: 2, random: RandomSource(seed: 1))
    let arithmetic = try QuantizedArithmetic(network) { _ in .eight }
    let model = try lower(network, arithmetic, as: ExportDescription(name: "", maximumSteps: 2))
    try model.validate()
    #expect(
      model.inputs.map(\.kind) == [
        .events(.every(maximumPerStep: 7)),
        .values(minimum: -32768, maximum: 32767, framePerStep: true), .events(.once),
      ])
    #expect(model.inputs.map(\.name) == ["port 0", "port 1", "port 2"])
    #expect(model.inputs.map(\.origin) == ["address events", "int16", "address events"])
    #expect(model.projections.map(\.source) == [.input(0), .input(1), .input(2)])
    #expect(model.populations[0].leak == 16384)
  }

  @Test func graphsKeepDelaysAndEveryRuleOfTheirNeurons() throws {
    let shape = Shape(channels: 2)
    let neurons = NeuronConfiguration(
      dynamics: LIFDynamics(
        reset: .value, compare: .greaterOrEqual, resetValue: -0.5, refractorySteps: 3),
      threshold: 1, leak: 1, initial: 0.25)
    let plan = NetworkPlan(
      ports: [.events(shape)],
      populations: [
        .init(name: "readout", shape: shape, neurons: nil),
        .init(name: "cell", shape: shape, neurons: neurons),
      ],
      projections: [
        .init(name: "out", from: .population(1), to: 0, topology: .oneToOne, delay: 1),
        .init(name: "in", from: .input(0), to: 1, topology: .oneToOne),
        .init(name: "others", from: .population(1), to: 1, topology: .lateral, delay: 1),
      ], readout: 0)
    let network = try Network(name: "graph", plan: plan, steps: 2, random: RandomSource(seed: 1))
    network.populations[1].initial?.value = Tensor([2], filledWith: 0.25)
    let arithmetic = try QuantizedArithmetic(network) { _ in .eight }
    // Of the populations' one unit.
    arithmetic.steps[1].value.apply { _ in 1 / 16 }
    let choice = arithmetic.choices[1]
    let model = try lower(network, arithmetic, as: ExportDescription(name: "", maximumSteps: 2))
    try model.validate()
    let unit = Float(1 << choice.shift) * 16
    #expect(
      model.populations[1].kind
        == .lif(
          ModelFormat.Population.LIF(
            threshold: ModelFormat.Parameter([Int(unit)]), reset: .value(Int(-0.5 * unit)),
            compare: .greaterEqual, refractorySteps: 3, floor: choice.floor,
            ceiling: choice.ceiling)))
    #expect(model.populations[1].initial == ModelFormat.Parameter([Int(0.25 * unit)]))
    #expect(model.readout == 0 && model.projections.map(\.delay) == [1, 0, 1])
    #expect(model.projections.map(\.topology) == [.oneToOne, .oneToOne, .lateral])
    #expect(model.projections.map(\.source) == [.population(1), .input(0), .population(1)])
    #expect(model.projections.map(\.target) == [0, 1, 1])
    #expect(model.projections[2].shift == choice.others?["others"])
  }

  /// Pruning may take the last weight of a projection, whether it or another one decides the unit.
  @Test(arguments: ["in", "residual"]) func aProjectionPrunedWholeKeepsTheOthersGrid(
    name: String
  ) throws {
    let shape = Shape(channels: 3)
    let plan = NetworkPlan(
      ports: [.events(shape)],
      populations: [
        .init(name: "a", shape: shape, neurons: NeuronConfiguration()),
        .init(name: "b", shape: shape, neurons: NeuronConfiguration()),
        .init(name: "readout", shape: shape, neurons: nil),
      ],
      projections: [
        .init(name: "first", from: .input(0), to: 0, topology: .dense),
        .init(name: "in", from: .population(0), to: 1, topology: .dense),
        .init(name: "residual", from: .population(0), to: 1, topology: .oneToOne),
        .init(name: "out", from: .population(1), to: 2, topology: .dense),
      ], readout: 2)
    let network = try Network(name: "pruned", plan: plan, steps: 2, random: RandomSource(seed: 1))
    let pruned = try #require(network.projections.first { $0.name == name })
    pruned.weight.mask = Tensor(pruned.weight.value.shape)
    let arithmetic = try QuantizedArithmetic(network) { _ in .eight }
    let model = try lower(network, arithmetic, as: ExportDescription(name: "", maximumSteps: 2))
    try model.validate()
    for projection in model.projections {
      #expect(projection.weights.values.contains { $0 != 0 } == (projection.name != name))
    }
    // Thresholds of 1 are still 1.
    for index in 0..<2 {
      guard case .lif(let lif) = model.populations[index].kind else { continue }
      for channel in 0..<3 {
        let threshold = Float(lif.threshold.value(of: channel, in: shape, default: 0))
        let unit = model.task.units[index][channel % model.task.units[index].count]
        #expect(abs(threshold * unit - 1) < 0.01, "\(model.populations[index].name)")
      }
    }
  }

  // MARK: Errors

  /// Numbers of an arithmetic, changed: some that promise a grid and leave it.
  private final class Changed: Arithmetic {
    private let original: any Arithmetic
    private let change: (inout Numbers) -> Void

    init(_ original: any Arithmetic, _ change: @escaping (inout Numbers) -> Void) {
      self.original = original
      self.change = change
    }

    func parameters(of population: Int) -> [Spiking.Parameter] {
      original.parameters(of: population)
    }

    func numbers(
      of network: Network, on tape: Tape, variable: (Spiking.Parameter) -> Variable
    ) -> Numbers {
      var numbers = original.numbers(of: network, on: tape, variable: variable)
      change(&numbers)
      return numbers
    }
  }

  private func error(
    _ network: Network, _ arithmetic: any Arithmetic
  ) -> LoweringError? {
    #expect(throws: LoweringError.self) {
      try lower(network, arithmetic, as: ExportDescription(name: "", maximumSteps: 3))
    }
  }

  @Test func realWeightsAreRefused() throws {
    let network = try tinyNetwork()
    let refusal = LoweringError.notQuantised(network: "tiny")
    #expect(error(network, RealArithmetic()) == refusal)
    // Integers by chance are none of a grid.
    let integers = Changed(try quantise(network, step: 0.25, shift: 0)) { $0.isOnGrid = false }
    #expect(error(network, integers) == refusal)
    #expect("\(refusal)".hasPrefix("tiny: expected quantised weights, found real numbers"))
  }

  @Test func numbersOffTheGridAreNamed() throws {
    func error(_ change: @escaping (inout Numbers) -> Void) throws -> LoweringError? {
      let network = try tinyNetwork(NeuronConfiguration(bias: true, initial: 0))
      return self.error(
        network, Changed(try quantise(network, step: 0.25, shift: 0), change))
    }
    func offGrid(_ quantity: String, _ index: Int, _ found: Float) -> LoweringError {
      .offGrid(layer: "dense1", quantity: quantity, index: index, found: found)
    }
    #expect(
      try error { $0.projections[0].weight = Variable(Tensor([2, 2], [1, 2, 0.5, 3])) }
        == offGrid("weight", 2, 0.5))
    #expect(
      try error { $0.projections[0].weight = Variable(Tensor([2, 2], [1, 2, 3, 128])) }
        == offGrid("weight of 8 bits", 3, 128))
    #expect(
      try error { $0.populations[0].threshold = Variable(Tensor([2], [4, .infinity])) }
        == offGrid("threshold", 1, .infinity))
    #expect(
      try error { $0.populations[0].leak = Variable(Tensor([1], [0.3])) }
        == offGrid("leak in Q15", 0, 0.3))
    #expect(
      try error { $0.populations[0].bias = Variable(Tensor([2], [0, -1.25])) }
        == offGrid("bias", 1, -1.25))
    #expect(
      try error { $0.populations[0].initial = Variable(Tensor([2], [0.5, 0])) }
        == offGrid("initial membrane", 0, 0.5))
    #expect(
      "\(offGrid("bias", 1, -1.25))" == "dense1: expected an integer bias, found -1.25 at index 1")
  }
}
