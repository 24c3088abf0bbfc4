import Spiking

/// Where training gets its samples.
///
/// A batch depends on its epoch and index alone, so that training continues anywhere with the same
/// bytes. Training batches are fetched on another thread, one ahead.
public protocol BatchSource: Sendable {
  /// Batches per epoch, ≥ 1.
  var trainingBatchCount: Int { get }
  /// 0: no validation; the last epoch counts as the best.
  var validationBatchCount: Int { get }
  /// Batch `index` of an epoch, both from 0.
  func trainingBatch(epoch: Int, index: Int) throws -> TrainingBatch
  /// Batch `index` of the validation samples, from 0.
  func validationBatch(_ index: Int) throws -> TrainingBatch
}

/// Sees a stage of training and may change the network between its steps: the door of pruning and
/// quantisation into training.
public protocol TrainingObserver: AnyObject {
  /// Names the observer's state in checkpoints; unique within a stage.
  var name: String { get }
  /// Before the first step, also of a continued stage (``restore(_:)`` follows then).
  func willBeginStage(_ network: Network, steps: Int, stepsPerEpoch: Int) throws
  /// After update `step` of `total`, counted from 1.
  func didStep(_ step: Int, of total: Int, _ network: Network) throws
  /// After an epoch and its validation.
  func didFinishEpoch(_ metrics: EpochMetrics, _ network: Network) throws
  /// Whether the network after this epoch, from 0, may become the stage's result.
  func isEligible(epoch: Int) -> Bool
  /// What a checkpoint must keep so that ``restore(_:)`` continues identically.
  func state() throws -> ObserverState
  /// Continues from what ``state()`` gave.
  func restore(_ state: ObserverState) throws
}

extension TrainingObserver {
  /// Does nothing: most observers prepare nothing.
  public func willBeginStage(_ network: Network, steps: Int, stepsPerEpoch: Int) throws {}
  /// Does nothing: most observers change nothing between steps.
  public func didStep(_ step: Int, of total: Int, _ network: Network) throws {}
  /// Does nothing: most observers change nothing between epochs.
  public func didFinishEpoch(_ metrics: EpochMetrics, _ network: Network) throws {}
  /// Finds every epoch eligible.
  public func isEligible(epoch: Int) -> Bool { true }
  /// Keeps nothing in checkpoints.
  public func state() throws -> ObserverState { ObserverState() }
  /// Restores nothing, as nothing was kept.
  public func restore(_ state: ObserverState) throws {}
}

/// One epoch of a stage.
public struct EpochMetrics: Hashable, Sendable, Codable {
  /// The stage's name.
  public var stage: String
  /// From 0.
  public var epoch: Int
  /// Updates made in the stage.
  public var step: Int
  /// Of the epoch's last step.
  public var learningRate: Double
  /// Mean loss per sample while training, penalties included.
  public var trainingLoss: Double
  /// Fraction right while training, on augmented samples.
  public var trainingAccuracy: Double
  /// What the network does on the validation samples.
  public var validation: ValidationReport
  /// Mean spikes per neuron and step while training, by spiking population.
  public var trainingRates: [Double]
  /// Fraction of all weights that are pruned.
  public var sparsity: Double
  /// Whether this epoch may become the stage's result.
  public var isEligible: Bool
  /// Training and validation of this epoch.
  public var seconds: Double
}

/// Sums over the epoch under way.
public struct RunningMetrics: Hashable, Sendable, Codable {
  var loss = 0.0
  var correct = 0
  var samples = 0
  var rates: [Double]
  var seconds = 0.0
  /// Answers asked for, where they are not one a sample.
  var answers: Int?

  init(layers: Int) { rates = [Double](repeating: 0, count: layers) }

  mutating func add(_ report: StepReport, of batch: TrainingBatch) {
    let count = batch.count
    if batch.isLabelledByStep { answers = (answers ?? 0) + batch.labels.count }
    loss += report.loss * Double(count)
    correct += report.correct
    samples += count
    for (layer, rate) in report.rates.enumerated() { rates[layer] += rate * Double(count) }
  }

  /// Fraction of answers that were right.
  var accuracy: Double {
    let asked = answers ?? samples
    return asked > 0 ? Double(correct) / Double(asked) : 0
  }

  func mean(_ sum: Double) -> Double { samples > 0 ? sum / Double(samples) : 0 }
}

/// How far training is; handed out at most five times a second.
public struct TrainingProgress: Hashable, Sendable {
  /// The stage's name.
  public var stage: String
  /// From 0.
  public var epoch: Int
  /// Passes over the training samples.
  public var epochs: Int
  /// Batches done of this epoch.
  public var batch: Int
  /// Batches of an epoch.
  public var batches: Int
  /// Of the epoch so far.
  public var loss: Double
  /// Fraction right of the epoch so far.
  public var accuracy: Double
  /// Of the last step.
  public var learningRate: Double
  /// Mean spikes per neuron and step by spiking population, of the epoch so far.
  public var rates: [(layer: String, rate: Double)] { Array(zip(layers, layerRates)) }
  /// Speed of this process so far.
  public var samplesPerSecond: Double
  /// For the rest of the stage at the present speed.
  public var secondsLeft: Double
  var layers: [String]
  var layerRates: [Double]
}
