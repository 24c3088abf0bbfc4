import Tensors
import Wiring

/// How finely a learned neuron parameter is shared.
public enum Granularity: String, Hashable, Sendable, Codable, CaseIterable {
  /// One value for the population, one per channel, one per neuron.
  case layer, channel, neuron

  func count(in shape: Shape) -> Int {
    switch self {
    case .layer: 1
    case .channel: shape.channels
    case .neuron: shape.count
    }
  }
}

/// The neurons of a population before training.
public struct NeuronConfiguration: Hashable, Sendable {
  /// The neurons' rules.
  public var dynamics: LIFDynamics
  /// How finely θ is shared.
  public var thresholdGranularity: Granularity
  /// How finely λ is shared.
  public var leakGranularity: Granularity
  /// θ in real numbers, > 0.
  public var threshold: Float
  /// λ in [0, 1].
  public var leak: Float
  /// μ in [0, 1], shared as λ is; nil: no synaptic current, and none learned.
  public var currentLeak: Float?
  /// Whether neurons have a learned bias per channel.
  public var bias: Bool
  /// The learned membrane before step 0, per channel; nil: 0, and not learned.
  public var initial: Float?
  /// Whether the summed current is normalised while training (``Normalization``).
  public var isNormalized: Bool
  /// The probability that a neuron is silenced for a training sample, in [0, 1).
  public var dropout: Float

  /// Neurons of the given parameters.
  public init(
    dynamics: LIFDynamics = LIFDynamics(), thresholdGranularity: Granularity = .channel,
    leakGranularity: Granularity = .channel, threshold: Float = 1, leak: Float = 1,
    currentLeak: Float? = nil, bias: Bool = false, initial: Float? = nil,
    isNormalized: Bool = false, dropout: Float = 0
  ) {
    self.dynamics = dynamics
    self.thresholdGranularity = thresholdGranularity
    self.leakGranularity = leakGranularity
    self.threshold = threshold
    self.leak = leak
    self.currentLeak = currentLeak
    self.bias = bias
    self.initial = initial
    self.isNormalized = isNormalized
    self.dropout = dropout
  }
}

/// A network before its parameters exist: what a shorthand or a recipe's graph says.
public struct NetworkPlan: Hashable, Sendable {
  /// A population to be made.
  public struct Population: Hashable, Sendable {
    /// Unique among the populations.
    public var name: String
    /// The neurons' arrangement.
    public var shape: Shape
    /// nil: a read-out.
    public var neurons: NeuronConfiguration?
    /// A read-out's learned leak at the start, one value, in [0, 1]; nil: 1, and not learned.
    public var readoutLeak: Float?

    /// A population of the given neurons.
    public init(
      name: String, shape: Shape, neurons: NeuronConfiguration?, readoutLeak: Float? = nil
    ) {
      self.name = name
      self.shape = shape
      self.neurons = neurons
      self.readoutLeak = readoutLeak
    }
  }

  /// A projection to be made; the fields are those of ``Spiking/Projection``.
  public struct Projection: Hashable, Sendable {
    /// Unique among the projections; the weight is named `name.weight`.
    public var name: String
    /// Where spikes or values come from.
    public var source: Source
    /// Index of the target among the populations.
    public var target: Int
    /// Which source reaches which target.
    public var topology: Topology
    /// Side of the sum-pool in front, 1…16.
    public var pool: Int
    /// Steps between a spike and its arrival, 0…255.
    public var delay: Int
    /// Delays, each with weights of its own, 1…32.
    public var taps: Int
    /// Steps between two taps, 1…16.
    public var tapStep: Int
    /// How finely the weights of a one-to-one projection are shared.
    public var granularity: Granularity

    /// A projection of the given synapses.
    public init(
      name: String, from source: Source, to target: Int, topology: Topology, pool: Int = 1,
      delay: Int = 0, taps: Int = 1, tapStep: Int = 1, granularity: Granularity = .channel
    ) {
      self.name = name
      self.source = source
      self.target = target
      self.topology = topology
      self.pool = pool
      self.delay = delay
      self.taps = taps
      self.tapStep = tapStep
      self.granularity = granularity
    }
  }

  /// Where input enters.
  public var ports: [InputPort]
  /// All populations.
  public var populations: [Population]
  /// All projections.
  public var projections: [Projection]
  /// Index of the population that answers.
  public var readout: Int

  /// A plan to be filled.
  public init(
    ports: [InputPort], populations: [Population] = [], projections: [Projection] = [],
    readout: Int = 0
  ) {
    self.ports = ports
    self.populations = populations
    self.projections = projections
    self.readout = readout
  }
}

extension Network {
  /// The smallest threshold training may reach, in real numbers: a threshold of 0 would divide by zero
  /// in the surrogate and fire on silence.
  public static let leastThreshold: Float = 0.01

