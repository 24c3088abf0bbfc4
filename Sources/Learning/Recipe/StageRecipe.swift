/// One stage of training: what is minimised, how, and what is added to the network meanwhile.
public struct StageRecipe: Hashable, Sendable, Codable {
  /// Unique within the recipe; it names the stage's best checkpoint. Same letters as the run's name.
  public var name: String
  /// Passes over the training samples, ≥ 1; default 1.
  public var epochs: Int = 1
  /// Samples per update, ≥ 1; default 64.
  public var batch: Int = 64
  /// How parameters follow their gradients.
  public var optimizer = OptimizerRecipe()
  /// The learning rate over the stage.
  public var schedule = ScheduleRecipe()
  /// What is minimised.
  public var loss = LossRecipe()
  /// A price on spiking; omitted: none.
  public var activity: ActivityRecipe?
  /// Random changes of training samples; omitted: none.
  public var augmentation: AugmentationRecipe?
  /// Training on the integer grid; omitted: real numbers.
  public var quantization: QuantizationRecipe?
  /// Weights removed while training; omitted: what earlier stages removed stays removed.
  public var pruning: PruningRecipe?

  /// A stage of the given name, everything else at its default.
  public init(name: String) { self.name = name }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, epochs, batch, optimizer, schedule, loss, activity, augmentation, quantization
    case pruning
  }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    name = try fields.required(.name, expected: "the stage's name")
    epochs = try fields.value(.epochs, default: 1)
    batch = try fields.value(.batch, default: 64)
    optimizer = try fields.value(.optimizer, default: OptimizerRecipe())
    schedule = try fields.value(.schedule, default: ScheduleRecipe())
    loss = try fields.value(.loss, default: LossRecipe())
    activity = try fields.optional(.activity)
    augmentation = try fields.optional(.augmentation)
    quantization = try fields.optional(.quantization)
    pruning = try fields.optional(.pruning)
  }
}

/// How parameters follow their gradients; see ``Optimizer``.
public struct OptimizerRecipe: Hashable, Sendable, Codable {
  /// The methods that ``OptimizerConfiguration`` gives the equations of.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable { case sgd, adam, adamW }

  /// `sgd`, `adam` (default) or `adamW`. Adam keeps two more copies of the weights, SGD one.
  public var kind: Kind = .adam
  /// The schedule's highest learning rate, > 0; default 0.001.
  public var learningRate: Double = 0.001
  /// μ of SGD, β₁ of Adam, 0…<1; default 0.9.
  public var momentum: Double = 0.9
  /// β₂ of Adam, 0…<1; default 0.999.
  public var secondMomentum: Double = 0.999
  /// ε of Adam, > 0; default 1e-8.
  public var epsilon: Double = 1e-8
  /// SGD only: Nesterov's momentum; default false.
  public var nesterov: Bool = false
  /// Decay of weights, ≥ 0; default 0. Thresholds, leaks, biases and steps never decay.
  public var weightDecay: Double = 0
  /// The learning rate of thresholds, leaks and quantiser steps as a multiple, ≥ 0; default 1. 0 keeps
  /// them as they are.
  public var thresholdRate: Double = 1
  /// The multiple of leaks, ≥ 0; default 1.
  public var leakRate: Double = 1
  /// The multiple of quantiser steps, ≥ 0; default 1.
  public var stepRate: Double = 1
  /// The largest norm of all gradients together, > 0; omitted: no limit.
  public var clipNorm: Double?

  /// The defaults stated at the fields.
  public init() {}

  enum CodingKeys: String, CodingKey, CaseIterable {
    case kind, learningRate, momentum, secondMomentum, epsilon, nesterov, weightDecay
    case thresholdRate, leakRate, stepRate, clipNorm
  }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    kind = try fields.choice(.kind, among: Kind.allCases, default: .adam)
    learningRate = try fields.value(.learningRate, default: 0.001)
    momentum = try fields.value(.momentum, default: 0.9)
    secondMomentum = try fields.value(.secondMomentum, default: 0.999)
    epsilon = try fields.value(.epsilon, default: 1e-8)
    nesterov = try fields.value(.nesterov, default: false)
    weightDecay = try fields.value(.weightDecay, default: 0)
    thresholdRate = try fields.value(.thresholdRate, default: 1)
    leakRate = try fields.value(.leakRate, default: 1)
    stepRate = try fields.value(.stepRate, default: 1)
    clipNorm = try fields.optional(.clipNorm)
  }

  /// The optimizer's constants.
  public var configuration: OptimizerConfiguration {
    var configuration = OptimizerConfiguration(
      kind == .sgd
        ? .sgd(momentum: Float(momentum), nesterov: nesterov)
        : .adam(
          beta1: momentum, beta2: secondMomentum, epsilon: Float(epsilon),
          decoupledDecay: kind == .adamW))
    configuration.weightDecay = Float(weightDecay)
    configuration.thresholdRate = Float(thresholdRate)
    configuration.leakRate = Float(leakRate)
    configuration.stepRate = Float(stepRate)
    configuration.clipNorm = clipNorm.map { Float($0) }
    return configuration
  }
}

/// The learning rate over a stage; see ``Schedule``.
public struct ScheduleRecipe: Hashable, Sendable, Codable {
  /// How the rate runs after the warm-up.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable { case constant, cosine }

  /// `constant` or `cosine` (default).
  public var kind: Kind = .cosine
  /// Epochs of linear warm-up, 0…epochs, fractions allowed; default 0.
  public var warmupEpochs: Double = 0
  /// Cosine only: the last step's learning rate as a fraction of the highest, 0…1; default 0.01.
  public var finalFraction: Double = 0.01

