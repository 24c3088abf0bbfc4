import Datasets
import Foundation
import Learning
import ModelCompression
import ModelExport
import ModelFormat
import Spiking

/// All stages of a recipe, from the first or from where a run stopped.
struct TrainingRun {
  private let recipe: Recipe
  private let dataset: any Dataset
  private let network: Network
  private let progress = ProgressLine()

  /// Opens the data set and builds the network; throws where the recipe is impossible.
  init(_ recipe: Recipe) throws {
    self.recipe = recipe
    dataset = try recipe.data.open(environment: ProcessInfo.processInfo.environment)
    network = try recipe.network(for: dataset)
    for (index, stage) in recipe.stages.enumerated() {
      do {
        try check(stage)
      } catch {
        throw CommandFailure("stages.\(index): \(error)")
      }
    }
  }

  /// Finds what a stage asks of layers and samples that they do not have, before any is trained.
  private func check(_ stage: StageRecipe) throws {
    try StageCompression(stage).validate(for: network)
    _ = try network.penalties(stage.activity)
    _ = try DatasetBatches(
      dataset, batchSize: 1, augmentation: stage.augmentation, seed: recipe.seed, trainingLimit: 1,
      validationLimit: 1)
  }

  /// Trains all stages, or those that are left, and measures the result.
  func run(in folder: RunFolder, resuming: Bool) throws {
    let synapses = network.projections.reduce(0) { $0 + $1.weight.value.count }
    printLine(
      "\(recipe.name): \(recipe.network.summary), T = \(network.steps), \(synapses) synapses, "
        + "on \(dataset.name) (\(dataset.count(in: .train)) training, "
        + "\(dataset.count(in: .validation)) validation samples)")
    printLine("run: \(folder.url.relativePath)")
    var checkpoint: Checkpoint?
    if resuming, FileManager.default.fileExists(atPath: folder.last.path) {
      let last = try Checkpoint(contentsOf: folder.last)
      try folder.truncateMetrics(to: last.position)
      printLine(
        last.position.isFinished
          ? "resuming after stage \(last.position.stageName), which is finished"
          : "resuming stage \(last.position.stageName) at epoch \(last.position.epoch + 1), "
            + "batch \(last.position.batch)")
      checkpoint = last
    } else {
      try calibrate()
    }
    for index in recipe.stages.indices {
      if let position = checkpoint?.position, index < position.stageIndex { continue }
      let isUnderWay = checkpoint?.position.stageIndex == index
      try run(stage: index, in: folder, from: isUnderWay ? checkpoint : nil)
    }
    if try StageMeasurement.read(from: folder).isEmpty {
      try measure(in: folder)
    } else {
      printLine("finished and measured before; the test split is not read again")
    }
  }

  private func batches(_ stage: StageRecipe) throws -> DatasetBatches {
    try DatasetBatches(
      dataset, batchSize: stage.batch, augmentation: stage.augmentation, seed: recipe.seed,
      trainingLimit: recipe.data.trainingLimit, validationLimit: recipe.data.validationLimit)
  }

  private func calibrate() throws {
    guard let calibration = recipe.calibration else { return }
    let source = try DatasetBatches(
      dataset, batchSize: calibration.samples, augmentation: nil, seed: recipe.seed,
      trainingLimit: recipe.data.trainingLimit, validationLimit: 1)
    let reports = try ThresholdCalibration(calibration, shardSize: recipe.shardSize).run(
      network, on: source.trainingBatch(epoch: 0, index: 0))
    for report in reports {
      printLine(
        String(
          format: "calibrated %@: thresholds %.3f to %.3f, rate %.3f%@", report.name,
          report.thresholds.lowerBound, report.thresholds.upperBound, report.rate,
          report.isSilent ? "  (silent: it cannot learn)" : ""))
    }
  }

  private func run(
    stage index: Int, in folder: RunFolder, from checkpoint: Checkpoint?
  ) throws {
    let stage = recipe.stages[index]
    let compression = try StageCompression(stage)
    let arithmetic = try compression.prepare(network)
    var loop = TrainingLoop(
      network: network, arithmetic: arithmetic, stage: TrainingStage(recipe, index: index),
      source: try batches(stage))
    loop.observers = [compression]
    loop.checkpoints = folder.plan(forStage: stage.name)
    loop.onProgress = { progress.show($0) }
    let layers = network.spiking.map { network.populations[$0].name }
    loop.onEpoch = { metrics in
      if stage.quantization != nil { try checkBounds(stage, arithmetic) }
      try folder.append(metrics, layers: layers)
      progress.clear()
      printLine(
        String(
          format:
            "%@ %d/%d  loss %.4f  train %.2f %%  validation %.2f %%  rates %@  pruned %.1f %%  %@",
          stage.name, metrics.epoch + 1, stage.epochs, metrics.trainingLoss,
          metrics.trainingAccuracy * 100, metrics.validation.accuracy * 100,
          metrics.validation.rates.map { String(format: "%.3f", $0) }.joined(separator: " "),
          metrics.sparsity * 100, ProgressLine.duration(metrics.seconds)))
    }
    let result = try loop.run(resuming: checkpoint)
    progress.clear()
    if let best = result.best {
      printLine(
        String(
          format: "%@: best epoch %d, validation %.2f %%", stage.name, best.epoch + 1,
          best.validation.accuracy * 100))
    }
  }

