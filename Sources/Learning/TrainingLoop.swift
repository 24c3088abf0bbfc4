import Foundation
import Spiking
import Tensors

/// One stage as training runs it.
public struct TrainingStage: Hashable, Sendable {
  /// The stage's name, which its checkpoints and its rows of metrics carry.
  public var name: String
  /// The stage's place in its recipe, from 0.
  public var index: Int
  /// Passes over the training samples.
  public var epochs: Int
  /// How parameters follow their gradients.
  public var optimizer: OptimizerConfiguration
  /// The learning rate over the stage.
  public var schedule: ScheduleRecipe
  /// The schedule's highest rate.
  public var learningRate: Double
  /// What is minimised.
  public var loss: Loss
  /// The price of spiking; nil: none.
  public var activity: ActivityRecipe?
  /// Samples per shard; nil: ``Spiking/Network/shardSize(batchSize:)``.
  public var shardSize: Int?
  /// Kept in checkpoints: a run is continued with its own seed only.
  public var seed: UInt64

  /// The stage `index` of a recipe. Precondition: the recipe has it.
  public init(_ recipe: Recipe, index: Int) {
    let stage = recipe.stages[index]
    name = stage.name
    self.index = index
    epochs = stage.epochs
    optimizer = stage.optimizer.configuration
    schedule = stage.schedule
    learningRate = stage.optimizer.learningRate
    loss = Loss(reduction: stage.loss.reduction, stepWeight: Float(stage.loss.stepWeight))
    activity = stage.activity
    shardSize = recipe.shardSize
    seed = recipe.seed
  }

  func schedule(stepsPerEpoch: Int) -> Schedule {
    Schedule(
      schedule.kind == .constant ? .constant : .cosine(finalFraction: schedule.finalFraction),
      peak: learningRate,
      warmupSteps: Int((schedule.warmupEpochs * Double(stepsPerEpoch)).rounded()),
      totalSteps: epochs * stepsPerEpoch)
  }
}

/// Where and how often a stage is saved.
public struct CheckpointPlan: Hashable, Sendable {
  /// Written after every epoch, and within it as often as stated below.
  public var last: URL
  /// Written whenever an epoch becomes the best.
  public var best: URL
  /// Seconds between checkpoints within an epoch; default 300. Each costs the writing of about four
  /// copies of the parameters.
  public var everySeconds: Double

  /// A plan of the given files.
  public init(last: URL, best: URL, everySeconds: Double = 300) {
    self.last = last
    self.best = best
    self.everySeconds = everySeconds
  }
}

/// What a stage came to.
public struct StageResult: Sendable {
  /// The epoch whose parameters the network has now; nil where training was stopped or none was
  /// eligible (the network is then that of the last step).
  public var best: EpochMetrics?
  /// The stage's epochs so far.
  public var epochs: [EpochMetrics]
  /// false where ``TrainingLoop/shouldStop`` ended it early; a checkpoint continues it.
  public var isFinished: Bool
}

/// Runs one stage of training: epochs of batches, validation after each, the best epoch in the end.
///
/// The same network, stage and batches give the same parameters, byte for byte: on any number of
/// threads, and also where training was stopped and continued from its checkpoint. The best epoch is
/// the one of highest validation accuracy among those all observers find eligible; ties go to the lower
/// validation loss, then to the later epoch.
public struct TrainingLoop {
  /// What is trained.
  public var network: Network
  /// The numbers it computes with.
  public var arithmetic: any Arithmetic
  /// How.
  public var stage: TrainingStage
  /// On what.
  public var source: any BatchSource
  /// Who looks on, in this order after every step.
  public var observers: [any TrainingObserver] = []
  /// Threads that compute shards; results do not depend on their number.
  public var threads = Parallel.coreCount
  /// nil: nothing is written.
  public var checkpoints: CheckpointPlan?
  /// Called at most five times a second, and at the end of an epoch.
  public var onProgress: ((TrainingProgress) -> Void)?
  /// Called after each epoch, before its checkpoint is written.
  public var onEpoch: ((EpochMetrics) throws -> Void)?
  /// Asked after every step; true saves a checkpoint and ends the run.
  public var shouldStop: () -> Bool = { false }

  /// A loop over one stage, in real numbers where no arithmetic is named.
  public init(
    network: Network, arithmetic: any Arithmetic = RealArithmetic(), stage: TrainingStage,
    source: any BatchSource
  ) {
    self.network = network
    self.arithmetic = arithmetic
    self.stage = stage
    self.source = source
  }

