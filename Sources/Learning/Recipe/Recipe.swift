import Spiking
import Tensors

/// Everything that decides a training run: the same recipe and the same data give the same network,
/// byte for byte.
///
/// Recipes are YAML files. Unknown keys are errors; what is left out has the default stated at the
/// field. A run stores its resolved recipe beside its results.
public struct Recipe: Hashable, Sendable, Codable {
  /// The run's and its model's name: letters, digits, `-`, `_` and `.`, at most 64, not starting with a
  /// dot. No default.
  public var name: String
  /// Where all randomness starts: initial weights, order of samples, augmentation. Default 1.
  public var seed: UInt64 = 1
  /// What is learned.
  public var data: DataRecipe
  /// What learns it.
  public var network: NetworkRecipe
  /// Thresholds set from data before training; omitted: they start at `network.initialThreshold`.
  public var calibration: CalibrationRecipe?
  /// Samples per shard of a batch, 1…1024; default: what suits the network and the batch
  /// (``Spiking/Network/shardSize(batchSize:)``). Results depend on it in the last bits, and
  /// an activity price is taken shard by shard. Smaller
  /// shards keep membranes in cache and spread better; each costs one addition of all gradients.
  public var shardSize: Int?
  /// When inferences of the exported model end early; omitted: never.
  public var exit: ExitRecipe?
  /// The stages in order, each continuing from the best epoch of the one before. At least one.
  public var stages: [StageRecipe]

  /// A recipe of the given parts, everything else at its default.
  public init(name: String, data: DataRecipe, network: NetworkRecipe, stages: [StageRecipe]) {
    self.name = name
    self.data = data
    self.network = network
    self.stages = stages
  }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, seed, data, network, calibration, shardSize, exit, stages
  }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    name = try fields.required(.name, expected: "the run's name")
    seed = try fields.value(.seed, default: 1)
    data = try fields.required(.data, expected: "a section with the data set")
    network = try fields.required(.network, expected: "a section with the architecture")
    calibration = try fields.optional(.calibration)
    shardSize = try fields.optional(.shardSize)
    exit = try fields.optional(.exit)
    stages = try fields.required(.stages, expected: "a list of at least one stage")
  }
}

/// How the exported model's exit margin is chosen on validation samples.
public struct ExitRecipe: Hashable, Sendable, Codable {
  /// The accuracy that may be lost, a fraction 0…1: of all margins the smallest is taken that loses no
  /// more against the answer after the last step. No default. More of it ends inferences earlier.
  public var accuracyLoss: Double

  enum CodingKeys: String, CodingKey, CaseIterable { case accuracyLoss }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    accuracyLoss = try fields.required(.accuracyLoss, expected: "a fraction 0…1")
  }
}

/// The data set of a recipe and how much of it is used.
public struct DataRecipe: Hashable, Sendable, Codable {
  /// A known data set's name, or a path. No default.
  public var set: String
  /// Event sets: time steps per sample, 1…4096. Default: the set's own. Time and memory grow with it.
  public var steps: Int?
  /// Event sets: milliseconds per time step, > 0, at most 10000. Default: the set's own.
  public var stepMilliseconds: Double?
  /// Only the first N training samples, ≥ 1. Default: all.
  public var trainingLimit: Int?
  /// Only the first N validation samples, ≥ 1. Default: all.
  public var validationLimit: Int?

  /// A data set as it is.
  public init(set: String) { self.set = set }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case set, steps, stepMilliseconds, trainingLimit, validationLimit
  }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    set = try fields.required(.set, expected: "the name or path of a data set")
    steps = try fields.optional(.steps)
    stepMilliseconds = try fields.optional(.stepMilliseconds)
    trainingLimit = try fields.optional(.trainingLimit)
    validationLimit = try fields.optional(.validationLimit)
  }
}

/// The network of a recipe.
public struct NetworkRecipe: Hashable, Sendable, Codable {
  /// A chain of layers in the shorthand of ``Spiking/Architecture``, such as `32C3-P2-128-10`. Either
  /// this or ``graph``.
  public var architecture: String?
  /// Any network, population by population; see ``GraphRecipe``.
  public var graph: GraphRecipe?
  /// T, the steps of one inference, 1…4096; default 4. Event sets take `data.steps` instead. Time,
  /// memory and, on a device, energy grow with it.
  public var steps: Int = 4
  /// How finely θ is shared: `layer`, `channel` (default) or `neuron`. On a device each value is one
  /// 16-bit word.
  public var threshold: Granularity = .channel
  /// How finely λ is shared: `layer`, `channel` (default) or `neuron`.
  public var leak: Granularity = .channel
  /// θ before calibration and training, ≥ 0.01; default 1.
  public var initialThreshold: Double = 1
  /// λ before training, 0…1 per step; default 1, no leak.
  public var initialLeak: Double = 1
  /// Whether neurons have a learned bias per channel; default false. A bias makes every neuron busy in
  /// every step of an event-driven device.
  public var bias: Bool = false
  /// After a spike: `subtract` θ (default) or `zero`.
  public var reset: Reset = .subtract
  /// A spike is where V is `greater` than θ (default) or `greaterOrEqual`.
  public var compare: Compare = .greater
  /// The slope in place of a spike's derivative; default `{kind: triangular, scale: 0.3}`.
  public var surrogate: Surrogate = .triangular(scale: 0.3)

