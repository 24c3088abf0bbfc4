import ArgumentParser
import Evaluation
import Foundation
import Learning
import ModelExport
import ModelFormat

/// `snn-export model.snnpb`: writes a trained network as an integer model.
public struct ExportCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "snn-export",
    abstract: "Writes a trained network as an integer model and says what it will cost.",
    discussion: """
      The model is proven to be the trained network, spike for spike, before it is written. Given a \
      model file instead of a run, it is read, checked and written anew.
      """)

  @Argument(help: "The model file to write, such as model.snnpb.")
  var model: String

  @Option(help: "A run's folder, or a model file. Default: the newest run in runs.")
  var from: String?

  @Option(name: .customLong("c-source"), help: "Also write the model as C source into this folder.")
  var cSource: String?

  @Option(
    name: .customLong("golden"),
    help: "Also write a golden trace of a few validation samples to this file (from a run only).")
  var golden: String?

  @Flag(help: "Print the report as JSON.")
  var json = false

  public init() {}

  /// Samples of a golden trace: enough to meet every layer, few enough to keep in a repository.
  private static let goldenSamples = 3

  public func run() throws {
    try reportingFailure {
      var (source, removed, real, trace) = try load()
      if let trace { source.goldenDigest = trace.digest }
      let encoded = try ModelFile.encode(source)
      let loaded = try SessionModel(encoded.bytes)
      let report = try ExportReport(
        of: source, encoded: encoded, stateBytes: loaded.stateBytes, real: real, removed: removed)
      // The model last: where it is, the files beside it are too.
      if let golden, let trace { try replaceFile(golden, with: Array(trace.text().utf8)) }
      if let cSource {
        try CSource(source, stateBytes: loaded.stateBytes).write(to: cSource)
      }
      try ModelFile.write(source, to: model)
      printLine(json ? try report.json() : report.text)
    }
  }

  private func load() throws -> (Model, [Int], [RealParameters], GoldenTrace?) {
    if let from, !isFolder(from) {
      guard golden == nil else {
        throw CommandFailure("--golden: expected --from a run, found the model file \(from)")
      }
      return (try reading(from, ModelFile.decode), [], [], nil)
    }
    let run = try TrainedRun(folder())
    let trace = try golden.map { _ in
      try GoldenTrace(of: run.model, inputs: run.goldenInputs(Self.goldenSamples))
    }
    return (run.model, run.removed, run.real, trace)
  }

  private func folder() throws -> RunFolder {
    if let from { return try RunFolder(existing: URL(fileURLWithPath: from)) }
    guard let newest = RunFolder.newest(in: URL(fileURLWithPath: RunSelection.root)) else {
      throw CommandFailure(
        "\(RunSelection.root): expected a run to export, found none; name one with --from")
    }
    return newest
  }

  private func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    // A path that is not there is taken for a run: its error names what a run holds.
    return !FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      || isFolder.boolValue
  }
}
