import Spiking
import Wiring

/// A network's populations and projections in the words of models/FORMAT.md, where the shorthand of
/// ``Spiking/Architecture`` does not reach: recurrence, residual sums, delays, groups.
///
/// ```yaml
/// graph:
///   populations:
///     - {name: hidden, channels: 64}
///     - {name: readout, channels: 10, kind: READOUT}
///   projections:
///     - {name: in, input: input, target: hidden, topology: DENSE}
///     - {name: back, population: hidden, target: hidden, topology: DENSE, delay: 1}
///     - {name: out, population: hidden, target: readout, topology: DENSE}
///   readout: readout
/// ```
public struct GraphRecipe: Hashable, Sendable, Codable {
  /// The name of the port that the data set feeds; default `input`.
  public var input: String = "input"
  /// All populations, at least one and the read-out.
  public var populations: [PopulationRecipe]
  /// All projections.
  public var projections: [ProjectionRecipe]
  /// The name of the population that answers. No default.
  public var readout: String

  enum CodingKeys: String, CodingKey, CaseIterable { case input, populations, projections, readout }

  /// Reads a graph; unknown keys are errors.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    input = try fields.value(.input, default: "input")
    populations = try fields.required(.populations, expected: "a list of populations")
    projections = try fields.required(.projections, expected: "a list of projections")
    readout = try fields.required(.readout, expected: "the name of the population that answers")
  }
}

/// A population of a graph. What is left out is as `network` says for all.
public struct PopulationRecipe: Hashable, Sendable, Codable {
  /// What the neurons are.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Leaky integrate-and-fire.
    case lif = "LIF"
    /// A membrane that neither clamps nor spikes.
    case readout = "READOUT"
  }

  /// What a spike does to the membrane.
  public enum ResetKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// θ is subtracted.
    case subtract = "SUBTRACT"
    /// The membrane becomes 0.
    case zero = "ZERO"
    /// The membrane becomes `reset_value`.
    case value = "VALUE"
  }

  /// Unique among the populations. No default.
  public var name: String
  /// C, ≥ 1. No default.
  public var channels: Int
  /// H, ≥ 1; with W left out too: what the first convolution or one-to-one projection from the port or an
  /// earlier population yields, else 1.
  public var height: Int?
  /// W, ≥ 1; as ``height``.
  public var width: Int?
  /// `LIF` (default) or `READOUT`.
  public var kind: Kind = .lif
  /// After a spike: `SUBTRACT` θ, `ZERO`, or `VALUE`.
  public var reset: ResetKind?
  /// With `reset: VALUE`, the membrane after a spike in real numbers; default 0.
  public var resetValue: Double = 0
  /// Steps after a spike in which input is lost, 0…255; default 0.
  public var refractorySteps: Int = 0
  /// θ before calibration and training, ≥ 0.01.
  public var threshold: Double?
  /// λ before training, 0…1. A read-out learns a leak only where one is stated; else it has none.
  public var leak: Double?
  /// μ before training, 0…1: the factor kept of a synaptic current each step, learned and shared as λ is.
  /// Default: what arrives acts once.
  public var currentLeak: Double?
  /// Whether neurons have a learned bias per channel.
  public var bias: Bool?
  /// The membrane before step 0, learned per channel; default: 0, and not learned.
  public var initial: Double?
  /// Whether the summed current is normalised over steps and batch while training; default false.
  /// Brings a bias per channel.
  public var normalization: Bool = false
  /// The probability that a neuron is silenced for a training sample, 0…<1; default 0.
  public var dropout: Double = 0

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, channels, height, width, kind, reset
    case resetValue = "reset_value"
    case refractorySteps = "refractory_steps"
    case currentLeak = "current_leak"
    case threshold, leak, bias, initial, normalization, dropout
  }

  /// Reads a population; unknown keys are errors.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    name = try fields.required(.name, expected: "the population's name")
    channels = try fields.required(.channels, expected: "the number of channels")
    height = try fields.optional(.height)
    width = try fields.optional(.width)
    kind = try fields.choice(.kind, among: Kind.allCases, default: .lif)
    reset = try fields.choice(.reset, among: ResetKind.allCases)
    resetValue = try fields.value(.resetValue, default: 0)
    refractorySteps = try fields.value(.refractorySteps, default: 0)
    threshold = try fields.optional(.threshold)
    leak = try fields.optional(.leak)
    currentLeak = try fields.optional(.currentLeak)
    bias = try fields.optional(.bias)
    initial = try fields.optional(.initial)
    normalization = try fields.value(.normalization, default: false)
    dropout = try fields.value(.dropout, default: 0)
  }
}

