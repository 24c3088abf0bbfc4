import Foundation
import ModelFormat

/// What a model achieves on a split of a data set, and what it costs.
///
/// Counts are means per inference. The JSON form has the keys below in snake case at its top
/// level; ``text`` is the form for people.
public struct EvaluationReport: Equatable, Codable, Sendable {
  /// The model's name.
  public var model: String
  /// The data set's name.
  public var dataset: String
  /// The split's name.
  public var split: String
  /// Samples scored.
  public var samples: Int
  /// Samples whose highest score was that of their label.
  public var correct: Int
  /// Their share.
  public var accuracy: Double
  /// Steps of an inference, T.
  public var steps: Int
  /// Steps taken: fewer than T where the model's exit rule ends an inference early.
  public var stepsTaken: Double
  /// The accuracy of the answers after each step; nil where it was not asked for.
  public var accuracyByStep: [Double]?
  /// Neurons that can spike.
  public var neurons: Int
  /// Spikes of all populations.
  public var spikes: Double
  /// Additions: pairs of an arriving spike and a synapse.
  public var synops: Double
  /// Multiplications: pairs of a presented value and a synapse.
  public var macs: Double
  /// Membrane updates.
  public var updates: Double
  /// Clamps that changed a membrane.
  public var saturations: Double
  /// Input events accepted.
  public var events: Double
  /// Input events dropped, for whatever reason.
  public var dropped: Double
  /// Multiplications of one pass of the dense network of the same topology.
  public var denseMACs: Double
  /// The same for one pass per step.
  public var denseMACsAllSteps: Double
  /// The share of neurons and steps without a spike.
  public var activationSparsity: Double
  /// The share of weights that are zero.
  public var connectionSparsity: Double
  /// Bytes of the `.snnpb` file.
  public var modelBytes: Int
  /// Bytes of the model as the runtime holds it.
  public var arenaBytes: Int
  /// Bytes of state that the runtime needs beside the model.
  public var stateBytes: Int
  /// Bytes of weights and sparse columns read.
  public var weightBytesRead: Double
  /// Pairs of a population and a step that the runtime had no work in.
  public var stepsSkipped: Double
  /// Samples that ``neuroBench`` was counted on.
  public var neuroBenchSamples: Int
  /// Operations of all projections in NeuroBench's definitions; nil where no sample was counted.
  public var neuroBench: NeuroBenchOperations?
  /// Per population, in order.
  public var populations: [PopulationCost]
  /// Per projection, in order.
  public var projections: [ProjectionCost]
  /// Per regime.
  public var energy: [EnergyEstimate]

  enum CodingKeys: String, CodingKey {
    case model, dataset, split, samples, correct, accuracy, steps, neurons, spikes, synops, macs
    case updates, saturations, events, dropped, populations, projections, energy
    case denseMACs = "dense_macs"
    case denseMACsAllSteps = "dense_macs_all_steps"
    case activationSparsity = "activation_sparsity"
    case connectionSparsity = "connection_sparsity"
    case modelBytes = "model_bytes"
    case stepsTaken = "steps_taken"
    case accuracyByStep = "accuracy_by_step"
    case arenaBytes = "arena_bytes"
    case stateBytes = "state_bytes"
    case weightBytesRead = "weight_bytes_read"
    case stepsSkipped = "steps_skipped"
    case neuroBenchSamples = "neurobench_samples"
    case neuroBench = "neurobench"
  }

  /// The report of the samples that `loaded` was run on.
  ///
  /// `modelBytes`: the size of the model's file.
  public init(
    of totals: ScoreTotals, loaded: SessionModel, modelBytes: Int, dataset: String,
    split: String
  ) {
    let model = loaded.model
    let cost = Cost(of: totals, model: model)
    let spiking = cost.populations.filter(\.isSpiking)
    let ports = totals.counters.ports
    let count = Double(max(totals.samples, 1))
    func share(_ part: Double, of whole: Double) -> Double { whole > 0 ? part / whole : 0 }

    self.model = model.name
    self.dataset = dataset
    self.split = split
    samples = totals.samples
    correct = totals.correct
    accuracy = share(Double(correct), of: Double(samples))
    steps = model.steps
    stepsTaken = Double(totals.steps) / count
    accuracyByStep = totals.correctByStep?.map { share(Double($0), of: Double(totals.samples)) }
    neurons = spiking.reduce(0) { $0 + $1.neurons }
    spikes = spiking.reduce(0) { $0 + $1.spikes }
    synops = cost.projections.reduce(0) { $0 + $1.synops }
    macs = cost.projections.reduce(0) { $0 + $1.macs }
    updates = cost.populations.reduce(0) { $0 + $1.updates }
    saturations = cost.populations.reduce(0) { $0 + $1.saturations }
    events = Double(ports.reduce(0) { $0 + $1.events }) / count
    dropped =
      Double(ports.reduce(0) { $0 + $1.droppedOutside + $1.droppedLate + $1.droppedOverflow })
      / count
    denseMACs = Double(cost.projections.reduce(0) { $0 + $1.denseMACs })
    denseMACsAllSteps = denseMACs * Double(model.steps)
    activationSparsity = 1 - share(spikes, of: spiking.reduce(0) { $0 + $1.updates })
    let weights = cost.projections.reduce(0) { $0 + $1.weights }
    let nonZero = cost.projections.reduce(0) { $0 + $1.nonZeroWeights }
    connectionSparsity = 1 - share(Double(nonZero), of: Double(weights))
    self.modelBytes = modelBytes
    arenaBytes = loaded.arenaBytes
    stateBytes = loaded.stateBytes
    weightBytesRead = cost.weightBytesRead
    stepsSkipped = cost.stepsSkipped
    neuroBenchSamples = totals.neuroBenchSamples
    let operations = cost.projections.compactMap(\.neuroBench)
    neuroBench = operations.isEmpty ? nil : operations.reduce(NeuroBenchOperations(), +)
    populations = cost.populations
    projections = cost.projections
    energy = EnergyRegime.allCases.map { EnergyEstimate(of: cost, in: $0) }
  }

  /// The report as JSON, keys sorted, numbers whole where they are. Throws where one is not finite.
  public func json() throws -> String { try jsonText(of: self) }
}

/// A value as JSON for people and machines: indented, keys sorted.
package func jsonText(of value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}
