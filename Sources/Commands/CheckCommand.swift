import ArgumentParser
import Datasets
import Evaluation
import ModelExport
import ModelFormat

/// `snn-check model.snnpb --data SET`: proves the engines equal.
public struct CheckCommand: ParsableCommand {
  /// The command's name and help.
  public static let configuration = CommandConfiguration(
    commandName: "snn-check",
    abstract: "Proves that all engines compute the same integers, or names the first difference.",
    discussion: """
      Every spike, membrane and counter of the reference simulator is compared with the C runtime \
      (step by step, by whole samples, with the events of each step shuffled) and with the \
      training-time forward pass. Where the model's golden.snntrace lies beside it, it is replayed: engines \
      that agree on a damaged model do not agree with what it computed when it was exported. The exit \
      code is 1 where anything differs.

      With --target the samples run in firmware on an emulated board of targets/, and every \
      prediction, counter and digest of spikes and membranes is compared with the host's; sizes \
      and instructions are reported. A board whose tools are missing is named and left out; with \
      SNN_REQUIRE_TOOLS=1 it is a failure. With --target all, boards that are too small for the \
      model are left out as well; a board that is asked for by name must hold it, or the command \
      fails.
      """)

  @OptionGroup var arguments: ModelArguments

  @Option(help: "Compare the first N samples of the test split.")
  var limit = 100

  @Option(
    name: [.customLong("target"), .customLong("targets")],
    help: "Run on this board, such as cortex-m4; all: on every board. May be given repeatedly.")
  var target: [String] = []

  /// An unparsed command.
  public init() {}

  /// Refuses options that exclude each other or are out of range, before anything is done.
  public func validate() throws {
    if limit < 1 { throw ValidationError("--limit: expected at least 1, found \(limit)") }
  }

  /// Does what the command is for; failures end the program with one line on standard error.
  public func run() throws {
    try reportingFailure {
      guard target.isEmpty else { return try runOnBoards() }
      let (_, loaded) = try arguments.load()
      let golden = try GoldenReplay(beside: arguments.model, loaded)
      let dataset = try arguments.open(.test, for: loaded.model)
      var others: [CheckedEngine] = []
      var absent: String?
      do {
        others = [try .training(loaded.model)]
      } catch let error as TrainingEngineError {
        absent = "training-time forward pass left out: \(error)"
      }
      let model = loaded.model
      let report = try EngineCheck(loaded, others: others).run(
        count: min(limit, dataset.count(in: .test))
      ) { index in
        try InferenceInput(dataset.sample(at: index, in: .test), at: index, for: model)
      }
      printLine(arguments.json ? try report.json() : report.text)
      if let golden, !arguments.json { printLine(golden.text) }
      if let absent, !arguments.json { printLine(absent) }
      if !report.isEqual { throw ExitCode.failure }
    }
  }
}

extension CheckedEngine {
  /// The training-time forward pass on a model's integers. Its projections' counters follow from the spikes by
  /// the forecast. Throws ``TrainingEngineError`` where the trainer could not have made the model.
  static func training(_ model: Model) throws -> CheckedEngine {
    _ = try TrainingEngine(model)
    return CheckedEngine(name: "training-time forward pass") {
      let engine = try TrainingEngine(model)
      let forecast = Forecast(for: model)
      return { input, observe in
        var spikes: [[[UInt32]]] = []
        var failure: (any Error)?
        let inference = engine.run(input) { record in
          spikes.append(record.spikes)
          do { try observe(record) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
        var counters = forecast.counters(of: SpikeHistory(input: input, spikes: spikes))
        counters.populations = inference.counters.populations
        return EngineAnswer(scores: inference.scores, counters: counters)
      }
    }
  }
}