  /// An untrained network. Dense and convolutional weights are normal with deviation √(2/fan-in) (He et
  /// al., ICCV 2015), fan-in over all taps; one-to-one weights start at 1, a lateral weight at −1/N.
  /// Throws ``NetworkError`` where the plan makes no network.
  public init(
    name: String, plan: NetworkPlan, steps: Int, random: RandomSource
  ) throws(NetworkError) {
    var projections: [Projection] = []
    for (index, planned) in plan.projections.enumerated() {
      projections.append(try plan.make(planned, random.split(UInt64(index))))
    }
    try self.init(
      name: name, steps: steps, ports: plan.ports,
      populations: plan.populations.map(Population.init(untrained:)), projections: projections,
      readout: plan.readout)
  }
}

extension NetworkPlan {
  /// Ends are checked here as far as weights need them; the network checks the rest.
  fileprivate func make(
    _ planned: Projection, _ random: RandomSource
  ) throws(NetworkError) -> Spiking.Projection {
    let place = "projection \(planned.name)"
    let source: Shape
    switch planned.source {
    case .input(let port) where ports.indices.contains(port): source = ports[port].shape
    case .population(let population) where populations.indices.contains(population):
      source = populations[population].shape
    default:
      throw NetworkError(place, expected: "a source that exists", found: "\(planned.source)")
    }
    guard populations.indices.contains(planned.target) else {
      throw NetworkError(place, expected: "a target that exists", found: "\(planned.target)")
    }
    let pooled = source.pooled(by: max(planned.pool, 1))
    let target = populations[planned.target]
    if target.neurons?.isNormalized == true,
      planned.topology == .lateral
        || (planned.topology == .oneToOne && planned.granularity == .layer)
    {
      throw NetworkError(
        place, expected: "weights by channel onto \(target.name), whose current is normalised",
        found: "one weight")
    }
    guard pooled.count > 0, planned.taps >= 1 else {
      throw NetworkError(
        place, expected: "a full window of the pool in \(source), and a tap",
        found: "pool \(planned.pool), \(planned.taps) taps")
    }
    if case .convolution(let geometry) = planned.topology {
      guard geometry.groups >= 1, pooled.channels % geometry.groups == 0,
        target.shape.channels % geometry.groups == 0
      else {
        throw NetworkError(
          "\(place), groups",
          expected: "a divisor of \(pooled.channels) and \(target.shape.channels) channels",
          found: "\(geometry.groups)")
      }
    }
    let shape = Spiking.Projection.weightShape(
      planned.topology, taps: planned.taps, from: pooled, onto: target.shape,
      columns: planned.granularity.count(in: target.shape))
    return Spiking.Projection(
      name: planned.name, from: planned.source, to: planned.target, topology: planned.topology,
      pool: planned.pool, delay: planned.delay, taps: planned.taps, tapStep: planned.tapStep,
      weight: Parameter(
        "\(planned.name).weight", role: .weight,
        value: Self.initialWeights(planned, shape, pooled, random)))
  }

  private static func initialWeights(
    _ planned: Projection, _ shape: [Int], _ source: Shape, _ random: RandomSource
  ) -> Tensor {
    switch planned.topology {
    case .oneToOne: return Tensor(shape, filledWith: 1 / Float(planned.taps))
    case .lateral: return Tensor(shape, filledWith: -1 / Float(source.count * planned.taps))
    case .dense, .convolution: break
    }
    var random = random
    // A sum-pool's cell sums pool² sources.
    let fanIn =
      Spiking.Projection.fanIn(planned.topology, from: source) * planned.pool * planned.pool
      * planned.taps
    let deviation = (2 / Double(fanIn)).squareRoot()
    return Tensor(shape, (0..<shape.reduce(1, *)).map { _ in Float(random.normal() * deviation) })
  }
}

extension Population {
  fileprivate init(untrained plan: NetworkPlan.Population) {
    func parameter(
      _ role: Parameter.Role, _ granularity: Granularity, _ value: Float,
      _ range: ClosedRange<Float> = -Float.greatestFiniteMagnitude...Float.greatestFiniteMagnitude
    ) -> Parameter {
      Parameter(
        "\(plan.name).\(role.rawValue)", role: role,
        value: Tensor([granularity.count(in: plan.shape)], filledWith: value), range: range)
    }
    guard let neurons = plan.neurons else {
      self.init(
        name: plan.name, shape: plan.shape, neuron: .readout,
        leak: plan.readoutLeak.map { parameter(.leak, .layer, $0, 0...1) })
      return
    }
    self.init(
      name: plan.name, shape: plan.shape, neuron: .lif(neurons.dynamics),
      threshold: parameter(
        .threshold, neurons.thresholdGranularity, neurons.threshold,
        Network.leastThreshold...Float.greatestFiniteMagnitude),
      leak: parameter(.leak, neurons.leakGranularity, neurons.leak, 0...1),
      bias: neurons.bias || neurons.isNormalized ? parameter(.bias, .channel, 0) : nil,
      initial: neurons.initial.map { parameter(.initial, .channel, $0) })
    currentLeak = neurons.currentLeak.map {
      parameter(.currentLeak, neurons.leakGranularity, $0, 0...1)
    }
    if neurons.isNormalized {
      normalization = Normalization(name: plan.name, channels: plan.shape.channels)
    }
    dropout = neurons.dropout
  }
}
