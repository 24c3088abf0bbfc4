import Evaluation
import Foundation
import ModelFormat
import Testing

/// Every model in `models/` against its golden trace, by both engines.
@Suite struct GoldenModelTests {
  /// The repository's root.
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Folders under `models/` with a model and a trace.
  static let folders: [String] = {
    let models = root.appendingPathComponent("models").path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: models)) ?? []
    return names.sorted().map { "\(models)/\($0)" }.filter { folder in
      ["model.snnpb", "golden.snntrace"].allSatisfy {
        FileManager.default.fileExists(atPath: "\(folder)/\($0)")
      }
    }
  }()

  @Test(arguments: folders) func modelReplaysItsTrace(_ folder: String) throws {
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
