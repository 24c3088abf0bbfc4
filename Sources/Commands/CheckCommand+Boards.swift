import ArgumentParser
import Datasets
import Evaluation
import Foundation
import ModelExport
import ModelFormat

extension CheckCommand {
  /// Runs the samples on the boards asked for, prints their reports, and fails where one differs.
  func runOnBoards() throws {
    let (file, loaded) = try arguments.load()
    _ = try GoldenReplay(beside: arguments.model, loaded)
    let emulator = try Emulator()
    let boards = try chosen(from: emulator.boards())
    let dataset = try arguments.open(.test, for: loaded.model)
    let samples = try (0..<min(limit, dataset.count(in: .test))).map { index in
      let sample = try dataset.sample(at: index, in: .test)
      return (input: try InferenceInput(sample, at: index, for: loaded.model), label: sample.label)
    }
    let image = try DeviceImage(loaded.model)
    let check = try BoardCheck(
      loaded, samples: samples, image: image.bytes, layers: image.layers, file: file)
    var reports: [BoardReport] = []
    for board in boards {
      reports.append(try check.run(on: board, of: emulator))
      if !arguments.json { printLine(reports[reports.count - 1].text) }
    }
    if arguments.json { printLine(try jsonText(of: reports)) }
    let wanting = reports.filter { isWanting($0.skipped) }.map(\.target)
    guard wanting.isEmpty else {
      throw CommandFailure(
        "expected to run on \(wanting.joined(separator: ", ")), found it left out")
    }
    if reports.contains(where: { $0.identical == false }) { throw ExitCode.failure }
  }

  /// A board asked for by name must hold the model, and have its tools where SNN_REQUIRE_TOOLS says so.
  private func isWanting(_ obstacle: BoardReport.Obstacle?) -> Bool {
    switch obstacle {
    case nil: false
    case .tooSmall: target != ["all"]
    case .missingTool: ProcessInfo.processInfo.environment["SNN_REQUIRE_TOOLS"] == "1"
    }
  }

  private func chosen(from boards: [Emulator.Board]) throws -> [Emulator.Board] {
    if target == ["all"] { return boards }
    return try target.map { name in
      guard let board = boards.first(where: { $0.name == name }) else {
        throw BoardError.unknownBoard(name, known: boards.map(\.name))
      }
      return board
    }
  }
}
