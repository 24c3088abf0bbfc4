import Foundation
import Testing

/// One of the built commands, run as a process of its own.
enum Command: String, CaseIterable {
  case train = "snn-train"
  case export = "snn-export"
  case run = "snn-run"
  case check = "snn-check"

  /// The binary beside the test bundle.
  var path: String {
    get throws {
      let folders =
        [Bundle.main.executableURL?.deletingLastPathComponent(), Bundle.main.bundleURL]
        + Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
        + [Self.package.appendingPathComponent(".build/debug")]
      let paths = folders.compactMap { $0?.appendingPathComponent(rawValue).path }
      return try #require(
        paths.first { FileManager.default.isExecutableFile(atPath: $0) },
        "\(rawValue) is in none of \(paths); build it with swift build")
    }
  }

  /// The folder of Package.swift.
  static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Runs the command to its end.
  ///
  /// - Parameters:
  ///   - folder: the working folder.
  ///   - environment: added to this process's; `SNN_DATA` is unset unless named here.
  ///   - fileBlocks: no file may grow beyond so many blocks of 512 bytes; writing fails as on a full disk.
  func run(
    _ arguments: String..., in folder: ScratchFolder, environment: [String: String] = [:],
    fileBlocks: Int? = nil
  ) throws -> Outcome {
    try run(arguments, in: folder, environment: environment, fileBlocks: fileBlocks)
  }

  func run(
    _ arguments: [String], in folder: ScratchFolder, environment: [String: String] = [:],
    fileBlocks: Int? = nil
  ) throws -> Outcome {
    try start(arguments, in: folder, environment: environment, fileBlocks: fileBlocks).wait()
  }

  /// Starts the command; the caller waits for it or kills it.
  func start(
    _ arguments: [String], in folder: ScratchFolder, environment: [String: String] = [:],
    fileBlocks: Int? = nil
  ) throws -> RunningCommand {
    // The shell gives way to the command, which keeps its process number. The signal of a full disk is
    // ignored, so that the write itself fails.
    let limit = fileBlocks.map { "trap '' XFSZ; ulimit -f \($0); " } ?? ""
    let script = "cd \"$0\" || exit 125; \(limit)exec \"$@\""
    let words = ["/bin/sh", "-c", script, folder.path, try path] + arguments
    var variables = ProcessInfo.processInfo.environment
    variables["SNN_DATA"] = nil
    // Help texts are wrapped to the terminal's width.
    variables["COLUMNS"] = "80"
    variables.merge(environment) { $1 }
    return try RunningCommand(words, variables: variables, folder: folder)
  }
}

/// How a command ended.
struct Outcome {
  /// The exit code, or minus the signal that ended it.
  var code: Int
  var output: String
  var errors: String

  /// The failure as users meet it: exit code 1 and one line on standard error that begins with the command's
  /// name, without traces or Swift's own notation.
  func failure(
    of command: Command, sourceLocation: SourceLocation = #_sourceLocation
  ) -> String {
    #expect(code == 1, "\(output)\(errors)", sourceLocation: sourceLocation)
    let lines = errors.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(
      lines.count == 2 && lines.last == "", "expected one line, found \(errors)",
      sourceLocation: sourceLocation)
    #expect(errors.hasPrefix("\(command.rawValue): "), "\(errors)", sourceLocation: sourceLocation)
    let notation = [
      "Fatal error", "Error Domain", "NSError", "UserInfo", "Optional(", "Backtrac", "Swift.",
      "_code", ".swift:", "place:", "The operation could not be completed",
    ]
    for word in notation {
      #expect(!errors.contains(word), "\(errors)", sourceLocation: sourceLocation)
    }
    return String(lines.first?.dropFirst(command.rawValue.count + 2) ?? "")
  }
}

/// A command under way. Its output goes to files, so that no pipe can fill.
final class RunningCommand {
  private let child: pid_t
  private let folder: ScratchFolder
  private let names: (output: String, errors: String)

  init(_ words: [String], variables: [String: String], folder: ScratchFolder) throws {
    self.folder = folder
    let stem = ".command-\(UUID().uuidString)"
    names = ("\(stem).out", "\(stem).err")
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 1, folder.path(names.output), flags, 0o644)
    posix_spawn_file_actions_addopen(&actions, 2, folder.path(names.errors), flags, 0o644)
    var arguments = words.map { strdup($0) } + [nil]
    var environment = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + environment { free(text) } }
    var child = pid_t()
    let status = posix_spawn(&child, words[0], &actions, nil, &arguments, &environment)
    try #require(status == 0, "\(words[0]): \(String(cString: strerror(status)))")
    self.child = child
  }

  func wait() throws -> Outcome {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      try #require(errno == EINTR, "\(String(cString: strerror(errno)))")
    }
    let signal = status & 0x7F
    defer {
      folder.remove(names.output)
      folder.remove(names.errors)
    }
    return Outcome(
      code: Int(signal == 0 ? (status >> 8) & 0xFF : -signal),
      output: String(decoding: try folder.read(names.output), as: UTF8.self),
      errors: String(decoding: try folder.read(names.errors), as: UTF8.self))
  }

  /// Kills the command as soon as `condition` holds, and yields how it ended; it may have come to its end
  /// before.
  func kill(when condition: () -> Bool) throws -> Outcome {
    let deadline = Date(timeIntervalSinceNow: 60)
    while !condition(), Date() < deadline { usleep(2000) }
    Foundation.kill(child, SIGKILL)
    return try wait()
  }
}
