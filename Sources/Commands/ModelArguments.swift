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
      The data set: moving-shapes; mnist, fashion_mnist or nmnist in the folder SNN_DATA; or a path.
      """)
  var data: String

  @Flag(help: "Print the report as JSON.")
  var json = false

  /// The file's bytes and the model loaded by the C runtime.
  func load() throws -> (bytes: [UInt8], loaded: SessionModel) {
    guard let data = FileManager.default.contents(atPath: model) else {
      throw CommandFailure("\(model): expected a model file, found no readable file")
    }
    let bytes = [UInt8](data)
    do {
      return (bytes, try SessionModel(bytes))
    } catch {
      throw CommandFailure("\(model): \(error)")
    }
  }

  /// The data set, binned as the model wants it.
  func open(for model: Model) throws -> any Dataset {
    var options = DatasetCatalog.Options()
    if model.stepMicroseconds > 0 {
      options.steps = model.steps
      options.stepMicroseconds = model.stepMicroseconds
    }
    return try DatasetCatalog.open(
      data, environment: ProcessInfo.processInfo.environment, options: options)
  }
}

extension Split: ExpressibleByArgument {}
