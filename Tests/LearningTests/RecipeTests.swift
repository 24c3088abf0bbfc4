import Learning
import Spiking
import Testing
import Wiring

@Suite struct RecipeTests {
  static let least = """
    name: small
    data: {set: digits}
    network: {architecture: 8C3-P2-10}
    stages:
      - name: float
    """

  static let full = """
    name: fashion-diet
    seed: 18446744073709551615
    data: {set: gestures, steps: 20, stepMilliseconds: 12.5, trainingLimit: 100, validationLimit: 50}
    network:
      architecture: 32C3-P2-64C3-P2-128-10
      steps: 5
      threshold: layer
      leak: neuron
      initialThreshold: 0.7
      initialLeak: 0.95
      bias: true
      reset: zero
      compare: greaterOrEqual
      surrogate: {kind: rectangular, scale: 0.9, halfWidth: 0.4}
    calibration: {percentile: 99, scale: 0.2, samples: 64}
    shardSize: 8
    stages:
      - name: float
        epochs: 30
        batch: 32
        optimizer: {kind: adamW, learningRate: 0.002, momentum: 0.8, secondMomentum: 0.99,
          epsilon: 1.0e-6, weightDecay: 0.01, thresholdRate: 2, leakRate: 0.5, stepRate: 0.1,
          clipNorm: 1.5}
        schedule: {kind: constant, warmupEpochs: 0.5, finalFraction: 0.1}
        loss: {stepWeight: 0.5}
        activity: {target: 0.08, strength: 2, layers: {conv1: 0.05}}
        augmentation: {shift: 2, flip: 0.5, cutout: 4, timeJitter: 1, dropEvents: 0.1}
      - name: int4
        optimizer: {kind: sgd, nesterov: true}
        quantization: {bits: 4, layers: {conv1: 8}}
        pruning: {sparsity: 0.8, scope: layer, begin: 0.1, end: 0.4, kind: channels,
          layers: {conv1: 0}}
    """

