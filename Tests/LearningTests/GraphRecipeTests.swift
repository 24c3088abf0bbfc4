import Spiking
import Testing
import Wiring

@testable import Learning

/// Networks that recipes spell out population by population.
@Suite struct GraphRecipeTests {
  private static let recurrent = """
    name: memory
    data: {set: toy}
    network:
      steps: 6
      initialLeak: 0.9
      graph:
        populations:
          - {name: hidden, channels: 5, refractory_steps: 2, initial: 0.25, bias: true, leak: 0.5}
          - {name: readout, channels: 3, kind: READOUT, leak: 0.75}
        projections:
          - {name: in, input: input, target: hidden, topology: DENSE}
          - {name: back, population: hidden, target: hidden, topology: DENSE, delay: 1}
          - {name: others, population: hidden, target: hidden, topology: LATERAL, delay: 2, taps: 3,
             tap_step: 4}
          - {name: out, population: hidden, target: readout, topology: DENSE}
        readout: readout
    stages:
      - name: float
    """

  private static let planes = """
    name: planes
    data: {set: toy}
    network:
      reset: zero
      graph:
        input: pixels
        populations:
          - {name: a, channels: 4, reset: VALUE, reset_value: -0.5, threshold: 0.7}
          - {name: b, channels: 4, normalization: true, dropout: 0.25}
          - {name: c, channels: 6, height: 2, width: 1}
          - {name: readout, channels: 2, kind: READOUT}
        projections:
          - {name: in, input: pixels, target: a, topology: CONV, kernel_height: 3, kernel_width: 2,
             stride_y: 2, stride_x: 1, padding_top: 1, padding_bottom: 1, dilation_y: 1, dilation_x: 2}
          - {name: same, population: a, target: b, topology: ONE_TO_ONE, weights: neuron}
          - {name: deep, population: a, target: b, topology: CONV, kernel_height: 1,
             kernel_width: 1, groups: 2}
          - {name: wide, population: b, target: c, topology: DENSE, pool: 2}
          - {name: out, population: c, target: readout, topology: DENSE}
        readout: readout
    stages:
      - name: float
    """

  private func network(_ yaml: String, _ input: Shape, classes: Int) throws -> Network {
    try Recipe(yaml: yaml).makeNetwork(input: .bytes(input, scale: 1 / 255), classes: classes)
  }