  /// Trains to the stage's end, from its beginning or from a checkpoint of this stage.
  ///
  /// Afterwards the network has the parameters of the best epoch.
  /// - Throws: ``LearningError/diverged(place:quantity:stage:epoch:batch:)`` where numbers stop being
  ///   finite, before anything is saved; `foreignCheckpoint` where the checkpoint is of another stage, seed
  ///   or network; `file` where a checkpoint cannot be written; whatever batches and observers throw.
  public func run(resuming checkpoint: Checkpoint? = nil) throws -> StageResult {
    let run = try StageRun(self)
    if let checkpoint { try run.restore(checkpoint) }
    return try run.run()
  }
}

/// A stage under way.
private final class StageRun {
  let loop: TrainingLoop
  let network: Network
  let stage: TrainingStage
  let batches: Int
  let schedule: Schedule
  let optimizer: Optimizer
  let gradientStep: GradientStep
  let validation: Validation
  let prefetcher: Prefetcher
  /// Where dropout draws from.
  let random: RandomSource
  var position: Checkpoint.Position
  var best: NetworkSnapshot?

  private let clock = ContinuousClock()
  private var lastSave: ContinuousClock.Instant
  private var lastProgress: ContinuousClock.Instant
  private var lastTick: ContinuousClock.Instant
  /// Of this process: speeds are of what was computed here.
  private var seconds = 0.0
  private var samples = 0

  init(_ loop: TrainingLoop) throws {
    self.loop = loop
    network = loop.network
    stage = loop.stage
    batches = loop.source.trainingBatchCount
    guard batches > 0 else {
      throw LearningError.value(
        place: "stage \(stage.name)", expected: "at least one training batch", found: "none")
    }
    schedule = stage.schedule(stepsPerEpoch: batches)
    for observer in loop.observers {
      try observer.willBeginStage(
        network, steps: schedule.totalSteps, stepsPerEpoch: batches)
    }
    optimizer = Optimizer(
      stage.optimizer, parameters: network.parameters(with: loop.arithmetic),
      threads: loop.threads)
    var gradientStep = GradientStep(
      loss: stage.loss, arithmetic: loop.arithmetic, shardSize: stage.shardSize,
      threads: loop.threads)
    gradientStep.penalties = try network.penalties(stage.activity)
    self.gradientStep = gradientStep
    validation = Validation(
      loss: stage.loss, arithmetic: loop.arithmetic, shardSize: stage.shardSize,
      threads: loop.threads)
    // Streams of this stage alone: 0 and 1 are the initial weights' and the batches'.
    random = RandomSource(seed: stage.seed).split(2).split(UInt64(stage.index))
    prefetcher = Prefetcher(loop.source)
    position = Checkpoint.Position(
      stageIndex: stage.index, stageName: stage.name, seed: stage.seed, epoch: 0, batch: 0, step: 0,
      isFinished: false, best: nil, epochs: [],
      running: RunningMetrics(layers: network.spiking.count))
    lastSave = clock.now
    lastProgress = lastSave
    lastTick = lastSave
  }

  func restore(_ checkpoint: Checkpoint) throws {
    let saved = checkpoint.position
    func expect(_ place: String, _ expected: some Equatable, _ found: some Equatable) throws {
      guard "\(expected)" == "\(found)" else {
        throw LearningError.foreignCheckpoint(
          place: place, expected: "\(expected)", found: "\(found)")
      }
    }
    try expect("stage", stage.name, saved.stageName)
    try expect("stage index", stage.index, saved.stageIndex)
    try expect("seed", stage.seed, saved.seed)
    guard saved.step == saved.epoch * batches + saved.batch, saved.epoch <= stage.epochs,
      saved.running.rates.count == network.spiking.count
    else {
      throw LearningError.foreignCheckpoint(
        place: "position", expected: "a step of \(stage.epochs) epochs of \(batches) batches",
        found: "step \(saved.step), epoch \(saved.epoch), batch \(saved.batch)")
    }
    try optimizer.restore(checkpoint.moments, step: saved.step)
    try checkpoint.network.restore(
      network, arithmetic: loop.arithmetic, observers: loop.observers)
    best = checkpoint.best
    position = saved
  }

  func run() throws -> StageResult {
    if position.isFinished { return result }
    lastTick = clock.now
    while position.epoch < stage.epochs {
      while position.batch < batches {
        try step()
        report(always: false)
        if loop.shouldStop() {
          try save()
          return result
        }
        if let plan = loop.checkpoints, elapsed(since: lastSave) >= plan.everySeconds { try save() }
      }
      try finishEpoch()
    }
    try best?.restore(network, arithmetic: loop.arithmetic, observers: loop.observers)
    position.isFinished = true
    try save()
    return result
  }

  private var result: StageResult {
    StageResult(
      best: position.isFinished ? position.best : nil, epochs: position.epochs,
      isFinished: position.isFinished)
  }

