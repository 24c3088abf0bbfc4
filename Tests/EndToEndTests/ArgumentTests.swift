import Foundation
import Testing

/// Arguments that are no call: usage on standard error, exit code 64.
@Suite struct ArgumentTests {
  @Test(
    arguments: [
      (Command.train, []), (.export, []), (.run, []), (.check, []), (.run, ["model.snnpb"]),
      (.check, ["model.snnpb"]), (.train, ["recipe.yaml", "--fast"]),
      (.export, ["model.snnpb", "--to", "x"]), (.run, ["model.snnpb", "--data", "bars", "--fast"]),
      (.run, ["model.snnpb", "--data", "bars", "--limit", "0"]),
      (.run, ["model.snnpb", "--data", "bars", "--limit", "-3"]),
      (.run, ["model.snnpb", "--data", "bars", "--limit", "few"]),
      (.run, ["model.snnpb", "--data", "bars", "--split", "foo"]),
      (.run, ["model.snnpb", "--data"]), (.run, ["model.snnpb", "more", "--data", "bars"]),
      (.check, ["model.snnpb", "--data", "bars", "--limit", "0"]),
      (.check, ["model.snnpb", "--data", "bars", "--split", "test"]),
      (.train, ["recipe.yaml", "--seed", "-1"]), (.train, ["recipe.yaml", "--seed", "one"]),
      (.train, ["recipe.yaml", "--set"]), (.train, ["recipe.yaml", "--resume", "--seed", "2"]),
      (.train, ["recipe.yaml", "--resume", "--set", "seed=2"]),
    ] as [(Command, [String])])
  func isAnsweredWithTheUsage(command: Command, arguments: [String]) throws {
    let folder = try ScratchFolder()
    let outcome = try command.run(arguments, in: folder)
    #expect(outcome.code == 64, "\(outcome)")
    #expect(outcome.output == "" && outcome.errors.hasPrefix("Error: "), "\(outcome)")
    #expect(
      outcome.errors.contains("Usage: \(command.rawValue) ")
        || outcome.errors.contains("USAGE: \(command.rawValue) "), "\(outcome.errors)")
    #expect(folder.names.isEmpty)
  }
}