  /// A network whose sums could leave the integers of a device is told now, not after hours at export.
  private func checkBounds(_ stage: StageRecipe, _ arithmetic: any Arithmetic) throws {
    let model = try lower(
      network, arithmetic,
      as: ExportDescription(name: recipe.name, maximumSteps: network.steps))
    do {
      let bound = try model.validate().populations[model.readout].largest * network.steps
      // The trainer's read-out is float32, and its scores are told apart after a multiplication.
      guard bound < 1 << 23 else {
        throw CommandFailure(
          "stage \(stage.name): read-out: expected scores below \(1 << 23), found a bound of "
            + "\(bound); fewer bits, inputs or steps lower it")
      }
    } catch let error as ModelError {
      throw CommandFailure(
        "stage \(stage.name): \(error); fewer bits or inputs keep the sums in bounds")
    }
  }

  /// Reads the test split once: the best network of every stage.
  private func measure(in folder: RunFolder) throws {
    let test = try SplitBatches(dataset, split: .test)
    var results: [StageMeasurement] = []
    for stage in recipe.stages {
      let best = try Checkpoint(contentsOf: folder.best(ofStage: stage.name))
      let compression = try StageCompression(stage)
      let arithmetic = try compression.prepare(network)
      try best.network.restore(network, arithmetic: arithmetic, observers: [compression])
      let report = Validation(arithmetic: arithmetic, shardSize: recipe.shardSize).run(
        network, batches: test.count
      ) { test.batch($0) }
      let measurement = StageMeasurement(
        stage: stage.name, epoch: (best.position.best?.epoch ?? 0) + 1,
        validationAccuracy: best.position.best?.validation.accuracy ?? 0,
        testAccuracy: report.accuracy, testSamples: report.samples,
        meanActivity: network.meanActivity(report.rates), rates: report.rates)
      results.append(measurement)
      printLine(
        String(
          format: "%@: test %.2f %% of %d samples, mean activity %.2f %%", stage.name,
          report.accuracy * 100, report.samples, measurement.meanActivity * 100))
    }
    try StageMeasurement.write(results, to: folder)
    if case .events = dataset.input {
      let baseline = try FrameSumBaseline(
        dataset: dataset, trainingLimit: recipe.data.trainingLimit)
      printLine(
        String(
          format:
            "for comparison, a static classifier of the events summed over time: test %.2f %%",
          baseline.testAccuracy * 100))
    }
  }
}

/// What a stage's best network does on the test split.
struct StageMeasurement: Codable {
  var stage: String
  /// From 1.
  var epoch: Int
  var validationAccuracy: Double
  var testAccuracy: Double
  var testSamples: Int
  /// Spikes per hidden neuron and step.
  var meanActivity: Double
  var rates: [Double]

  private static func file(of folder: RunFolder) -> URL {
    folder.url.appendingPathComponent("results.json")
  }

  static func write(_ results: [StageMeasurement], to folder: RunFolder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try replaceFile(file(of: folder).path, with: [UInt8](encoder.encode(results)))
  }

  /// The stored results, empty where training has not finished.
  static func read(from folder: RunFolder) throws -> [StageMeasurement] {
    let file = file(of: folder)
    guard let data = FileManager.default.contents(atPath: file.path) else { return [] }
    do {
      return try JSONDecoder().decode([StageMeasurement].self, from: data)
    } catch {
      throw CommandFailure("\(file.path): expected the results of a run's stages, found \(error)")
    }
  }
}

extension Network {
  /// Spikes per hidden neuron and step, from the rates of the spiking populations.
  func meanActivity(_ rates: [Double]) -> Double {
    let counts = spiking.map { Double(populations[$0].shape.count) }
    return zip(rates, counts).reduce(0) { $0 + $1.0 * $1.1 } / counts.reduce(0, +)
  }
}

extension Recipe {
  /// The untrained network of this recipe for a data set.
  func network(for dataset: any Dataset) throws -> Network {
    try makeNetwork(
      input: dataset.input.port, classes: dataset.classNames.count,
      steps: dataset.input.steps)
  }
}
