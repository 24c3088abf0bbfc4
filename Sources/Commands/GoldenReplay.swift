import Evaluation
import Foundation
import ModelFormat

/// The `golden.snntrace` beside a model: what the model computed when it was exported.
struct GoldenReplay {
  let path: String
  /// Samples it holds.
  let samples: Int

  /// Replays the trace beside the model at `path` by the reference and the C runtime; nil if there is none, or one of
  /// another model. Throws at the first difference.
  init?(beside path: String, _ loaded: SessionModel) throws {
    let folder = NSString(string: path).deletingLastPathComponent
    self.path = NSString(string: folder).appendingPathComponent("golden.snntrace")
    guard let content = FileManager.default.contents(atPath: self.path) else { return nil }
    let text = String(decoding: content, as: UTF8.self)
    let begin = "snntrace 1 "
    if text.hasPrefix(begin) && !text.hasPrefix("\(begin)\(loaded.model.name)\n") { return nil }
    let report: CheckReport
    do {
      report = try EngineCheck(loaded).replay(GoldenTrace(text: text, for: loaded.model))
    } catch {
      throw CommandFailure("\(self.path): \(error)")
    }
    if let difference = report.difference {
      throw CommandFailure("\(self.path): not what this model computes: \(difference.text)")
    }
    samples = report.samples
  }

  /// The outcome for people.
  var text: String { "equal: \(path), \(counted(samples, "sample"))" }
}