  /// The defaults stated at the fields.
  public init() {}

  enum CodingKeys: String, CodingKey, CaseIterable { case kind, warmupEpochs, finalFraction }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    kind = try fields.choice(.kind, among: Kind.allCases, default: .cosine)
    warmupEpochs = try fields.value(.warmupEpochs, default: 0)
    finalFraction = try fields.value(.finalFraction, default: 0.01)
  }
}

/// What a stage minimises; see ``Loss``.
public struct LossRecipe: Hashable, Sendable, Codable {
  /// What stands for the read-out's membranes over all steps: `last` (default, what a device answers
  /// by), `sum`, `mean` or `maximum`.
  public var reduction: Loss.Reduction = .last
  /// The share of the loss that is taken step by step, 0…1; default 0.
  public var stepWeight: Double = 0

  /// The defaults stated at the fields.
  public init() {}

  enum CodingKeys: String, CodingKey, CaseIterable { case reduction, stepWeight }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    reduction = try fields.choice(.reduction, among: Loss.Reduction.allCases, default: .last)
    stepWeight = try fields.value(.stepWeight, default: 0)
  }
}

/// A price on spiking above a target rate; see ``Spiking/ActivityPenalty``.
public struct ActivityRecipe: Hashable, Sendable, Codable {
  /// Spikes per neuron and step that cost nothing, 0…1. Default: only the layers in `layers` pay.
  public var target: Double?
  /// The price of the squared excess, ≥ 0; default 1.
  public var strength: Double = 1
  /// Other targets for single layers, by name.
  public var layers: [String: Double] = [:]

  /// The defaults stated at the fields.
  public init() {}

  enum CodingKeys: String, CodingKey, CaseIterable { case target, strength, layers }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    target = try fields.optional(.target)
    strength = try fields.value(.strength, default: 1)
    layers = try fields.value(.layers, default: [:])
  }
}

/// Random changes of training samples. Each depends on seed, epoch and sample alone.
public struct AugmentationRecipe: Hashable, Sendable, Codable {
  /// The largest shift in pixels, ≥ 0; default 0.
  public var shift: Int = 0
  /// The probability of mirroring left and right, 0…1; default 0.
  public var flip: Double = 0
  /// The side of a square set to 0, in pixels, ≥ 0; default 0: none.
  public var cutout: Int = 0
  /// Events: the largest shift in time steps, ≥ 0; default 0.
  public var timeJitter: Int = 0
  /// Events: the fraction dropped, 0…<1; default 0.
  public var dropEvents: Double = 0

  /// The defaults stated at the fields.
  public init() {}

  enum CodingKeys: String, CodingKey, CaseIterable {
    case shift, flip, cutout, timeJitter, dropEvents
  }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    shift = try fields.value(.shift, default: 0)
    flip = try fields.value(.flip, default: 0)
    cutout = try fields.value(.cutout, default: 0)
    timeJitter = try fields.value(.timeJitter, default: 0)
    dropEvents = try fields.value(.dropEvents, default: 0)
  }
}

/// The integer grid of a stage. Plain values: the module that quantises reads them.
public struct QuantizationRecipe: Hashable, Sendable, Codable {
  /// Bits per weight, 2…8, where 2 means the three values −1, 0, 1. No default.
  public var bits: Int
  /// Other widths for single layers, by name.
  public var layers: [String: Int] = [:]

  /// All projections at one width.
  public init(bits: Int) { self.bits = bits }

  enum CodingKeys: String, CodingKey, CaseIterable { case bits, layers }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    bits = try fields.required(.bits, expected: "bits per weight, 2…8")
    layers = try fields.value(.layers, default: [:])
  }
}

/// The weights a stage removes. Plain values: the module that prunes reads them.
public struct PruningRecipe: Hashable, Sendable, Codable {
  /// Where weights compete.
  public enum Scope: String, Hashable, Sendable, Codable, CaseIterable { case global, layer }
  /// What is removed together.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Single weights of small magnitude.
    case magnitude
    /// Whole output channels of small norm.
    case channels
    /// Whole taps of small norm.
    case taps
  }

  /// The fraction of weights that is 0 in the end, 0…<1. No default.
  public var sparsity: Double
  /// Whether weights compete in the whole network (`global`, default) or within their `layer`.
  public var scope: Scope = .global
  /// Where in the stage pruning begins and reaches its goal, fractions of the stage's steps,
  /// 0 ≤ begin ≤ end ≤ 1; default 0 and 0.5.
  public var begin: Double = 0
  /// Where pruning reaches its goal, a fraction of the stage's steps.
  public var end: Double = 0.5
  /// Single weights by `magnitude` (default), whole `channels`, or whole `taps` of projections that
  /// have several, which decides on the delays that are kept. Channels and taps compete by their
  /// norms within their layer, and one of each layer stays.
  public var kind: Kind = .magnitude
  /// Other goals for single layers, by name.
  public var layers: [String: Double] = [:]

  /// Single weights of the whole network, in the first half of the stage.
  public init(sparsity: Double) { self.sparsity = sparsity }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case sparsity, scope, begin, end, kind, layers
  }

  /// Reads the section; an unknown key or a value of another kind throws ``LearningError``.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    sparsity = try fields.required(.sparsity, expected: "a fraction, 0…<1")
    scope = try fields.choice(.scope, among: Scope.allCases, default: .global)
    begin = try fields.value(.begin, default: 0)
    end = try fields.value(.end, default: 0.5)
    kind = try fields.choice(.kind, among: Kind.allCases, default: .magnitude)
    layers = try fields.value(.layers, default: [:])
  }
}
