import ArgumentParser
import Evaluation
import Files
import Foundation
import Learning
import ModelExport
import ModelFormat

/// `snn-export model.snnpb`: writes a trained network as an integer model.
public struct ExportCommand: ParsableCommand {
  /// The command's name and help.
  public static let configuration = CommandConfiguration(
    commandName: "snn-export",
    abstract: "Writes a trained network as an integer model and says what it will cost.",
    discussion: """
      The model is proven to be the trained network, spike for spike, before it is written. Given a \
      model file instead of a run, it is read, checked and written anew.

      Without --from a model file that exists is never replaced: --c-source, --image and --target \
      read it and leave it as it is.
      """)

  @Argument(help: "The model file, such as model.snnpb.")
  var model: String

  @Option(
    help: """
      A run's folder, or a model file. Default: the model file itself where it exists, else the \
      newest run in runs.
      """)
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

  /// An unparsed command.
  public init() {}

  /// Samples of a golden trace: enough to meet every layer, few enough to keep in a repository.
  private static let goldenSamples = 3

  /// Does what the command is for; failures end the program with one line on standard error.
  public func run() throws {
    try reportingFailure {
      let origin = try origin()
      var (source, removed, real, trace, exit) = try load(origin)
      if let trace { source.goldenDigest = trace.digest }
      let encoded = try ModelFile.encode(source)
      let loaded = try SessionModel(encoded.bytes)
      var report = try ExportReport(
        of: source, encoded: encoded, stateBytes: loaded.stateBytes, real: real, removed: removed)
      report.exitChoice = exit
      let device = try deviceImage(of: source)
      report.device = device?.report
      var files = try filesBeside(source, trace, device)
      // The model last: where it is, the files beside it are too.
      if case .named = origin {} else { files.append(FileContent(model, encoded.bytes)) }
      try replaceFiles(files, making: cSource)
      printLine(json ? try report.json() : report.text)
    }
  }

  // MARK: What is read

  /// Where the model comes from.
  private enum Origin {
    case run(RunFolder)
    /// The file that --from names.
    case file(String)
    /// The file that a model is to be written to, and which exists.
    case named
  }

  private var wantsDevice: Bool { cSource != nil || image != nil || target != nil }

  private func origin() throws -> Origin {
    if let from {
      return isRun(from) ? .run(try RunFolder(existing: URL(fileURLWithPath: from))) : .file(from)
    }
    if FileManager.default.fileExists(atPath: model) {
      guard wantsDevice else {
        throw CommandFailure(
          "\(model): expected a new file, found one; name what shall replace it with --from")
      }
      return .named
    }
    guard let newest = RunFolder.newest(in: URL(fileURLWithPath: RunSelection.root)) else {
      throw CommandFailure(
        "\(RunSelection.root): expected a run to export, found none; name one with --from")
    }
    return .run(newest)
  }

  /// A path that is not there is taken for a run, whose error names what a run holds, unless it is named like a
  /// model.
  private func isRun(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path) ? isFolder(path) : !path.hasSuffix(".snnpb")
  }

  private func load(
    _ origin: Origin
  ) throws -> (Model, [Int], [RealParameters], GoldenTrace?, ExportReport.ExitSummary?) {
    switch origin {
    case .file(let path): return (try load(file: path), [], [], nil, nil)
    case .named: return (try load(file: model), [], [], nil, nil)
    case .run(let folder):
      let run = try TrainedRun(folder)
      let trace = try golden.map { _ in
        try GoldenTrace(of: run.model, inputs: run.goldenInputs(Self.goldenSamples))
      }
      return (run.model, run.removed, run.real, trace, run.exit)
    }
  }

  private func load(file path: String) throws -> Model {
    guard golden == nil else {
      throw CommandFailure("--golden: expected --from a run, found the model file \(path)")
    }
    return try reading(path, ModelFile.decode)
  }

  // MARK: What is written

  /// The image, where something is asked of it.
  private func deviceImage(of model: Model) throws -> DeviceImage? {
    guard wantsDevice else { return nil }
    let image = try DeviceImage(model, cost: target?.cost ?? .dsp, preferring: prefer)
    try target?.check(image)
    return image
  }

  /// All that is written beside the model. Throws where two of it, or one and the model, are one file.
  private func filesBeside(
    _ source: Model, _ trace: GoldenTrace?, _ device: DeviceImage?
  ) throws -> [FileContent] {
    var files: [FileContent] = []
    if let golden, let trace { files.append(FileContent(golden, Array(try trace.text().utf8))) }
    if let cSource, let device {
      files += CSource(device).files(in: cSource)
      files += try SelfTestSource(device, of: source).files(in: cSource)
    }
    if let image, let device { files.append(FileContent(image, device.bytes)) }
    var taken = Set([model, from].compactMap { $0.map(Self.place) })
    for file in files where !taken.insert(Self.place(file.path)).inserted {
      throw CommandFailure(
        "\(file.path): expected a place of its own, found that of the model or another output")
    }
    return files
  }

  /// One text for all paths of a file, which need not exist.
  private static func place(_ path: String) -> String {
    let url = URL(fileURLWithPath: path)
    return url.deletingLastPathComponent().resolvingSymlinksInPath()
      .appendingPathComponent(url.lastPathComponent).path
  }
}

extension DeviceTarget: ExpressibleByArgument {
  /// The board of a name, nil where there is none.
  public init?(argument: String) { self.init(named: argument) }

  /// The names of all boards.
  public static var allValueStrings: [String] { all.map(\.name) }
}

extension DevicePreference: ExpressibleByArgument {}
