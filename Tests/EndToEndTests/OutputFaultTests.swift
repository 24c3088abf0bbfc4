import Foundation
import Testing

/// Places that cannot be written: what was there before stays, nothing half-written appears.
@Suite struct OutputFaultTests {
  @Test func aFolderWithARunIsNotOverwritten() throws {
    let folder = try TinyTask.trained()
    let names = folder.names
    let last = try folder.read("run/checkpoints/last.ckpt")
    let outcome = try Command.train.run("recipe.yaml", "--out", "run", in: folder)
    #expect(
      outcome.failure(of: .train)
        == "\(folder.path("run")): expected no run there yet, or to resume it, found a run's "
        + "recipe.yaml")
    #expect(folder.names == names)
    #expect(try folder.read("run/checkpoints/last.ckpt") == last)
  }

  @Test func aFileInTheWayOfARunIsNamed() throws {
    let folder = try TinyTask.untrained()
    try folder.write("in the way", to: "file")
    for out in ["file", "file/run"] {
      let line = try Command.train.run("recipe.yaml", "--out", out, in: folder).failure(of: .train)
      #expect(line.hasPrefix("\(folder.path(out)): expected to make a folder, found "), "\(line)")
    }
    #expect(try folder.text("file") == "in the way")
  }

  @Test func foldersThatAreMissingAreNamed() throws {
    let folder = try TinyTask.trained()
    let names = folder.names
    let calls: [(place: String, arguments: [String])] = [
      ("no/model.snnpb", ["no/model.snnpb", "--from", "run"]),
      ("no/golden", ["new.snnpb", "--from", "run", "--golden", "no/golden"]),
      ("recipe.yaml", ["new.snnpb", "--from", "run", "--c-source", "recipe.yaml"]),
      ("no/image", ["new.snnpb", "--from", "run", "--image", "no/image"]),
      ("bars", ["bars", "--from", "run"]),
      (
        "recipe.yaml",
        ["new.snnpb", "--from", "run", "--c-source", "recipe.yaml/c", "--image", "image"]
      ),
      (
        "no/model.snnpb",
        ["no/model.snnpb", "--from", "run", "--c-source", "c/source", "--image", "image"]
      ),
      ("run", ["new.snnpb", "--from", "run", "--c-source", "c", "--image", "run"]),
    ]
    for (place, arguments) in calls {
      let line = try Command.export.run(arguments, in: folder).failure(of: .export)
      #expect(line.hasPrefix("\(place): expected "), "\(line)")
      #expect(folder.names == names, "\(arguments)")
    }
  }

  @Test func outputsInOnePlaceAreRefused() throws {
    let folder = try TinyTask.trained()
    try folder.copy(folder.path("model.snnpb"), to: "other.snnpb")
    let names = folder.names
    let model = try folder.read("model.snnpb")
    let calls: [(place: String, arguments: [String])] = [
      ("./new.snnpb", ["new.snnpb", "--from", "run", "--image", "./new.snnpb"]),
      ("new.snnpb", ["new.snnpb", "--from", "run", "--golden", "new.snnpb"]),
      ("image", ["new.snnpb", "--from", "run", "--golden", "image", "--image", "image"]),
      ("c/tiny.h", ["new.snnpb", "--from", "run", "--c-source", "c", "--image", "c/tiny.h"]),
      ("model.snnpb", ["model.snnpb", "--image", "model.snnpb"]),
      ("model.snnpb", ["other.snnpb", "--from", "model.snnpb", "--image", "model.snnpb"]),
    ]
    for (place, arguments) in calls {
      let line = try Command.export.run(arguments, in: folder).failure(of: .export)
      #expect(
        line == "\(place): expected a place of its own, found that of the model or another output")
      #expect(folder.names == names, "\(arguments)")
    }
    #expect(try folder.read("model.snnpb") == model)
  }

  @Test func aModelIsNotReplacedUnlessFromSaysByWhat() throws {
    let folder = try TinyTask.trained()
    try folder.copy(folder.path("run"), to: "runs/newest")
    try folder.write("precious", to: "old.snnpb")
    let outcome = try Command.export.run("old.snnpb", in: folder)
    #expect(
      outcome.failure(of: .export)
        == "old.snnpb: expected a new file, found one; name what shall replace it with --from")
    #expect(try folder.text("old.snnpb") == "precious")
  }

  @Test func exportsThatCannotBe() throws {
    let folder = try TinyTask.trained()
    let golden = try Command.export.run(
      "x.snnpb", "--from", "model.snnpb", "--golden", "g", in: folder)
    #expect(
      golden.failure(of: .export)
        == "--golden: expected --from a run, found the model file model.snnpb")
    let missing = try Command.export.run("x.snnpb", "--from", "none.snnpb", in: folder)
    #expect(
      missing.failure(of: .export)
        == "none.snnpb: expected a model file, found no readable file")
    let none = try Command.export.run("x.snnpb", in: folder)
    #expect(
      none.failure(of: .export)
        == "runs: expected a run to export, found none; name one with --from")

    let float = try TinyTask.untrained()
    let trained = try Command.train.run(
      "recipe.yaml", "--out", "run", "--set", "stages.1.quantization=null", in: float)
    #expect(trained.code == 0, "\(trained.errors)")
    let exported = try Command.export.run("x.snnpb", "--from", "run", in: float)
    #expect(
      exported.failure(of: .export).hasPrefix(
        "tiny: expected quantised weights, found real numbers"))
    #expect(!float.exists("x.snnpb"))
  }

  // MARK: A full disk

  @Test func aFullDiskLeavesThePreviousModel() throws {
    let folder = try TinyTask.trained()
    try folder.write("the previous model", to: "old.snnpb")
    let names = folder.names
    // A model has more than 512 bytes.
    let outcome = try Command.export.run(
      ["old.snnpb", "--from", "run"], in: folder, fileBlocks: 1)
    #expect(
      outcome.failure(of: .export) == "old.snnpb: expected a writable file, found File too large")
    #expect(try folder.text("old.snnpb") == "the previous model")
    #expect(folder.names == names)
  }

  @Test func aFullDiskLeavesThePreviousTraceAndSource() throws {
    let folder = try TinyTask.trained()
    try folder.write("the previous trace", to: "golden")
    try folder.write("the previous source", to: "c/tiny.c")
    try folder.write("the previous image", to: "image")
    let names = folder.names
    for options in [["--golden", "golden"], ["--c-source", "c"], ["--image", "image"]] {
      let outcome = try Command.export.run(
        ["x.snnpb", "--from", "run"] + options, in: folder, fileBlocks: 1)
      let line = outcome.failure(of: .export)
      #expect(line.contains("found File too large"), "\(line)")
    }
    #expect(try folder.text("golden") == "the previous trace")
    #expect(try folder.text("c/tiny.c") == "the previous source")
    #expect(try folder.text("image") == "the previous image")
    #expect(folder.names == names)
  }

  @Test func aFullDiskLeavesTheLastCheckpoint() throws {
    let folder = try TinyTask.untrained(TinyTask.recipe(floatEpochs: 8))
    // The recipe and the first metrics fit, a checkpoint does not.
    let full = try Command.train.run(
      ["recipe.yaml", "--out", "run"], in: folder, fileBlocks: 6)
    let line = full.failure(of: .train)
    #expect(line.hasPrefix("\(folder.path("run/checkpoints/")) ".dropLast()), "\(line)")
    #expect(line.hasSuffix("found File too large; what was there before is intact"), "\(line)")
    #expect(!folder.names.contains { $0.hasSuffix(".partial") })

    // Trained for a while on a disk with room, it fills up later.
    let stopped = try Command.train.start(["recipe.yaml", "--out", "run", "--resume"], in: folder)
      .kill { folder.exists("run/checkpoints/last.ckpt") }
    #expect(stopped.code == -Int(SIGKILL))
    let last = try folder.read("run/checkpoints/last.ckpt")
    let again = try Command.train.run(
      ["recipe.yaml", "--out", "run", "--resume"], in: folder, fileBlocks: 6)
    _ = again.failure(of: .train)
    #expect(try folder.read("run/checkpoints/last.ckpt") == last)
    let finished = try Command.train.run("recipe.yaml", "--out", "run", "--resume", in: folder)
    #expect(finished.code == 0, "\(finished.errors)")
  }
}
