import Datasets
import Evaluation
import Foundation
import Learning
import ModelExport
import ModelFormat
import Spiking

/// A run that came to its end, as an integer model and the proof that it is the trained network.
struct TrainedRun {
  let folder: RunFolder
  let recipe: Recipe
  let dataset: any Dataset
  let network: Network
  /// The integers it was trained with.
  let arithmetic: any Arithmetic
  /// The lowered network, neurons that cannot matter cut.
  private(set) var model: Model
  /// What the exit margin that the recipe asks for brought on the validation split; nil: none is asked for.
  private(set) var exit: ExportReport.ExitSummary?
  /// Removed neurons by population.
  let removed: [Int]
  /// Thresholds and leaks as learned, by population.
  let real: [RealParameters]

  /// Samples on which lowering is proven.
  private static let provenSamples = 8

  /// Loads the best network of the last stage, lowers it and proves the model equal. Throws where the run
  /// has not finished, or at the first difference.
  init(_ folder: RunFolder) throws {
    self.folder = folder
    recipe = try folder.readRecipe()
    dataset = try recipe.data.open(
      for: [.validation], environment: ProcessInfo.processInfo.environment)
    network = try recipe.network(for: dataset)
    guard let stage = recipe.stages.last,
      try StageMeasurement.read(from: folder).contains(where: { $0.stage == stage.name })
    else {
      throw CommandFailure(
        "\(folder.url.path): expected a finished run, found no results of its last stage; "
          + "continue it with snn-train --resume")
    }
    let compression = try StageCompression(stage)
    arithmetic = try compression.prepare(network)
    try Checkpoint(contentsOf: folder.best(ofStage: stage.name)).network
      .restore(network, arithmetic: arithmetic, observers: [compression])
    let lowered = try lower(
      network, arithmetic,
      as: ExportDescription(
        name: recipe.name, stepMicroseconds: dataset.input.stepMicroseconds,
        maximumSteps: network.steps, task: Self.task(recipe, dataset, folder)))
    let living = removingDeadNeurons(from: removingEmptyTaps(from: lowered))
    model = living.model
    removed = lowered.populations.indices.map { living.removedCount($0, of: lowered) }
    real = network.populations.map {
      RealParameters(
        thresholds: $0.threshold?.value.elements ?? [], leaks: $0.leak?.value.elements ?? [])
    }
    try prove(lowered)
    try chooseExit()
  }

  private mutating func chooseExit() throws {
    guard let recipe = recipe.exit else { return }
    guard dataset.classNames.count > 1 else {
      throw CommandFailure("exit: expected a data set of two classes at least, found one")
    }
    let choice = try SessionModel(model).chooseExit(
      on: dataset, split: .validation, accuracyLoss: recipe.accuracyLoss)
    model.exit = .margin(choice.margin)
    exit = ExportReport.ExitSummary(
      steps: choice.steps, accuracy: choice.accuracy, fullAccuracy: choice.fullAccuracy)
  }

  private static func task(
    _ recipe: Recipe, _ dataset: any Dataset, _ folder: RunFolder
  ) throws -> Model.Task {
    let results = try StageMeasurement.read(from: folder)
    let isFloat = Set(recipe.stages.filter { $0.quantization == nil }.map(\.name))
    return Model.Task(
      classNames: dataset.classNames, dataset: dataset.name, recipe: try recipe.yaml(),
      floatAccuracy: Float(results.last { isFloat.contains($0.stage) }?.testAccuracy ?? 0),
      integerAccuracy: Float(results.last?.testAccuracy ?? 0))
  }

  /// The trained network, the lowered model and the cut one must give the same integers.
  private func prove(_ lowered: Model) throws {
    let engine = TrainingEngine(network, arithmetic)
    var whole = try ReferenceSimulator(lowered)
    var cut = try ReferenceSimulator(model)
    guard dataset.count(in: .validation) > 0 else {
      throw CommandFailure(
        "\(dataset.name): expected validation samples to prove the model on, found none")
    }
    for sample in 0..<min(Self.provenSamples, dataset.count(in: .validation)) {
      let input = try InferenceInput(
        dataset.sample(at: sample, in: .validation), at: sample, for: lowered)
      var expected: [StepRecord] = []
      var found: [StepRecord] = []
      let trained = engine.run(input) { expected.append($0) }
      let simulated = try whole.run(input) { found.append($0) }
      if let difference = FirstDifference.between(
        expected: expected, found: found, sample: sample)
      {
        throw CommandFailure("the exported model is not the trained network: \(difference)")
      }
      let scores = try cut.run(input).scores
      guard scores == trained.scores, scores == simulated.scores else {
        throw CommandFailure(
          "the exported model is not the trained network: sample \(sample): scores expected "
            + "\(trained.scores), found \(scores)")
      }
    }
  }

  /// Golden inputs: the first validation samples.
  func goldenInputs(_ count: Int) throws -> [(label: Int?, input: InferenceInput)] {
    try (0..<min(count, dataset.count(in: .validation))).map { index in
      let sample = try dataset.sample(at: index, in: .validation)
      return (sample.label, try InferenceInput(sample, at: index, for: model))
    }
  }
}
