import ArgumentParser
import Foundation
import ModelFormat
import Tensors

/// `snn-bench`: how fast networks train and answer, how large models are, and whether the bars are met.
public struct BenchCommand: ParsableCommand {
  /// The command's name and help.
  public static let configuration = CommandConfiguration(
    commandName: "snn-bench",
    abstract: "Measures training, inference and sizes beside the machine's own limits.",
    discussion: """
      N1 to N5 are networks with random weights on random input. A bound is the time the multiply-adds \
      alone would take at the speed of a 1024x1024x1024 matrix product, measured between the steps on \
      the same number of threads. Only ratios within one run compare; absolute figures are a day's.
      """)

  enum Section: String, CaseIterable, ExpressibleByArgument {
    case training, inference, sizes, memory
  }

  @Option(help: "Also write the figures to this file.")
  var json: String?

  @Flag(help: "Few repetitions, and no N4 unless named: tells that it runs, not how fast.")
  var quick = false

  @Option(help: "Only these: training, inference, sizes, memory. Default: all.")
  var only: [Section] = []

  @Option(help: "Only these networks, such as N1. Default: all.")
  var network: [String] = []

  @Option(help: "Samples per shard in training. Default: the rule's.")
  var shardSize: Int?

  @Option(help: "The folder of models, each a folder with a model.snnpb.")
  var models = "models"

  /// An unparsed command.
  public init() {}

  /// Refuses options that exclude each other or are out of range, before anything is done.
  public func validate() throws {
    let known = BenchNetwork.all.map(\.name)
    if let unknown = network.first(where: { !known.contains($0) }) {
      throw ValidationError(
        "--network: expected one of \(known.joined(separator: ", ")), found \(unknown)")
    }
    if let shardSize, !(1...1024).contains(shardSize) {
      throw ValidationError("--shard-size: expected 1...1024, found \(shardSize)")
    }
  }

  /// Does what the command is for; failures end the program with one line on standard error.
  public func run() throws {
    try reportingFailure {
      let sections = only.isEmpty ? Section.allCases : only
      let subjects = BenchNetwork.all.filter { network.isEmpty || network.contains($0.name) }
        .filter { !quick || !network.isEmpty || $0.name != "N4" }
      var report = BenchReport(processorCount: Parallel.coreCount)
      // First of all, while this process has no other children.
      if sections.contains(.memory) {
        report.runner = try RunnerMemory.measure(
          model: "\(models)/moving-shapes/model.snnpb", samples: 100)
      }
      report.matrixProductRates = [1, 2].map { threads in
        (0..<(quick ? 3 : 20)).map { _ in MachineLimits.matrixProductRate(threads: threads) }.max()
          ?? 0
      }
      printLine(report.limitsText)
      if sections.contains(.training) {
        let bench = TrainingBench(
          rounds: quick ? 2 : 8, roundSeconds: quick ? 0.05 : 0.3, shardSize: shardSize)
        for subject in subjects { report.training += try bench.run(subject) }
        printLine("\n" + report.trainingText)
      }
      if sections.contains(.inference) {
        let bench = InferenceBench(seconds: quick ? 0.1 : 2)
        report.inference = try subjects.filter { $0.name != "N4" }.map(bench.run)
        printLine("\n" + report.inferenceText)
      }
      if sections.contains(.sizes) {
        report.models = try ModelSize.all(in: models)
        printLine("\n" + report.sizesText)
      }
      if let text = report.memoryText { printLine("\n" + text) }
      if let json { try replaceFile(json, with: [UInt8](report.json())) }
    }
  }
}
