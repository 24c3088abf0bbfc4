import Foundation
import Testing

@testable import ModelFormat

/// Files that are no model of the format, before every command that reads one.
@Suite struct DamagedModelTests {
  /// What each command says about the model at `damaged.snnpb`: its line after the path.
  private func refusals(
    of bytes: [UInt8], in folder: ScratchFolder, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> [String] {
    try folder.write(bytes, to: "damaged.snnpb")
    let calls: [(Command, [String])] = [
      (.run, ["damaged.snnpb", "--data", "bars"]), (.check, ["damaged.snnpb", "--data", "bars"]),
      (.export, ["out.snnpb", "--from", "damaged.snnpb", "--c-source", "c"]),
    ]
    return try calls.map { command, arguments in
      let outcome = try command.run(arguments, in: folder)
      let line = outcome.failure(of: command, sourceLocation: sourceLocation)
      #expect(outcome.output == "", sourceLocation: sourceLocation)
      #expect(line.hasPrefix("damaged.snnpb: "), "\(line)", sourceLocation: sourceLocation)
      #expect(!folder.exists("out.snnpb") && !folder.exists("c"), sourceLocation: sourceLocation)
      return String(line.dropFirst("damaged.snnpb: ".count))
    }
  }

  @Test func missingAndEmptyFiles() throws {
    let folder = try TinyTask.trained()
    let calls: [(Command, String)] = [(.run, "none.snnpb"), (.check, "none.snnpb"), (.run, "bars")]
    for (command, model) in calls {
      let line = try command.run(model, "--data", "bars", in: folder).failure(of: command)
      #expect(line == "\(model): expected a model file, found no readable file")
    }
    let line = try Command.export.run("x.snnpb", "--from", "none", in: folder).failure(of: .export)
    #expect(line == "\(folder.path("none")): expected a run's folder with recipe.yaml, found none")
    for line in try refusals(of: [], in: folder) {
      #expect(line == "expected a model file, found an empty file")
    }
  }

  @Test func textIsNoModel() throws {
    let folder = try TinyTask.trained()
    let lines = try refusals(of: folder.read("recipe.yaml"), in: folder)
    #expect(
      lines[0]
        == "model: expected valid bytes, found: not a .snnpb message, or one that is cut short")
    #expect(lines[1] == lines[0])
    #expect(lines[2] == "file: expected a protobuf message, found other bytes")
  }

  @Test func cutAndLengthenedFilesAreRefused() throws {
    let folder = try TinyTask.trained()
    let whole = try folder.read("model.snnpb")
    for count in [1, whole.count / 4, whole.count / 2, whole.count - 1] {
      _ = try refusals(of: Array(whole[..<count]), in: folder)
    }
    _ = try refusals(of: whole + Array("more bytes".utf8), in: folder)
    _ = try refusals(of: whole + whole, in: folder)
  }

  @Test func flippedBitsAreRefused() throws {
    let folder = try TinyTask.trained()
    let whole = try folder.read("model.snnpb")
    let isLong = ProcessInfo.processInfo.environment["SNN_LONG_TESTS"] == "1"
    for place in stride(from: 0, to: whole.count, by: isLong ? 3 : max(1, whole.count / 4)) {
      var bytes = whole
      bytes[place] ^= UInt8(1 << (place % 8))
      _ = try refusals(of: bytes, in: folder)
    }
  }

