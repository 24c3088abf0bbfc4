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

    mutating func note(_ network: Network, _ model: Model, _ answer: Inference) {
      for counters in answer.counters.populations {
        spikes += counters.spikesOut
        saturations += counters.saturations
      }
      kinds.insert(network.input.scale == nil ? "events" : "values")
      for (layer, population) in zip(network.layers, model.populations) {
        if let quantizer = layer.hook as? Quantizer {
          kinds.insert("\(quantizer.bits.rawValue) bits")
        }
        if layer.pool > 1 { kinds.insert("pool") }
        if layer.bias != nil { kinds.insert("bias") }
        if case .lif(let lif) = population.kind {
          kinds.insert("\(lif.reset)")
          kinds.insert("\(lif.compare)")
          let count = lif.threshold.values.count
          kinds.insert(
            count == 1 ? "layer" : count == population.shape.channels ? "channel" : "neuron")
        }
      }
      for projection in model.projections {
        switch projection.topology {
        case .convolution(let convolution):
          kinds.insert("convolution")
          if convolution.y.stride > 1 { kinds.insert("stride") }
          if convolution.y.padding > 0 { kinds.insert("padding") }
        default: kinds.insert("dense")
        }
      }
    }
  }

  @Test func everyEngineComputesTheIntegersOfTheNetwork() throws {
    var seen = Seen()
    for seed in 0..<240 as Range<UInt64> {
      let network = try RandomNetworks.network(seed: seed)
      let model = try lower(
        network, as: ExportDescription(name: network.name, maximumSteps: 6))
      try model.validate()
      let engines = [TrainingEngine(network), try TrainingEngine(model)]
      var simulator = try ReferenceSimulator(model)
      for input in RandomNetworks.inputs(for: network, seed: seed) {
        var expected: [StepRecord] = []
        var answer = try simulator.run(input) { expected.append($0) }
        seen.note(network, model, answer)
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
      "padding", "dense",
    ]
    #expect(expected.subtracting(seen.kinds) == [])
    #expect(seen.spikes > 2000 && seen.saturations > 200)
  }

  // MARK: By hand

  /// Two inputs onto two neurons onto a read-out, weights and thresholds in real numbers.
  private func tinyNetwork(_ neurons: NeuronConfiguration = NeuronConfiguration()) throws -> Network
  {
    let network = try Network(
      name: "tiny", architecture: Architecture("2-2"), input: .events(Shape(channels: 2)),
      classes: 2, steps: 3, neurons: neurons, random: RandomSource(seed: 1))
    network.layers[0].weight.value = Tensor([2, 2], [0.5, -0.25, 0.75, 1])
    network.layers[1].weight.value = Tensor([2, 2], [1, -1, 0, 2])
    return network
  }

  private func quantise(_ network: Network, step: Float, shift: Int) throws {
    network.quantize { _ in .eight }
    for case let quantizer as Quantizer in network.layers.map(\.hook) {
      quantizer.step.value.apply { _ in step }
    }
    try network.restoreGrid(
      network.gridChoices.mapValues { choice in
        var choice = choice
        (choice.shift, choice.floor, choice.ceiling) = (shift, -1000, 2000)
        return choice
      })
  }

  @Test func parametersBecomeIntegersInMembraneUnits() throws {
    let network = try tinyNetwork(NeuronConfiguration(threshold: 1.5, leak: 0.75, bias: true))
    network.layers[0].bias?.value = Tensor([2], [0.25, -0.5])
    try quantise(network, step: 0.25, shift: 1)
    let model = try lower(
      network,
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
        == .lif(Population.LIF(threshold: 12, floor: -1000, ceiling: 2000)))
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
    try quantise(network, step: 0.25, shift: 0)
    let model = try lower(network, as: ExportDescription(name: "", maximumSteps: 3))
    #expect(model.populations[0].leak == .none && model.populations[0].bias == .none)
  }

  @Test func valuesBecomeAPortOfBytes() throws {
    let network = try Network(
      name: "tiny", architecture: Architecture("2-2"),
      input: .values(Shape(channels: 1, height: 2, width: 3), scale: 1 / 255), classes: 2,
      steps: 3, neurons: NeuronConfiguration(), random: RandomSource(seed: 1))
    network.quantize { _ in .four }
    let port = try lower(network, as: ExportDescription(name: "", maximumSteps: 3)).inputs[0]
    #expect(port.kind == .values(minimum: 0, maximum: 255, framePerStep: false))
    #expect(port.shape == Shape(channels: 1, height: 2, width: 3))
  }

  // MARK: Errors

  @Test func realWeightsAreRefused() throws {
    let network = try tinyNetwork()
    #expect(throws: LoweringError.notQuantised(layer: "dense1")) {
      try lower(network, as: ExportDescription(name: "", maximumSteps: 3))
    }
    try quantise(network, step: 0.25, shift: 0)
    network.layers[1].hook = nil
    #expect(throws: LoweringError.notQuantised(layer: "readout")) {
      try lower(network, as: ExportDescription(name: "", maximumSteps: 3))
    }
  }

  /// A hook that promises a grid and leaves it.
  private final class OffGrid: LayerHook {
    private let quantizer: Quantizer
    private let change: (inout LayerArithmetic) -> Void

    init(_ quantizer: Quantizer, _ change: @escaping (inout LayerArithmetic) -> Void) {
      self.quantizer = quantizer
      self.change = change
    }

    var parameters: [Spiking.Parameter] { quantizer.parameters }

    func arithmetic(
      of layer: Layer, on tape: Tape, parameter: (Spiking.Parameter) -> Variable
    ) -> LayerArithmetic {
      var numbers = quantizer.arithmetic(of: layer, on: tape, parameter: parameter)
      change(&numbers)
      return numbers
    }
  }

  @Test func numbersOffTheGridAreNamed() throws {
    func error(_ change: @escaping (inout LayerArithmetic) -> Void) throws -> LoweringError? {
      let network = try tinyNetwork(NeuronConfiguration(bias: true))
      try quantise(network, step: 0.25, shift: 0)
      let quantizer = try #require(network.layers[0].hook as? Quantizer)
      network.layers[0].hook = OffGrid(quantizer, change)
      return #expect(throws: LoweringError.self) {
        try lower(network, as: ExportDescription(name: "", maximumSteps: 3))
      }
    }
    func offGrid(_ quantity: String, _ index: Int, _ found: Float) -> LoweringError {
      .offGrid(layer: "dense1", quantity: quantity, index: index, found: found)
    }
    #expect(
      try error { $0.weight = Variable(Tensor([2, 2], [1, 2, 0.5, 3])) }
        == offGrid("weight", 2, 0.5))
    #expect(
      try error { $0.threshold = Variable(Tensor([2], [4, .infinity])) }
        == offGrid("threshold", 1, .infinity))
    #expect(
      try error { $0.leak = Variable(Tensor([1], [0.3])) } == offGrid("leak in Q15", 0, 0.3))
    #expect(try error { $0.bias = Variable(Tensor([2], [0, -1.25])) } == offGrid("bias", 1, -1.25))
    #expect(
      "\(offGrid("bias", 1, -1.25))" == "dense1: expected an integer bias, found -1.25 at index 1")
  }
}
