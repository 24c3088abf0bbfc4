import Evaluation
import Foundation
import ModelFormat
import Testing

/// Every model in `models/` against its golden trace, by both engines.
@Suite struct GoldenModelTests {
  /// The repository's root.
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The folders of `models/` that hold a model and its trace.
  static let names = [
    "cue-memory", "fashion-conv", "fashion-diet", "fashion-pool", "mnist-conv", "mnist-diet",
    "mnist-mlp", "mnist-pool", "moving-shapes", "nmnist-diet",
  ]

  @Test func everyModelOfThePageIsReplayed() throws {
    let models = Self.root.appendingPathComponent("models")
    let page = try String(contentsOf: models.appendingPathComponent("README.md"), encoding: .utf8)
    let links = page.matches(of: /^\| \[([^\]]+)\]\(\1\/CARD\.md\)/.anchorsMatchLineEndings())
    #expect(links.map { String($0.output.1) } == Self.names)
    let folders = try FileManager.default.contentsOfDirectory(atPath: models.path).filter {
      FileManager.default.fileExists(atPath: "\(models.path)/\($0)/model.snnpb")
    }
    #expect(folders.sorted() == Self.names)
  }

  @Test(arguments: names) func modelReplaysItsTrace(_ name: String) throws {
    let folder = Self.root.appendingPathComponent("models/\(name)").path
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(folder)/model.snnpb")))
    let loaded = try SessionModel(bytes)
    let text = try String(contentsOfFile: "\(folder)/golden.snntrace", encoding: .utf8)
    let trace = try GoldenTrace(text: text, for: loaded.model)
    let check = EngineCheck(loaded)
    let report = try check.replay(trace)
    #expect(report.isEqual, "\(report.text)")
    let steps = try check.run(trace.samples.map(\.input))
    #expect(steps.isEqual, "\(steps.text)")
  }
}
