import Foundation
import Learning
import Testing

/// A training process that dies at any moment and goes on later comes to the same bytes.
@Suite struct KillAndResumeTests {
  private static let recipe = TinyTask.recipe(floatEpochs: 12, integerEpochs: 12)

  private func trained(_ folder: ScratchFolder, killedWhen conditions: [String]) throws -> Int {
    var kills = 0
    for file in conditions {
      let resume = folder.exists("run/recipe.yaml") ? ["--resume"] : []
      let outcome = try Command.train.start(
        ["recipe.yaml", "--out", "run"] + resume, in: folder
      ).kill { folder.exists(file) }
      if outcome.code == -Int(SIGKILL) { kills += 1 }
      #expect(outcome.errors == "")
    }
    let outcome = try Command.train.run("recipe.yaml", "--out", "run", "--resume", in: folder)
    #expect(outcome.code == 0, "\(outcome.errors)")
    return kills
  }

  /// Every tensor of a checkpoint and everything an observer notes, by name.
  private func content(_ url: URL) throws -> [String: [Float]] {
    let checkpoint = try Checkpoint(contentsOf: url)
    var tensors: [String: [Float]] = [:]
    for (prefix, snapshot) in [("now", checkpoint.network), ("best", checkpoint.best)] {
      for (name, tensor) in snapshot?.values ?? [:] {
        tensors["\(prefix) \(name)"] = tensor.elements
      }
      for (name, tensor) in snapshot?.masks ?? [:] {
        tensors["\(prefix) mask \(name)"] = tensor.elements
      }
    }
    for (name, tensor) in checkpoint.moments { tensors["moment \(name)"] = tensor.elements }
    return tensors
  }

  /// Rows without the seconds they took.
  private func metrics(_ folder: ScratchFolder) throws -> [String] {
    try folder.text("run/metrics.csv").split(separator: "\n").map { row in
      row.split(separator: ",").dropLast().joined(separator: ",")
    }
  }

  @Test(.timeLimit(.minutes(3))) func killedAndResumedIsUninterrupted() throws {
    let whole = try TinyTask.untrained(Self.recipe)
    let outcome = try Command.train.run("recipe.yaml", "--out", "run", in: whole)
    try #require(outcome.code == 0, "\(outcome.errors)")

    // Before the first checkpoint, within the first stage, within the second.
    let killed = try TinyTask.untrained(Self.recipe)
    let kills = try trained(
      killed,
      killedWhen: [
        "run/recipe.yaml", "run/checkpoints/last.ckpt", "run/checkpoints/best-int4.ckpt",
      ])
    #expect(kills == 3, "the training ended before it was killed")

    for file in ["last", "best-float", "best-int4"] {
      let path = "run/checkpoints/\(file).ckpt"
      #expect(try content(killed.url(path)) == content(whole.url(path)), "\(file)")
    }
    #expect(try metrics(killed) == metrics(whole))
    #expect(try killed.read("run/results.json") == whole.read("run/results.json"))
    for folder in [whole, killed] {
      let exported = try Command.export.run("model.snnpb", "--from", "run", in: folder)
      #expect(exported.code == 0, "\(exported.errors)")
    }
    #expect(try killed.read("model.snnpb") == whole.read("model.snnpb"))
  }

  @Test func anUnfinishedRunIsNotExported() throws {
    let folder = try TinyTask.untrained(Self.recipe)
    let outcome = try Command.train.start(["recipe.yaml", "--out", "run"], in: folder)
      .kill { folder.exists("run/checkpoints/best-int4.ckpt") }
    #expect(outcome.code == -Int(SIGKILL))
    let exported = try Command.export.run("model.snnpb", "--from", "run", in: folder)
    #expect(
      exported.failure(of: .export)
        == "\(folder.path("run")): expected a finished run, found no results of its last stage; "
        + "continue it with snn-train --resume")
    #expect(!folder.exists("model.snnpb"))
  }

  @Test func aFinishedRunIsMeasuredAgain() throws {
    let folder = try TinyTask.trained()
    let before = try folder.read("run/results.json")
    let outcome = try Command.train.run("recipe.yaml", "--out", "run", "--resume", in: folder)
    #expect(outcome.code == 0 && outcome.errors == "", "\(outcome.errors)")
    #expect(outcome.output.contains("resuming after stage int4, which is finished\n"))
    #expect(try folder.read("run/results.json") == before)
  }

  @Test func aDamagedCheckpointIsRefused() throws {
    let folder = try TinyTask.trained()
    let path = "run/checkpoints/last.ckpt"
    let whole = try folder.read(path)
    var flipped = whole
    flipped[whole.count / 2] ^= 0x10
    let damages: [(bytes: [UInt8], words: String)] = [
      ([], "expected a file that begins with SNNCKPT, found another kind of file"),
      (Array("a text".utf8), "expected a file that begins with SNNCKPT"),
      (Array(whole[..<(whole.count / 2)]), "the file is truncated or altered"),
      (whole + [0], "the file is truncated or altered"),
      (flipped, "the file is truncated or altered"),
    ]
    for damage in damages {
      try folder.write(damage.bytes, to: path)
      let metrics = try folder.text("run/metrics.csv")
      let line = try Command.train.run("recipe.yaml", "--out", "run", "--resume", in: folder)
        .failure(of: .train)
      #expect(line.contains("\(folder.path(path)) is damaged") && line.contains(damage.words))
      #expect(try folder.read(path) == damage.bytes)
      #expect(try folder.text("run/metrics.csv") == metrics)
    }
  }

  @Test func withoutARunThereIsNothingToResume() throws {
    let folder = try TinyTask.untrained()
    let named = try Command.train.run("recipe.yaml", "--out", "run", "--resume", in: folder)
    #expect(
      named.failure(of: .train)
        == "\(folder.path("run")): expected a run's folder with recipe.yaml, found none")
    let newest = try Command.train.run("recipe.yaml", "--resume", in: folder)
    #expect(
      newest.failure(of: .train)
        == "\(folder.path("runs")): expected a run named tiny to resume, found none")
    #expect(!folder.exists("run") && !folder.exists("runs"))
  }
}
