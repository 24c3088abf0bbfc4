import ArgumentParser
import Foundation

/// Work that failed after the arguments were understood: one line on standard error, exit code 1.
struct CommandFailure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

extension ParsableCommand {
  /// Runs `work`; an error becomes one line "<command>: <error>" on standard error and exit code 1.
  func reportingFailure(_ work: () throws -> Void) throws {
    do {
      try work()
    } catch let code as ExitCode {
      throw code
    } catch let error as ValidationError {
      throw error
    } catch {
      let name = Self.configuration.commandName ?? "snn"
      let line = "\(error)".split(separator: "\n").joined(separator: " ")
      FileHandle.standardError.write(Data("\(name): \(line)\n".utf8))
      throw ExitCode.failure
    }
  }
}

/// Standard output, flushed line by line so that logs of long runs can be followed.
func printLine(_ text: String = "") {
  FileHandle.standardOutput.write(Data((text + "\n").utf8))
}