/// A projection of a graph.
public struct ProjectionRecipe: Hashable, Sendable, Codable {
  /// Which source reaches which target.
  public enum TopologyKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Every source to every target.
    case dense = "DENSE"
    /// Cross-correlation over zero padding.
    case convolution = "CONV"
    /// i to i.
    case oneToOne = "ONE_TO_ONE"
    /// i to every j ≠ i, with one weight.
    case lateral = "LATERAL"
  }

  /// Unique among the projections; prunings and bit widths refer to it. No default.
  public var name: String
  /// The name of the port it comes from, where that is no population; one of the two stands.
  public var input: String?
  /// The name of the population it comes from, where that is no port.
  public var population: String?
  /// The name of the population it ends at. No default.
  public var target: String
  /// `DENSE`, `CONV`, `ONE_TO_ONE` or `LATERAL`. No default.
  public var topology: TopologyKind
  /// Side of the sum-pool in front, 1…16; default 1.
  public var pool: Int = 1
  /// Steps between a spike and its arrival, 0…255; default 0. Every cycle of populations needs one.
  public var delay: Int = 0
  /// How many delays, each with weights of its own, 1…32; default 1.
  public var taps: Int = 1
  /// Steps between two taps, 1…16; default 1.
  public var tapStep: Int = 1
  /// CONV: the kernel's rows, 1…31. No default there.
  public var kernelHeight: Int?
  /// CONV: the kernel's columns, 1…31. No default there.
  public var kernelWidth: Int?
  /// CONV: rows between windows, 1…16; default 1.
  public var strideY: Int = 1
  /// CONV: columns between windows, 1…16; default 1.
  public var strideX: Int = 1
  /// CONV: rows of zeros above the source, 0…30; default 0.
  public var paddingTop: Int = 0
  /// CONV: rows of zeros below the source, 0…30; default 0.
  public var paddingBottom: Int = 0
  /// CONV: columns of zeros before the source, 0…30; default 0.
  public var paddingLeft: Int = 0
  /// CONV: columns of zeros after the source, 0…30; default 0.
  public var paddingRight: Int = 0
  /// CONV: rows between two taps of the kernel, 1…16; default 1.
  public var dilationY: Int = 1
  /// CONV: columns between two taps of the kernel, 1…16; default 1.
  public var dilationX: Int = 1
  /// CONV: groups of channels, a divisor of source and target channels; default 1.
  public var groups: Int = 1
  /// ONE_TO_ONE: weights shared by `layer`, `channel` (default) or not, `neuron`.
  public var weights: Granularity = .channel

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, input, population, target, topology, pool, delay, taps
    case tapStep = "tap_step"
    case kernelHeight = "kernel_height"
    case kernelWidth = "kernel_width"
    case strideY = "stride_y"
    case strideX = "stride_x"
    case paddingTop = "padding_top"
    case paddingBottom = "padding_bottom"
    case paddingLeft = "padding_left"
    case paddingRight = "padding_right"
    case dilationY = "dilation_y"
    case dilationX = "dilation_x"
    case groups, weights
  }

  /// Reads a projection; unknown keys are errors.
  public init(from decoder: any Decoder) throws {
    let fields = try RecipeFields<CodingKeys>(decoder)
    name = try fields.required(.name, expected: "the projection's name")
    input = try fields.optional(.input)
    population = try fields.optional(.population)
    target = try fields.required(.target, expected: "the name of a population")
    topology = try fields.requiredChoice(.topology, among: TopologyKind.allCases)
    pool = try fields.value(.pool, default: 1)
    delay = try fields.value(.delay, default: 0)
    taps = try fields.value(.taps, default: 1)
    tapStep = try fields.value(.tapStep, default: 1)
    kernelHeight = try fields.optional(.kernelHeight)
    kernelWidth = try fields.optional(.kernelWidth)
    strideY = try fields.value(.strideY, default: 1)
    strideX = try fields.value(.strideX, default: 1)
    paddingTop = try fields.value(.paddingTop, default: 0)
    paddingBottom = try fields.value(.paddingBottom, default: 0)
    paddingLeft = try fields.value(.paddingLeft, default: 0)
    paddingRight = try fields.value(.paddingRight, default: 0)
    dilationY = try fields.value(.dilationY, default: 1)
    dilationX = try fields.value(.dilationX, default: 1)
    groups = try fields.value(.groups, default: 1)
    weights = try fields.choice(.weights, among: Granularity.allCases, default: .channel)
  }
}
