import ArgumentParser
import Datasets
import Evaluation
import Foundation
import ModelFormat

/// A model file and the data set it is run on.
struct ModelArguments: ParsableArguments {
  @Argument(help: "The model file.")
  var model: String

  @Option(
    help: """
      The data set: \(DatasetCatalog.builtInNames.joined(separator: " or ")); \
      \(DatasetCatalog.fileNames.joined(separator: ", ")) in the folder SNN_DATA; or a path.
      """)
  var data: String

  @Flag(help: "Print the report as JSON.")
  var json = false

  /// The file's bytes and the model loaded by the C runtime.
  func load() throws -> (bytes: [UInt8], loaded: SessionModel) {
    try reading(model) { bytes in (bytes, try SessionModel(bytes)) }
  }

  /// The data set for `split`, binned as the model wants it. Throws where its samples are none of the model's.
  func open(_ split: Split, for model: Model) throws -> any Dataset {
    var options = DatasetCatalog.Options()
    options.splits = [split]
    if model.stepMicroseconds > 0 {
      options.steps = model.steps
      options.stepMicroseconds = model.stepMicroseconds
    }
    let dataset = try DatasetCatalog.open(
      data, environment: ProcessInfo.processInfo.environment, options: options)
    guard dataset.count(in: split) > 0 else { return dataset }
    let sample = try dataset.sample(at: 0, in: split)
    do {
      _ = try InferenceInput(sample, at: 0, for: model)
    } catch {
      throw CommandFailure("\(self.model) on \(data): \(error)")
    }
    return dataset
  }
}

/// What `body` makes of the bytes of the model file at `path`; an error names the path.
func reading<Result>(_ path: String, _ body: ([UInt8]) throws -> Result) throws -> Result {
  guard let data = FileManager.default.contents(atPath: path) else {
    throw CommandFailure("\(path): expected a model file, found no readable file")
  }
  guard !data.isEmpty else {
    throw CommandFailure("\(path): expected a model file, found an empty file")
  }
  do {
    return try body([UInt8](data))
  } catch {
    throw CommandFailure("\(path): \(error)")
  }
}

extension Split: ExpressibleByArgument {}
