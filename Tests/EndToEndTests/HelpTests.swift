import Foundation
import Testing

/// The help texts, letter for letter. `SNN_UPDATE_SNAPSHOTS=1` writes them anew.
@Suite struct HelpTests {
  @Test(arguments: Command.allCases) func isTheSnapshot(command: Command) throws {
    let outcome = try command.run("--help", in: ScratchFolder())
    #expect(outcome.code == 0 && outcome.errors == "")
    let file = Command.package
      .appendingPathComponent("Tests/EndToEndTests/Snapshots/\(command.rawValue).txt")
    if ProcessInfo.processInfo.environment["SNN_UPDATE_SNAPSHOTS"] == "1" {
      try Data(outcome.output.utf8).write(to: file)
    }
    let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    #expect(outcome.output == expected, "SNN_UPDATE_SNAPSHOTS=1 writes the snapshot anew")
  }
}