  /// A model that is still valid: only the golden trace knows what it should compute.
  @Test func aChangedThresholdIsFoundByTheGoldenTrace() throws {
    let folder = try TinyTask.trained()
    let exported = try Command.export.run(
      "model.snnpb", "--from", "run", "--golden", "golden.snntrace", in: folder)
    try #require(exported.code == 0, "\(exported.errors)")
    let arguments = ["model.snnpb", "--data", "bars", "--limit", "1"]
    let whole = try Command.check.run(arguments, in: folder)
    #expect(whole.code == 0, "\(whole.errors)")
    #expect(whole.output.hasPrefix("equal: tiny, 1 sample, 3 steps, "), "\(whole.output)")
    #expect(whole.output.hasSuffix("equal: golden.snntrace, 3 samples\n"), "\(whole.output)")

    try folder.write(
      message(of: folder) { $0.populations[0].threshold[0] += 1 }, to: "model.snnpb")
    let line = try Command.check.run(arguments, in: folder).failure(of: .check)
    #expect(
      line.hasPrefix(
        "golden.snntrace: not what this model computes: reference: sample 0, population \"conv1\": "
          + "hash: expected "), "\(line)")
    folder.remove("golden.snntrace")
    #expect(try Command.check.run(arguments, in: folder).code == 0)

    try folder.write("snntrace 1 another\n", to: "golden.snntrace")
    #expect(try Command.check.run(arguments, in: folder).code == 0)
    try folder.write("snntrace\n", to: "golden.snntrace")
    let none = try Command.check.run(arguments, in: folder).failure(of: .check)
    #expect(
      none.hasPrefix("golden.snntrace: line 1: expected \"snntrace 1\" and the model's name"))
  }

  // MARK: Whole messages that break a rule

  private func message(
    of folder: ScratchFolder, _ change: (inout PBModel) -> Void
  ) throws -> [UInt8] {
    var message = try PBModel(serializedBytes: folder.read("model.snnpb"))
    change(&message)
    return try message.fileBytes()
  }

  @Test func anUnknownMajorIsRefused() throws {
    let folder = try TinyTask.trained()
    let lines = try refusals(of: message(of: folder) { $0.formatMajor = 3 }, in: folder)
    #expect(lines[0] == "format_major: expected 2, found 3: format version not supported")
    #expect(lines[1] == lines[0])
    #expect(lines[2] == "format_major: expected 1 or 2, found 3")
  }

  @Test func brokenRulesAreNamed() throws {
    let folder = try TinyTask.trained()
    let changes: [(place: String, change: (inout PBModel) -> Void)] = [
      // A population that drives itself in the same step.
      (
        "projections",
        { model in
          var loop = model.projections[1]
          loop.name = "loop"
          loop.population = 1
          loop.target = 1
          loop.pool = 1
          loop.weights = dense(rows: 8, columns: 8)
          model.projections.append(loop)
        }
      ),
      // A column beyond the last.
      (
        "weights.index",
        { model in
          var weights = dense(rows: 8, columns: 3)
          weights.layout = .csr
          weights.stored = 1
          weights.values = Data([1])
          weights.valuesSize = 1
          weights.index = Data([1, 3, 0, 0, 0, 0, 0, 0, 0])
          weights.indexSize = 9
          model.projections[2].weights = weights
        }
      ),
      // Sums of a read-out that leave int32.
      (
        "populations[2]",
        { model in
          model.steps = 65535
          model.maxSteps = 65535
          model.projections[2].shift = 15
        }
      ),
      ("shape", { $0.populations[1].shape.channels = .max }),
      ("weights", { $0.projections[1].weights.rows = 1 << 30 }),
      ("weights", { $0.projections[1].weights.stored = .max }),
      ("weights", { $0.projections[1].weights.valuesSize = .max }),
      ("readout", { $0.readout = 9 }), ("steps", { $0.steps = 0 }),
      ("populations (count)", { $0.populations = Array(repeating: $0.populations[0], count: 300) }),
    ]
    for (place, change) in changes {
      for line in try refusals(of: message(of: folder, change), in: folder) {
        // The runtime names fields, the library also counts: the first word is common.
        let word = place.prefix { $0 != " " }
        #expect(line.contains(word), "\(place): \(line)")
      }
    }
  }

  private func dense(rows: UInt32, columns: UInt32) -> PBWeights {
    var weights = PBWeights()
    weights.rows = rows
    weights.columns = columns
    weights.stored = rows * columns
    weights.values = Data(repeating: 1, count: Int(rows * columns))
    weights.valuesSize = rows * columns
    return weights
  }
}