  /// A chain, everything else at its default.
  public init(architecture: String) { self.architecture = architecture }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case architecture, graph, steps, threshold, leak, initialThreshold, initialLeak, bias, reset,
      compare
    case surrogate
  }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    architecture = try fields.optional(.architecture)
    graph = try fields.optional(.graph)
    steps = try fields.value(.steps, default: 4)
    threshold = try fields.choice(.threshold, among: Granularity.allCases, default: .channel)
    leak = try fields.choice(.leak, among: Granularity.allCases, default: .channel)
    initialThreshold = try fields.value(.initialThreshold, default: 1)
    initialLeak = try fields.value(.initialLeak, default: 1)
    bias = try fields.value(.bias, default: false)
    reset = try fields.choice(.reset, among: [.subtract, .zero], default: .subtract)
    compare = try fields.choice(.compare, among: [.greater, .greaterOrEqual], default: .greater)
    surrogate =
      try (fields.optional(.surrogate) as SurrogateRecipe?)?.surrogate ?? .triangular(scale: 0.3)
  }

  /// Writes the section with every default filled in.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(architecture, forKey: .architecture)
    try container.encodeIfPresent(graph, forKey: .graph)
    try container.encode(steps, forKey: .steps)
    try container.encode(threshold, forKey: .threshold)
    try container.encode(leak, forKey: .leak)
    try container.encode(initialThreshold, forKey: .initialThreshold)
    try container.encode(initialLeak, forKey: .initialLeak)
    try container.encode(bias, forKey: .bias)
    try container.encode(reset, forKey: .reset)
    try container.encode(compare, forKey: .compare)
    try container.encode(SurrogateRecipe(surrogate: surrogate), forKey: .surrogate)
  }

  /// The neurons before training.
  public var neurons: NeuronConfiguration {
    NeuronConfiguration(
      dynamics: LIFDynamics(reset: reset, compare: compare, surrogate: surrogate),
      thresholdGranularity: threshold, leakGranularity: leak, threshold: Float(initialThreshold),
      leak: Float(initialLeak), bias: bias)
  }
}

/// Thresholds set from data before training; see ``ThresholdCalibration``.
public struct CalibrationRecipe: Hashable, Sendable, Codable {
  /// The percentile of a layer's input current, 50…100; default 99.7.
  public var percentile: Double = 99.7
  /// θ as a fraction of that current, > 0; default 0.3. Less makes more spikes.
  public var scale: Double = 0.3
  /// Training samples looked at, ≥ 1; default 256. Memory grows with it.
  public var samples: Int = 256

  /// The defaults stated at the fields.
  public init() {}

  enum CodingKeys: String, CodingKey, CaseIterable { case percentile, scale, samples }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    percentile = try fields.value(.percentile, default: 99.7)
    scale = try fields.value(.scale, default: 0.3)
    samples = try fields.value(.samples, default: 256)
  }
}

extension Recipe {
  /// The untrained network for an input and a number of classes; the data set decides both. `steps`
  /// replaces `network.steps` for event sets.
  public func makeNetwork(input: InputPort, classes: Int, steps: Int? = nil) throws -> Network {
    let random = RandomSource(seed: seed).split(0)
    let steps = steps ?? network.steps
    guard let graph = network.graph else {
      return try Network(
        name: name, architecture: Architecture(network.architecture ?? ""), input: input,
        classes: classes, steps: steps, neurons: network.neurons, random: random)
    }
    let made = try Network(
      name: name, plan: graph.plan(input: input, defaults: network.neurons), steps: steps,
      random: random)
    guard made.classCount == classes else {
      throw LearningError.value(
        place: "\(GraphRecipe.place).readout", expected: "\(classes) neurons, one per class",
        found: "\(made.classCount)")
    }
    return made
  }
}

extension NetworkRecipe {
  /// The network in one line: its shorthand, or how large its graph is.
  public var summary: String {
    architecture
      ?? "graph of \(graph?.populations.count ?? 0) populations and "
      + "\(graph?.projections.count ?? 0) projections"
  }
}
