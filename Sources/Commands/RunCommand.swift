import ArgumentParser
import Datasets
import Evaluation

/// `snn-run model.snnpb --data SET`: the C runtime over a data set.
public struct RunCommand: ParsableCommand {
  /// The command's name and help.
  public static let configuration = CommandConfiguration(
    commandName: "snn-run",
    abstract: "Runs a model over a data set and reports accuracy, sparsity, operations and energy.")

  @OptionGroup var arguments: ModelArguments

  @Option(help: "The split: train, validation or test.")
  var split: Split = .test

  @Option(help: "Only the first N samples.")
  var limit: Int?

  @Flag(name: .customLong("every-step"), help: "Also report the accuracy after every step.")
  var everyStep = false

  /// An unparsed command.
  public init() {}

  /// Refuses options that exclude each other or are out of range, before anything is done.
  public func validate() throws {
    if let limit, limit < 1 {
      throw ValidationError("--limit: expected at least 1, found \(limit)")
    }
  }

  /// Does what the command is for; failures end the program with one line on standard error.
  public func run() throws {
    try reportingFailure {
      let (bytes, loaded) = try arguments.load()
      let dataset = try arguments.open(split, for: loaded.model)
      let totals = try loaded.score(
        dataset, split: split, options: ScoringOptions(limit: limit, everyStep: everyStep))
      let report = EvaluationReport(
        of: totals, loaded: loaded, modelBytes: bytes.count, dataset: dataset.name,
        split: split.rawValue)
      printLine(arguments.json ? try report.json() : report.text)
    }
  }
}
