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

  @Option(
    name: .customLong("c-source"),
    help: "Also write the device image as C source into this folder.")
  var cSource: String?

  @Option(help: "Also write the device image to this file, such as model.snnimg.")
  var image: String?

  @Option(
    help: ArgumentHelp(
      "The board to serve: checks that it holds the image and reports what the image takes.",
      valueName: "board"))
  var target: DeviceTarget?

  @Option(help: "What weight rows are chosen for.")
  var prefer = DevicePreference.speed

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
      var report = try ExportReport(
        of: source, encoded: encoded, stateBytes: loaded.stateBytes, real: real, removed: removed)
      let device = try deviceImage(of: source)
      report.device = device?.report
      // The model last: where it is, the files beside it are too.
      if let golden, let trace { try replaceFile(golden, with: Array(trace.text().utf8)) }
      if let cSource, let device {
        try CSource(device).write(to: cSource)
        try SelfTestSource(device, of: source).write(to: cSource)
      }
      if let image, let device { try device.write(to: image) }
      try ModelFile.write(source, to: model)
      printLine(json ? try report.json() : report.text)
    }
  }

  /// The image, where something is asked of it.
  private func deviceImage(of model: Model) throws -> DeviceImage? {
    guard cSource != nil || image != nil || target != nil else { return nil }
    let image = try DeviceImage(model, cost: target?.cost ?? .dsp, preferring: prefer)
    try target?.check(image)
    return image
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

extension DeviceTarget: ExpressibleByArgument {
  public init?(argument: String) { self.init(named: argument) }

  public static var allValueStrings: [String] { all.map(\.name) }
}

extension DevicePreference: ExpressibleByArgument {}
