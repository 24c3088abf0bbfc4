import ModelFormat

/// What one population costs, as means per inference.
public struct PopulationCost: Equatable, Codable, Sendable {
  /// The population's name.
  public var name: String
  /// Its shape as C×H×W.
  public var shape: String
  /// N.
  public var neurons: Int
  /// Whether it spikes; a read-out does not.
  public var isSpiking: Bool
  /// Spikes emitted.
  public var spikes: Double
  /// Spikes divided by neurons.
  public var spikesPerNeuron: Double
  /// Spikes divided by neurons and steps; the firing rate.
  public var spikesPerNeuronPerStep: Double
  /// The share of (neuron, step) pairs without a spike; NeuroBench's activation sparsity.
  public var activationSparsity: Double
  /// Membrane updates, neurons times steps.
  public var updates: Double
  /// Clamps that changed the membrane.
  public var saturations: Double
  /// Bytes of its membranes: 2 a neuron, 4 in a read-out.
  public var membraneBytes: Int

  enum CodingKeys: String, CodingKey {
    case name, shape, neurons, spikes, updates, saturations
    case isSpiking = "is_spiking"
    case spikesPerNeuron = "spikes_per_neuron"
    case spikesPerNeuronPerStep = "spikes_per_neuron_per_step"
    case activationSparsity = "activation_sparsity"
    case membraneBytes = "membrane_bytes"
  }
}

/// What one projection costs, as means per inference.
public struct ProjectionCost: Equatable, Codable, Sendable {
  /// The projection's name.
  public var name: String
  /// The name of its source.
  public var source: String
  /// The name of its target.
  public var target: String
  /// Whether it carries values rather than spikes.
  public var carriesValues: Bool
  /// Entries of the weight matrix.
  public var weights: Int
  /// Entries that are not zero.
  public var nonZeroWeights: Int
  /// The share of entries that are zero; NeuroBench's connection sparsity.
  public var connectionSparsity: Double
  /// Spikes that arrive.
  public var spikesIn: Double
  /// Additions: pairs of an arriving spike and a synapse.
  public var synops: Double
  /// Multiplications: pairs of a presented value and a synapse.
  public var macs: Double
  /// Multiplications of one pass of the dense network: all pairs of a source and a weight.
  public var denseMACs: Int
  /// Operations in NeuroBench's definitions.
  public var neuroBench: NeuroBenchOperations?

  enum CodingKeys: String, CodingKey {
    case name, source, target, weights, synops, macs
    case carriesValues = "carries_values"
    case nonZeroWeights = "non_zero_weights"
    case connectionSparsity = "connection_sparsity"
    case spikesIn = "spikes_in"
    case denseMACs = "dense_macs"
    case neuroBench = "neurobench"
  }
}

/// The costs of a model over a number of samples, as means per inference.
public struct Cost: Equatable, Sendable {
  /// Per population, in order.
  public let populations: [PopulationCost]
  /// Per projection, in order.
  public let projections: [ProjectionCost]
  /// What the runtime did: populations and steps skipped.
  public let stepsSkipped: Double
  /// Bytes of weights and columns that the runtime read.
  public let weightBytesRead: Double

  /// The mean costs of `samples`, which `model` was run on; all 0 of no samples.
  public init(of samples: [ScoredSample], model: Model) {
    let count = Double(max(samples.count, 1))
    func mean(_ value: (ScoredSample) -> Int) -> Double {
      Double(samples.reduce(0) { $0 + value($1) }) / count
    }
    populations = model.populations.enumerated().map { index, population in
      let neurons = population.shape.count
      let spikes = mean { $0.inference.counters.populations[index].spikesOut }
      let updates = mean { $0.inference.counters.populations[index].updates }
      let rate = updates > 0 ? spikes / updates : 0
      return PopulationCost(
        name: population.name, shape: population.shape.description, neurons: neurons,
        isSpiking: !population.isReadout, spikes: spikes,
        spikesPerNeuron: spikes / Double(neurons), spikesPerNeuronPerStep: rate,
        activationSparsity: 1 - rate, updates: updates,
        saturations: mean { $0.inference.counters.populations[index].saturations },
        membraneBytes: neurons * (population.isReadout ? 4 : 2))
    }
    let counted = samples.compactMap(\.neuroBench)
    projections = model.projections.enumerated().map { index, projection in
      let entries = projection.weights.values.count
      let nonZero = projection.weights.nonZeroCount
      let neuroBench = counted.reduce(NeuroBenchOperations()) { $0 + $1[index] }
      return ProjectionCost(
        name: projection.name, source: model.name(of: projection.source),
        target: model.populations[projection.target].name,
        carriesValues: model.carriesValues(projection), weights: entries, nonZeroWeights: nonZero,
        connectionSparsity: 1 - Double(nonZero) / Double(max(entries, 1)),
        spikesIn: mean { $0.inference.counters.projections[index].spikesIn },
        synops: mean { $0.inference.counters.projections[index].synops },
        macs: mean { $0.inference.counters.projections[index].macs },
        denseMACs: FanOut(of: projection, in: model).totalConnections,
        neuroBench: counted.isEmpty ? nil : neuroBench.divided(by: counted.count))
    }
    stepsSkipped = mean(\.engine.populationStepsSkipped)
    weightBytesRead = mean(\.engine.weightBytesRead)
  }
}

extension Model {
  /// The name of a projection's source.
  func name(of source: Projection.Source) -> String {
    switch source {
    case .input(let port): inputs[port].name
    case .population(let population): populations[population].name
    }
  }
}