  private func step() throws {
    let isLast = position.batch + 1 == batches
    let next =
      isLast
      ? (position.epoch + 1 < stage.epochs ? (position.epoch + 1, 0) : nil)
      : (position.epoch, position.batch + 1)
    let batch = try prefetcher.take(epoch: position.epoch, index: position.batch, next: next)
    let (gradients, report) = gradientStep.gradients(
      network, batch, random: random.split(UInt64(position.step)))
    let rate = schedule.learningRate(at: position.step)
    guard report.loss.isFinite, optimizer.step(gradients, learningRate: rate).isFinite else {
      throw diverged(batch, gradients)
    }
    for (population, statistics) in report.statistics {
      network.updateStatistics(of: population, statistics)
    }
    position.running.add(report, of: batch)
    samples += batch.count
    position.batch += 1
    position.step += 1
    for observer in loop.observers {
      try observer.didStep(position.step, of: schedule.totalSteps, network)
    }
    tick()
  }

  private func finishEpoch() throws {
    let report = try validation.run(network, batches: loop.source.validationBatchCount) {
      try loop.source.validationBatch($0)
    }
    guard report.loss.isFinite else {
      throw diverged(try loop.source.validationBatch(0), [])
    }
    tick()
    let running = position.running
    let metrics = EpochMetrics(
      stage: stage.name, epoch: position.epoch, step: position.step,
      learningRate: Double(schedule.learningRate(at: position.step - 1)),
      trainingLoss: running.mean(running.loss),
      trainingAccuracy: running.accuracy, validation: report,
      trainingRates: running.rates.map(running.mean), sparsity: network.sparsity,
      isEligible: loop.observers.allSatisfy { $0.isEligible(epoch: position.epoch) },
      seconds: running.seconds)
    self.report(always: true)
    position.epochs.append(metrics)
    for observer in loop.observers { try observer.didFinishEpoch(metrics, network) }
    let isBest = metrics.isEligible && (position.best.map { metrics.isAtLeast($0) } ?? true)
    position.epoch += 1
    position.batch = 0
    position.running = RunningMetrics(layers: running.rates.count)
    if isBest {
      let snapshot = try NetworkSnapshot(
        network, arithmetic: loop.arithmetic, observers: loop.observers)
      best = snapshot
      position.best = metrics
      if let plan = loop.checkpoints { try checkpoint(snapshot, best: nil).write(to: plan.best) }
    }
    try loop.onEpoch?(metrics)
    try save()
  }

  // MARK: Saving and telling

  private func save() throws {
    guard let plan = loop.checkpoints else { return }
    try checkpoint(
      NetworkSnapshot(network, arithmetic: loop.arithmetic, observers: loop.observers), best: best
    )
    .write(to: plan.last)
    lastSave = clock.now
  }

  private func checkpoint(_ snapshot: NetworkSnapshot, best: NetworkSnapshot?) -> Checkpoint {
    Checkpoint(
      position: position, network: snapshot, best: best, moments: optimizer.namedMoments)
  }

  private func diverged(_ batch: TrainingBatch, _ gradients: [Tensor]) -> LearningError {
    let (place, quantity) = network.firstNonFinite(
      batch, gradients, loop.arithmetic, shardSize: stage.shardSize)
    return .diverged(
      place: place, quantity: quantity, stage: stage.name, epoch: position.epoch + 1,
      batch: position.batch + 1)
  }

  private func elapsed(since instant: ContinuousClock.Instant) -> Double {
    let parts = (clock.now - instant).components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }

  private func tick() {
    let passed = elapsed(since: lastTick)
    lastTick = clock.now
    seconds += passed
    position.running.seconds += passed
  }

  private func report(always: Bool) {
    guard let onProgress = loop.onProgress, always || elapsed(since: lastProgress) >= 0.2 else {
      return
    }
    lastProgress = clock.now
    let running = position.running
    let speed = seconds > 0 ? Double(samples) / seconds : 0
    let samplesLeft =
      running.mean(Double(running.samples)) > 0 && position.batch > 0
      ? Double(schedule.totalSteps - position.step) * Double(running.samples)
        / Double(position.batch) : 0
    onProgress(
      TrainingProgress(
        stage: stage.name, epoch: position.epoch, epochs: stage.epochs, batch: position.batch,
        batches: batches, loss: running.mean(running.loss),
        accuracy: running.accuracy,
        learningRate: Double(schedule.learningRate(at: max(0, position.step - 1))),
        samplesPerSecond: speed, secondsLeft: speed > 0 ? samplesLeft / speed : 0,
        layers: network.spiking.map { network.populations[$0].name },
        layerRates: running.rates.map(running.mean)))
  }
}

extension EpochMetrics {
  /// Whether this later epoch replaces `other` as the best.
  func isAtLeast(_ other: EpochMetrics) -> Bool {
    validation.accuracy == other.validation.accuracy
      ? validation.loss <= other.validation.loss
      : validation.accuracy > other.validation.accuracy
  }
}
