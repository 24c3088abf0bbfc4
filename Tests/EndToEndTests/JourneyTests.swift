import Foundation
import Testing

/// From a recipe to a checked model, on the built-in task.
@Suite struct JourneyTests {
  private static let recipe = """
    name: journey
    data: {set: moving-shapes, steps: 4, stepMilliseconds: 32, trainingLimit: 200, validationLimit: 60}
    network: {architecture: 2C5s8-8-10, initialLeak: 0.8}
    calibration: {samples: 20}
    stages:
      - name: float
        batch: 20
        optimizer: {learningRate: 0.01}
      - name: int4
        batch: 20
        optimizer: {learningRate: 0.005}
        quantization: {bits: 4}
        pruning: {sparsity: 0.5, end: 0.5}
    """

  private func object(_ text: String) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
  }

  @Test(.timeLimit(.minutes(3))) func aRecipeBecomesACheckedModel() throws {
    let folder = try ScratchFolder()
    try folder.write(Self.recipe, to: "recipe.yaml")

    let trained = try Command.train.run("recipe.yaml", "--out", "run", in: folder)
    try #require(trained.code == 0, "\(trained.errors)")
    // The progress line is for terminals.
    #expect(trained.errors == "")
    #expect(trained.output.contains("a static classifier of the events summed over time"))
    let expected = [
      "run", "run/checkpoints", "run/checkpoints/best-float.ckpt", "run/checkpoints/best-int4.ckpt",
      "run/checkpoints/last.ckpt", "run/metrics.csv", "run/recipe.yaml", "run/results.json",
    ]
    #expect(folder.names.filter { $0.hasPrefix("run") } == expected)
    #expect(try folder.text("run/metrics.csv").split(separator: "\n").count == 3)

    let exported = try Command.export.run(
      "model.snnpb", "--from", "run", "--c-source", "c", "--image", "model.snnimg", "--target",
      "cortex-m4-128k", "--golden", "golden.snntrace", "--json", in: folder)
    try #require(exported.code == 0, "\(exported.errors)")
    let device = try #require(try object(exported.output)["device"] as? [String: Any])
    #expect(device["image_bytes"] as? Int == (try folder.read("model.snnimg")).count)
    #expect(try folder.text("golden.snntrace").hasPrefix("snntrace 1 journey\n"))
    #expect(
      folder.names.filter { $0.hasPrefix("c/") } == [
        "c/journey.c", "c/journey.h", "c/journey_golden.c", "c/journey_golden.h",
      ])

    try theWholeTestSplitIsScoredAsTrainingScoredIt(folder)

    let checked = try Command.check.run(
      "model.snnpb", "--data", "moving-shapes", "--limit", "10", in: folder)
    #expect(checked.code == 0 && checked.output.hasPrefix("equal: "), "\(checked)")
  }

  private func theWholeTestSplitIsScoredAsTrainingScoredIt(_ folder: ScratchFolder) throws {
    let outcome = try Command.run.run(
      "model.snnpb", "--data", "moving-shapes", "--json", in: folder)
    try #require(outcome.code == 0, "\(outcome.errors)")
    let report = try object(outcome.output)
    for key in [
      "accuracy", "samples", "spikes", "synops", "macs", "updates", "saturations", "dense_macs",
      "model_bytes", "state_bytes", "populations", "projections", "energy",
    ] {
      #expect(report[key] != nil, "\(key)")
    }
    #expect(report["model_bytes"] as? Int == (try folder.read("model.snnpb")).count)
    let results = try #require(
      try JSONSerialization.jsonObject(with: Data(folder.read("run/results.json")))
        as? [[String: Any]])
    let last = try #require(results.last)
    #expect(last["stage"] as? String == "int4")
    #expect(report["samples"] as? Int == last["testSamples"] as? Int)
    #expect(report["accuracy"] as? Double == last["testAccuracy"] as? Double)
  }

  @Test func twiceRunIsTheSame() throws {
    let folder = try TinyTask.trained()
    let arguments = ["model.snnpb", "--data", "bars", "--limit", "20", "--json"]
    let first = try Command.run.run(arguments, in: folder)
    #expect(try object(first.output)["samples"] as? Int == 20)
    #expect(try Command.run.run(arguments, in: folder).output == first.output)
  }

  @Test func anExportedModelWrittenAnewIsTheSame() throws {
    let folder = try TinyTask.trained()
    let outcome = try Command.export.run("again.snnpb", "--from", "model.snnpb", in: folder)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(try folder.read("again.snnpb") == folder.read("model.snnpb"))
  }

  @Test func aModelWithoutItsRunBecomesAnImageAndStays() throws {
    let folder = try TinyTask.trained()
    let model = try folder.read("model.snnpb")
    let arguments = ["model.snnpb", "--image", "image"]
    let alone = try Command.export.run(arguments, in: folder)
    #expect(alone.code == 0, "\(alone.errors)")
    let image = try folder.read("image")
    // Another newest run is nothing to it.
    let trained = try Command.train.run("recipe.yaml", "--seed", "7", in: folder)
    #expect(trained.code == 0, "\(trained.errors)")
    let beside = try Command.export.run(arguments, in: folder)
    #expect(beside.code == 0, "\(beside.errors)")
    #expect(try folder.read("image") == image && folder.read("model.snnpb") == model)
  }

  @Test func runsAreNumberedAndTheNewestIsExported() throws {
    let folder = try TinyTask.untrained()
    for _ in 0..<2 {
      let trained = try Command.train.run("recipe.yaml", "--seed", "7", in: folder)
      #expect(trained.code == 0, "\(trained.errors)")
    }
    #expect(folder.exists("runs/tiny-1/results.json") && folder.exists("runs/tiny-2/results.json"))
    #expect(try folder.text("runs/tiny-2/recipe.yaml").contains("seed: 7\n"))
    // The same recipe gives the same network.
    #expect(
      try folder.read("runs/tiny-1/results.json") == folder.read("runs/tiny-2/results.json"))
    let exported = try Command.export.run("model.snnpb", in: folder)
    #expect(exported.code == 0 && folder.exists("model.snnpb"), "\(exported.errors)")
  }
}