  @Test func aRecurrentGraphIsRead() throws {
    let network = try Recipe(yaml: Self.recurrent).makeNetwork(
      input: .events(Shape(channels: 4)), classes: 3)
    #expect(network.name == "memory" && network.steps == 6 && network.readout == 1)
    #expect(network.ports.map(\.name) == ["input"] && !network.ports[0].carriesValues)
    #expect(network.populations.map(\.name) == ["hidden", "readout"])
    #expect(network.populations.map(\.shape) == [Shape(channels: 5), Shape(channels: 3)])
    let hidden = network.populations[0]
    #expect(hidden.neuron == .lif(LIFDynamics(refractorySteps: 2)))
    #expect(hidden.leak?.value.elements == .init(repeating: 0.5, count: 5))
    #expect(hidden.initial?.value.elements == .init(repeating: 0.25, count: 5))
    #expect(hidden.bias?.value.count == 5)
    #expect(network.populations[1].leak?.value.elements == [0.75])
    #expect(network.projections.map(\.name) == ["in", "back", "others", "out"])
    #expect(
      network.projections.map(\.source)
        == [.input(0), .population(0), .population(0), .population(0)])
    #expect(network.projections.map(\.target) == [0, 0, 0, 1])
    #expect(network.projections.map(\.topology) == [.dense, .dense, .lateral, .dense])
    #expect(network.projections.map(\.delays) == [[0], [1], [2, 6, 10], [0]])
    #expect(network.projections[2].weight.value.shape == [3, 1, 1])
  }

  @Test func shapesFollowWhatArrives() throws {
    let network = try network(Self.planes, Shape(channels: 2, height: 8, width: 6), classes: 2)
    // Rows (8 + 2 − 2 − 1) / 2 + 1, columns 6 − 2.
    let plane = Shape(channels: 4, height: 4, width: 4)
    #expect(
      network.populations.map(\.shape)
        == [plane, plane, Shape(channels: 6, height: 2, width: 1), Shape(channels: 2)])
    #expect(network.ports.map(\.name) == ["pixels"])
    #expect(
      network.populations[0].neuron == .lif(LIFDynamics(reset: .value, resetValue: -0.5)))
    #expect(network.populations[0].threshold?.value[0] == 0.7)
    #expect(network.populations[1].neuron == .lif(LIFDynamics(reset: .zero)))
    #expect(network.populations[1].normalization != nil && network.populations[1].bias != nil)
    #expect(network.populations[1].dropout == 0.25 && network.populations[3].leak == nil)
    #expect(
      network.projections[0].topology
        == .convolution(
          Convolution(
            y: .init(kernel: 3, stride: 2, padding: 1), x: .init(kernel: 2, dilation: 2))))
    #expect(network.projections[1].weight.value.shape == [1, 64])
    #expect(network.projections[2].weight.value.shape == [4, 1, 1, 2])
    #expect(network.projections[3].pool == 2)
    #expect(network.projections[3].weight.value.shape == [16, 12])
  }

  @Test(arguments: [recurrent, planes]) func graphsAreWrittenBack(_ yaml: String) throws {
    let recipe = try Recipe(yaml: yaml)
    #expect(recipe.network.graph != nil && recipe.network.architecture == nil)
    #expect(try Recipe(yaml: recipe.yaml()) == recipe)
  }

  /// A recurrent graph trains like any other network.
  @Test func aRecurrentGraphLearns() throws {
    let recipe = try Recipe(
      yaml: Self.recurrent, overrides: ["stages.0.epochs=2"])
    var made = recipe
    made.network.graph?.populations[1].channels = 2
    let network = try made.makeNetwork(input: ToyTask.input, classes: 2)
    let before = network.bits
    let loop = TrainingLoop(
      network: network, stage: TrainingStage(made, index: 0), source: ToyTask())
    #expect(try loop.run().isFinished)
    for name in ["in.weight", "back.weight", "others.weight", "out.weight", "hidden.initial"] {
      #expect(network.bits[name] != before[name], "\(name)")
    }
  }

  // MARK: Errors

  private func message(_ overrides: String..., classes: Int = 3) -> String {
    do {
      _ = try Recipe(yaml: Self.recurrent, overrides: overrides).makeNetwork(
        input: .events(Shape(channels: 4)), classes: classes)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  private static let graph = "network.graph"

  @Test(arguments: [
    (
      "projections.1.population=nobody",
      "projections.1.population: expected a population, one of hidden, readout, found 'nobody'"
    ),
    (
      "projections.3.target=nowhere",
      "projections.3.target: expected a population, one of hidden, readout, found 'nowhere'"
    ),
    ("projections.0.input=ear", "projections.0.input: expected a port, one of input, found 'ear'"),
    ("readout=voice", "readout: expected a population, one of hidden, readout, found 'voice'"),
    (
      "projections.1.input=input",
      "projections.1: expected either 'input' or 'population', where 'back' comes from, found both"
    ),
    (
      "projections.0.input=null",
      "projections.0: expected either 'input' or 'population', where 'in' comes from, found neither"
    ),
    ("populations.0.refractory_steps=256", "populations.0.refractory_steps: expected 0…255"),
    ("populations.0.dropout=1", "populations.0.dropout: expected a number 0…<1, found 1.0"),
    (
      "populations.1.threshold=1",
      "populations.1.threshold: expected nothing: 'readout' is a READOUT, found a value"
    ),
    (
      "populations.0.reset=HALF",
      "populations.0.reset: expected one of SUBTRACT, ZERO, VALUE, found 'HALF'"
    ),
    (
      "populations.0.reset_value=1",
      "populations.0.reset_value: expected nothing: the reset of 'hidden' is not VALUE, found a value"
    ),
    (
      "projections.0.kernel_width=3",
      "projections.0.kernel_width: expected nothing: 'in' is not CONV, found a value"
    ),
    (
      "projections.1.groups=2",
      "projections.1.groups: expected nothing: 'back' is not CONV, found a value"
    ),
    (
      "projections.1.weights=neuron",
      "projections.1.weights: expected nothing: 'back' is not ONE_TO_ONE, found a value"
    ),
    (
      "projections.1.tap_step=2",
      "projections.1.tap_step: expected nothing: 'back' has one tap, found a value"
    ),
    (
      "projections.0.topology=SPARSE",
      "projections.0.topology: expected one of DENSE, CONV, ONE_TO_ONE, LATERAL, found 'SPARSE'"
    ),
  ])
  func wrongGraphsNamePlaceExpectedAndFound(_ override: String, _ expected: String) {
    let text = message("\(Self.graph).\(override)")
    #expect(text.hasPrefix("\(Self.graph).\(expected)"), "\(override) gave: \(text)")
    #expect(!text.contains("\n"))
  }

  @Test func unknownKeysNameTheNearest() {
    let population = message("\(Self.graph).populations.0.refractory=2")
    #expect(population.hasPrefix("recipe: unknown key \(Self.graph).populations.0.refractory"))
    #expect(population.contains("known here: name, channels, height"))
    let projection = message("\(Self.graph).projections.0.tapStep=2")
    #expect(projection.contains("\(Self.graph).projections.0.tapStep, did you mean tap_step?"))
    #expect(message("\(Self.graph).out=1").contains("unknown key \(Self.graph).out"))
  }

  @Test func missingKeysAreNamed() {
    #expect(
      message("\(Self.graph).projections.0.topology=CONV")
        == "recipe: \(Self.graph).projections.0.kernel_height is missing; "
        + "expected a kernel side, 1…31")
    #expect(
      message("\(Self.graph).readout=null")
        == "recipe: \(Self.graph).readout is missing; "
        + "expected the name of the population that answers")
  }

  @Test func cyclesWithoutADelayAreNamed() {
    #expect(
      message("\(Self.graph).projections.1.delay=0")
        == "projections: expected a delay of at least 1 somewhere on every cycle, "
        + "found hidden → hidden")
  }

  @Test func aReadoutOfOtherClassesIsNamed() {
    #expect(
      message(classes: 4)
        == "\(Self.graph).readout: expected 4 neurons, one per class, found 3")
  }

  @Test func anArchitectureBesideAGraphIsRefused() {
    #expect(
      message("network.architecture=8-3")
        == "network.graph: expected either an architecture or a graph, found both")
    #expect(message("network.graph=null").contains("network.architecture is missing"))
  }
}
