import Foundation

/// The memory `snn-run` needs for the built-in data set, which is simulated sample by sample: all of
/// it is program and model.
struct RunnerMemory: Codable {
  var model: String
  var samples: Int
  var peakBytes: Int

  static let bar = 30 << 20

  var meetsBar: Bool { peakBytes <= Self.bar }

  /// Runs the program beside this one over `samples` samples; nil where it, or the model, is not there.
  ///
  /// The peak is that of all children of this process, so it may only be asked for once.
  static func measure(model: String, samples: Int) throws -> RunnerMemory? {
    let runner = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("snn-run")
    let files = FileManager.default
    guard files.isExecutableFile(atPath: runner.path), files.fileExists(atPath: model) else {
      return nil
    }
    let child = Process()
    child.executableURL = runner
    child.arguments = [model, "--data", "moving-shapes", "--limit", "\(samples)"]
    child.standardOutput = FileHandle.nullDevice
    try child.run()
    child.waitUntilExit()
    guard child.terminationStatus == 0 else {
      throw CommandFailure(
        "\(runner.path): expected exit code 0 for \(model), found \(child.terminationStatus)")
    }
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    // Linux counts in KiB.
    return RunnerMemory(model: model, samples: samples, peakBytes: usage.ru_maxrss << 10)
  }
}
