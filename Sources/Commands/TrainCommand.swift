import ArgumentParser
import Datasets
import Foundation
import Learning
import Spiking

/// `snn-train recipe.yaml`: trains a network as a recipe says.
public struct TrainCommand: ParsableCommand {
  /// The command's name and help.
  public static let configuration = CommandConfiguration(
    commandName: "snn-train", abstract: "Trains a spiking neural network as a recipe says.",
    discussion: """
      The run's folder holds the resolved recipe, metrics.csv and checkpoints. The best epoch of each \
      stage is chosen on the validation split; the test split is read once, at the end.
      """)

  @Argument(help: "The recipe, a YAML file.")
  var recipe: String

  @Option(help: "The run's folder. Default: runs/<name>-<n>.")
  var out: String?

  @Flag(help: "Continue the run in --out, or the newest of the recipe's name, where it stopped.")
  var resume = false

  @Option(help: "Replaces the recipe's seed.")
  var seed: UInt64?

  @Option(
    name: .customLong("set"),
    help: "Replaces a value of the recipe, such as stages.0.epochs=2; may be repeated.")
  var overrides: [String] = []

  /// An unparsed command.
  public init() {}

  /// Refuses options that exclude each other or are out of range, before anything is done.
  public func validate() throws {
    if resume, !overrides.isEmpty || seed != nil {
      throw ValidationError("--resume: expected the run's own recipe, found --set or --seed")
    }
  }

  /// Does what the command is for; failures end the program with one line on standard error.
  public func run() throws {
    try reportingFailure {
      let text = try readText(recipe)
      let recipe = try Recipe(
        yaml: text, overrides: overrides + (seed.map { ["seed=\($0)"] } ?? []), place: recipe)
      if resume {
        let folder = try folderToResume(recipe)
        try TrainingRun(folder.readRecipe()).run(in: folder, resuming: true)
      } else {
        // The recipe is tried before a folder is made for it.
        let run = try TrainingRun(recipe)
        try run.run(in: newFolder(recipe), resuming: false)
      }
    }
  }

  private func folderToResume(_ recipe: Recipe) throws -> RunFolder {
    if let out { return try RunFolder(existing: URL(fileURLWithPath: out)) }
    let root = URL(fileURLWithPath: RunSelection.root)
    guard let newest = RunFolder.newest(named: recipe.name, in: root) else {
      throw CommandFailure(
        "\(root.path): expected a run named \(recipe.name) to resume, found none")
    }
    return newest
  }

  private func newFolder(_ recipe: Recipe) throws -> RunFolder {
    if let out { return try RunFolder.create(for: recipe, at: URL(fileURLWithPath: out)) }
    return try RunFolder.create(for: recipe, in: URL(fileURLWithPath: RunSelection.root))
  }

  private func readText(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandFailure("\(path): expected a recipe, found no readable file")
    }
    return String(decoding: data, as: UTF8.self)
  }
}

/// Where runs lie when the user names none.
enum RunSelection {
  static let root = "runs"
}
