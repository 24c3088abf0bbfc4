import Tensors

extension Network {
  /// What an arithmetic makes of the parameters, recorded on `tape`, and the leaves the gradients
  /// arrive at.
  public func prepare(
    with arithmetic: any Arithmetic = RealArithmetic(), on tape: Tape
  ) -> PreparedNetwork {
    // Gradients are matched to parameters by position, so an arithmetic chooses neither order nor
    // number.
    let leaves = parameters(with: arithmetic).map {
      (parameter: $0, variable: Variable($0.value, needsGradient: true))
    }
    let variables = Dictionary(
      uniqueKeysWithValues: leaves.map { (ObjectIdentifier($0.parameter), $0.variable) })
    let numbers = arithmetic.numbers(of: self, on: tape) { parameter in
      guard let variable = variables[ObjectIdentifier(parameter)] else {
        preconditionFailure("\(parameter.name) is no parameter of network \(name)")
      }
      return variable
    }
    return PreparedNetwork(network: self, numbers: numbers, leaves: leaves)
  }
}

/// A network with the numbers of one training step or one evaluation.
public struct PreparedNetwork {
  /// The network.
  public let network: Network
  /// What it computes with.
  public let numbers: Numbers
  /// Each parameter and the variable its gradient arrives at, in the order of
  /// ``Network/parameters(with:)``.
  public let leaves: [(parameter: Parameter, variable: Variable)]

  /// The same numbers as leaves of a shard's own tape.
  public func shard() -> PreparedNetwork {
    PreparedNetwork(
      network: network,
      numbers: numbers.mapVariables { Variable($0.value, needsGradient: $0.needsGradient) },
      leaves: [])
  }

  /// The same numbers without gradients: forward passes from it record nothing and keep nothing.
  public func frozen() -> PreparedNetwork {
    PreparedNetwork(
      network: network, numbers: numbers.mapVariables { Variable($0.value) }, leaves: [])
  }

  /// The gradients that arrived at a shard's leaves, in a fixed order.
  public func takeGradients() -> [Tensor?] { numbers.variables.map { $0.takeGradient() } }

  /// Adds gradients as ``takeGradients()`` hands them out.
  public func accumulate(_ gradients: [Tensor?]) {
    for (variable, gradient) in zip(numbers.variables, gradients) {
      if let gradient { variable.accumulate(gradient) }
    }
  }
}

/// How a forward pass runs, besides its numbers and input.
public struct ForwardOptions {
  /// What training adds to a pass.
  public struct Training {
    /// Where dropout draws from, of this step and shard alone.
    public var random: RandomSource

    /// A training pass that draws from `random`.
    public init(random: RandomSource) { self.random = random }
  }

  /// The part of a training batch these samples are; it weighs the activity penalties.
  public var share: Float = 1
  /// The price of spiking by population.
  public var penalties: [Int: ActivityPenalty] = [:]
  /// nil: nothing is dropped, and normalisation uses its running statistics.
  public var training: Training?
  /// Whether spikes, potentials and read-out membranes of every step are kept.
  public var records = false
  /// Sees each population's summed current before its neurons consume it: `[B, …]` where one current
  /// serves all steps, else `[T·B, …]`.
  public var observer: ((_ population: Int, _ current: Tensor) -> Void)?

  /// The plain pass.
  public init() {}
}

/// What a forward pass yields.
public struct NetworkOutput {
  /// What was recorded of one population.
  public enum Record {
    /// Spikes and membranes before reset, step by step, `[T·B, …]`; membranes in their own unit.
    case spiking(spikes: Tensor, potentials: Tensor)
    /// A read-out's membranes after every step in its own unit, `[T·B·K]`, exact.
    case readout([Double])
  }

  /// The read-out's currents in real numbers, `[T·B, K]`.
  public var currents: Variable?
  /// The read-out's membranes after every step in real numbers, `[T·B, K]`.
  public var membranes: Variable?
  /// Mean spikes per neuron and step, by spiking population.
  public var rates: [Float]
  /// The activity penalties' sum, times the samples' share of the batch.
  public var penalty: Float = 0
  /// Clamps that changed a membrane, by spiking population; on the integer grid only.
  public var saturations: [Int]
  /// By population, where recorded.
  public var records: [Int: Record] = [:]
  /// The statistics of normalised currents by population, in training.
  public var statistics: [Int: CurrentStatistics] = [:]

  init(_ network: Network) {
    rates = [Float](repeating: 0, count: network.spiking.count)
    saturations = [Int](repeating: 0, count: network.spiking.count)
  }
}
