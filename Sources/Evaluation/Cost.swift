import ModelFormat
import Wiring

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
  /// Bytes of its membranes, 2 a neuron, 4 in a read-out, and 4 for each synaptic current.
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

  /// The mean costs of the samples that `model` was run on; all 0 of no samples.
  public init(of totals: ScoreTotals, model: Model) {
    func mean(_ total: Int) -> Double { Double(total) / Double(max(totals.samples, 1)) }
    populations = model.populations.enumerated().map { index, population in
      let neurons = population.shape.count
      let counted = totals.counters.populations[index]
      let spikes = mean(counted.spikesOut)
      let updates = mean(counted.updates)
      let rate = updates > 0 ? spikes / updates : 0
      return PopulationCost(
        name: population.name, shape: population.shape.description, neurons: neurons,
        isSpiking: !population.isReadout, spikes: spikes,
        spikesPerNeuron: spikes / Double(neurons), spikesPerNeuronPerStep: rate,
        activationSparsity: 1 - rate, updates: updates,
        saturations: mean(counted.saturations),
        membraneBytes: neurons * population.membraneBytes)
    }
    projections = model.projections.enumerated().map { index, projection in
      let entries = projection.weights.values.count
      let nonZero = projection.weights.nonZeroCount
      let counted = totals.counters.projections[index]
      return ProjectionCost(
        name: projection.name, source: model.name(of: projection.source),
        target: model.populations[projection.target].name,
        carriesValues: model.carriesValues(projection), weights: entries, nonZeroWeights: nonZero,
        connectionSparsity: 1 - Double(nonZero) / Double(max(entries, 1)),
        spikesIn: mean(counted.spikesIn),
        synops: mean(counted.synops),
        macs: mean(counted.macs),
        denseMACs: projection.taps * FanOut(of: projection, tap: 0, in: model).totalConnections,
        neuroBench: totals.neuroBenchSamples == 0
          ? nil : totals.neuroBench[index].divided(by: totals.neuroBenchSamples))
    }
    stepsSkipped = mean(totals.engine.populationStepsSkipped)
    weightBytesRead = mean(totals.engine.weightBytesRead)
  }
}

extension Model {
  /// The name of a projection's source.
  func name(of source: Source) -> String {
    switch source {
    case .input(let port): inputs[port].name
    case .population(let population): populations[population].name
    }
  }
}

extension Population {
  /// Bytes of a neuron's state on a device: its membrane, and its synaptic current where it has one.
  fileprivate var membraneBytes: Int {
    guard case .lif(let neurons) = kind else { return 4 }
    return neurons.currentLeak == .none ? 2 : 6
  }
}
