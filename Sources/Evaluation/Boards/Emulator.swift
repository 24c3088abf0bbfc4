import Foundation
import ModelFormat

/// The boards of `targets/`, run by its program `run`.
public struct Emulator: Sendable {
  /// A board and what it runs.
  public struct Board: Equatable, Sendable {
    /// As `targets/boards` calls it.
    public let name: String
    /// Whether it runs device images; else it loads `.snnpb` files, as Linux boards can.
    public let runsImages: Bool
  }

  /// A firmware's sizes and what it answered.
  struct Outcome {
    var sizes: Sizes
    var answers: [BoardAnswer]
    var counts: InstructionCounts?
  }

  /// Bytes of a firmware, as `targets/run` reports them.
  struct Sizes: Decodable {
    var flash: Int?
    var ram: Int?
    var model: Int?
    var runtime: Int?
    var stack: Int?
  }

  private let run: URL

  /// The folder `targets` named by `SNN_TARGETS`, or found in the current folder or above it.
  ///
  /// Throws ``BoardError/noTargets(searched:)``.
  public init() throws(BoardError) {
    guard let named = ProcessInfo.processInfo.environment["SNN_TARGETS"] else {
      try self.init(near: URL(fileURLWithPath: FileManager.default.currentDirectoryPath))
      return
    }
    let run = URL(fileURLWithPath: named).appendingPathComponent("run")
    guard FileManager.default.isExecutableFile(atPath: run.path) else {
      throw .noTargets(searched: named)
    }
    self.init(run: run)
  }

  private init(run: URL) { self.run = run }

  /// The folder `targets` in `place` or above it; throws ``BoardError/noTargets(searched:)``.
  init(near place: URL) throws(BoardError) {
    var folder = place.standardizedFileURL
    while true {
      let candidate = folder.appendingPathComponent("targets/run")
      if FileManager.default.isExecutableFile(atPath: candidate.path) {
        self.init(run: candidate)
        return
      }
      guard folder.path != "/" else { throw .noTargets(searched: place.path) }
      folder.deleteLastPathComponent()
    }
  }

  /// All boards, in the order of `targets/boards`; throws ``BoardError`` where `targets/run` fails.
  public func boards() throws(BoardError) -> [Board] {
    let result = try start(["--list"], board: "targets/run")
    guard result.status == 0 else {
      // env's own code where it finds no interpreter.
      let missing = "python3 not found; it comes with: python3"
      throw .failed(board: run.path, reason: result.status == 127 ? missing : result.errors)
    }
    return result.output.split(separator: "\n").map { line in
      let words = line.split(separator: " ")
      return Board(name: String(words[0]), runsImages: !words.dropFirst().contains("snnpb"))
    }
  }

  /// Builds the firmware of a model for a board and lets it answer `requests`.
  ///
  /// `model`: a `.snnimg` or `.snnpb` file, as the board wants it. `counting`: instructions too.
  /// `engineOptions`: `-DNAME=VALUE` each.
  func ask(
    _ board: Board, model: URL, requests: [UInt8], counting: Bool, engineOptions: [String],
    in folder: URL
  ) throws(BoardError) -> Result<Outcome, BoardReport.Obstacle> {
    let (asked, answered) = (folder.appending("requests"), folder.appending("answers"))
    let counts = folder.appending("counts")
    do {
      try Data(requests).write(to: asked)
    } catch {
      throw .failed(board: board.name, reason: error.localizedDescription)
    }
    var arguments = [board.name, model.path, asked.path, answered.path]
    arguments += engineOptions.flatMap { ["--define", String($0.dropFirst("-D".count))] }
    if counting { arguments += ["--count", counts.path, "--no-memory"] }
    let result = try start(arguments, board: board.name)
    if result.status == 76 { return .failure(.tooSmall(result.errors)) }
    if result.status == 77 { return .failure(.missingTool(result.errors)) }
    guard result.status == 0, let sizes = decode(Sizes.self, Data(result.output.utf8)) else {
      throw .failed(board: board.name, reason: result.errors)
    }
    guard let bytes = FileManager.default.contents(atPath: answered.path) else {
      throw .failed(board: board.name, reason: "no answers")
    }
    let found = FileManager.default.contents(atPath: counts.path)
    return .success(
      Outcome(
        sizes: sizes, answers: try BoardWire.answers(in: [UInt8](bytes)),
        counts: found.flatMap { decode(InstructionCounts.self, $0) }))
  }

  private func decode<Content: Decodable>(_ type: Content.Type, _ data: Data) -> Content? {
    try? JSONDecoder().decode(type, from: data)
  }

  private func start(
    _ arguments: [String], board: String
  ) throws(BoardError) -> (status: Int32, output: String, errors: String) {
    let process = Process()
    let (output, errors) = (Pipe(), Pipe())
    process.executableURL = run
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = errors
    do {
      try process.run()
    } catch {
      throw .failed(board: board, reason: error.localizedDescription)
    }
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (
      process.terminationStatus, String(decoding: printed, as: UTF8.self),
      String(decoding: complaint, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    )
  }
}

/// Instructions by region and function, as the plugin in `targets/count` writes them.
struct InstructionCounts: Decodable {
  struct Region: Decodable {
    var insns: Int
    var functions: [String: Function]
  }

  struct Function: Decodable {
    var insns: Int
    /// What the function works at; nil: something else.
    var part: Part?
  }

  /// What the engine's functions work at, as `targets/emulate.py` tells by their names.
  enum Part: String, Decodable { case synapses, neurons }

  /// By number: layers of the image from 0, then ``engine`` and ``outside``.
  var regions: [String: Region]

  /// What the engine does between layers.
  static let engine = "256"
  /// The harness.
  static let outside = "257"
}

extension URL {
  fileprivate func appending(_ name: String) -> URL { appendingPathComponent(name) }
}