  private func message(_ yaml: String, _ overrides: [String] = []) -> String {
    do {
      _ = try Recipe(yaml: yaml, overrides: overrides)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test func whatIsLeftOutHasItsDefault() throws {
    let recipe = try Recipe(yaml: Self.least)
    var expected = Recipe(
      name: "small", data: DataRecipe(set: "digits"),
      network: NetworkRecipe(architecture: "8C3-P2-10"), stages: [StageRecipe(name: "float")])
    expected.seed = 1
    #expect(recipe == expected)
    #expect(recipe.calibration == nil && recipe.stages[0].activity == nil)
    #expect(recipe.network.surrogate == .triangular(scale: 0.3))
  }

  @Test func everyFieldIsReadAndWrittenBack() throws {
    let recipe = try Recipe(yaml: Self.full)
    #expect(recipe.seed == .max)
    #expect(recipe.network.surrogate == .rectangular(scale: 0.9, halfWidth: 0.4))
    #expect(recipe.stages[0].optimizer.clipNorm == 1.5)
    #expect(recipe.stages[1].pruning?.layers == ["conv1": 0])
    #expect(try Recipe(yaml: recipe.yaml()) == recipe)
    let small = try Recipe(yaml: Self.least)
    #expect(try Recipe(yaml: small.yaml()) == small)
  }

  @Test(arguments: [
    "{kind: triangular}", "{kind: arctan, sharpness: 3}", "{kind: fastSigmoid}", "{}",
    "{kind: spikeTime, scale: 0.1, decay: 0.02}",
  ])
  func surrogatesAreReadByKind(_ text: String) throws {
    let recipe = try Recipe(yaml: Self.least, overrides: ["network.surrogate=\(text)"])
    #expect(try Recipe(yaml: recipe.yaml()) == recipe)
  }

  /// Also those with more digits than are written.
  @Test(arguments: ["0.1", "0.33333333333333331", "1e-12", "12345.678901234567", "3"])
  func numbersSurviveWriting(_ rate: String) throws {
    let recipe = try Recipe(
      yaml: Self.least, overrides: ["stages.0.optimizer.learningRate=\(rate)"])
    #expect(try Recipe(yaml: recipe.yaml()) == recipe)
    let found = recipe.stages[0].optimizer.learningRate
    #expect(abs(found / (try #require(Double(rate))) - 1) < 1e-14)
  }

  @Test func unknownKeysNameTheirPathAndTheNearestKey() {
    let text = message(Self.full.replacing("learningRate: 0.002", with: "learningrate: 0.002"))
    #expect(text.contains("stages.0.optimizer.learningrate"))
    #expect(text.contains("did you mean learningRate?"))
    #expect(text.contains("thresholdRate"))
    #expect(message(Self.least + "\nfoo: 1").contains("unknown key foo"))
    let other = message(Self.least, ["network.surrogate={kind: arctan, scale: 1}"])
    #expect(other.contains("network.surrogate.scale") && other.contains("sharpness"))
  }

  @Test(arguments: [
    ("stages.0.epochs=2.5", "stages.0.epochs: expected a whole number, found '2.5'"),
    ("stages.0.epochs=0", "stages.0.epochs: expected 1…1000000, found 0"),
    ("stages.0.batch=many", "stages.0.batch: expected a whole number, found 'many'"),
    ("network.reset=half", "network.reset: expected one of subtract, zero, found 'half'"),
    ("network.bias=maybe", "network.bias: expected true or false, found 'maybe'"),
    ("network.initialLeak=1.5", "network.initialLeak: expected 0.0…1.0, found 1.5"),
    ("network.initialLeak=.nan", "network.initialLeak: expected 0.0…1.0, found nan"),
    ("network.architecture=8D3-10", "network.architecture: expected layers"),
    ("network=3", "network: expected a section with keys"),
    ("seed=-1", "seed: expected a whole number ≥ 0, found '-1'"),
    ("name=../x", "name: expected letters"),
    ("stages=[]", "stages: expected at least one stage"),
    ("stages.1.name=float", "stages.1.name: expected a name no other stage has"),
    ("stages.0.quantization={layers: {conv1: 8}}", "stages.0.quantization.bits is missing"),
    ("stages.0.quantization={bits: 4, layers: {conv1: x}}", "stages.0.quantization.layers"),
    ("stages.0.pruning={sparsity: 1}", "stages.0.pruning.sparsity: expected a number 0…<1"),
    ("stages.0.pruning={sparsity: 0.5, begin: 0.6}", "stages.0.pruning.end"),
    ("stages.0.activity={strength: 1}", "stages.0.activity: expected a target"),
    ("stages.0.optimizer.nesterov=true", "stages.0.optimizer.nesterov"),
    ("stages.0.schedule.warmupEpochs=2", "stages.0.schedule.warmupEpochs: expected 0.0…1.0"),
  ])
  func wrongValuesNamePlaceExpectedAndFound(_ override: String, _ expected: String) {
    let text = message(Self.least, [override])
    #expect(text.contains(expected), "\(override) gave: \(text)")
  }

  @Test func overridesReachSectionsAndLists() throws {
    let recipe = try Recipe(
      yaml: Self.least,
      overrides: [
        "stages.0.epochs=2", "stages.0.optimizer.learningRate=1e-4", "seed=7",
        "calibration.scale=0.25", "stages.1={name: int4, quantization: {bits: 4}}",
        "stages.1.quantization.layers.conv1=8", "data.steps=null", "name=other",
      ])
    #expect(recipe.stages.map(\.epochs) == [2, 1])
    #expect(recipe.stages[0].optimizer.learningRate == 1e-4)
    #expect(recipe.calibration?.scale == 0.25 && recipe.seed == 7 && recipe.name == "other")
    #expect(recipe.stages[1].quantization?.layers == ["conv1": 8])
  }

  @Test(arguments: [
    ("seed", "expected key.path=value"), ("=1", "expected key.path=value"),
    ("a..b=1", "an empty key"), ("name.x=1", "a section or list that holds 'x'"),
    ("stages.5.epochs=1", "an index 0…1"), ("stages.last.epochs=1", "an index 0…1"),
    ("seed=[1", "expected YAML"), ("nothing.here=1", "unknown key nothing"),
  ])
  func wrongOverridesSayWhy(_ override: String, _ expected: String) {
    let text = message(Self.least, [override])
    #expect(text.contains(expected), "\(override) gave: \(text)")
  }

  @Test func whatIsNoRecipeIsRefused() {
    #expect(message("").contains("name is missing"))
    #expect(message("- 1\n- 2").contains("expected a section"))
    #expect(message("name: [").contains("expected YAML"))
    #expect(message(Self.least + "\nname: twice") != "no error")
  }

  @Test func recipeMakesItsNetwork() throws {
    let recipe = try Recipe(yaml: Self.least, overrides: ["network.initialThreshold=0.5"])
    let input = InputPort.bytes(Shape(channels: 1, height: 6, width: 6), scale: 1 / 255)
    let network = try recipe.makeNetwork(input: input, classes: 10)
    #expect(
      network.steps == 4
        && network.populations[0].threshold?.value.elements == .init(repeating: 0.5, count: 8))
    #expect(try recipe.makeNetwork(input: input, classes: 10, steps: 9).steps == 9)
  }
}
