import Foundation
import Learning
import Testing

@Suite struct RunFolderTests {
  @Test func runsAreNumberedAndFound() throws {
    let root = try TemporaryFolder()
    let recipe = try ToyTask.recipe()
    #expect(RunFolder.newest(in: root.url) == nil)
    let first = try RunFolder.create(for: recipe, in: root.url)
    let second = try RunFolder.create(for: recipe, in: root.url)
    #expect(first.url.lastPathComponent == "toy-1" && second.url.lastPathComponent == "toy-2")
    #expect(RunFolder.newest(named: "toy", in: root.url)?.url.lastPathComponent == "toy-2")
    #expect(RunFolder.newest(in: root.url)?.url.lastPathComponent == "toy-2")
    #expect(RunFolder.newest(named: "other", in: root.url) == nil)
    #expect(try first.readRecipe() == recipe)
    #expect(throws: LearningError.self) { _ = try RunFolder(existing: root.file("toy-3")) }
  }

  /// A run of two stages, killed after a row was written and before its checkpoint was.
  @Test func rowsBeyondTheCheckpointAreDropped() throws {
    let root = try TemporaryFolder()
    let recipe = try ToyTask.recipe("stages.0.epochs=2")
    let folder = try RunFolder.create(for: recipe, in: root.url)
    var loop = TrainingLoop(
      network: try ToyTask.network(recipe), stage: TrainingStage(recipe, index: 0),
      source: ToyTask(trainingBatchCount: 2))
    loop.checkpoints = folder.plan(forStage: "float")
    let layers = loop.network.spiking.map { loop.network.populations[$0].name }
    loop.onEpoch = { try folder.append($0, layers: layers) }
    let result = try loop.run()
    let whole = try String(contentsOf: folder.metrics, encoding: .utf8)
    let lines = whole.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(
      lines[0]
        == "stage,epoch,step,learningRate,trainingLoss,trainingAccuracy,validationLoss,"
        + "validationAccuracy,rate_conv1,rate_dense2,sparsity,seconds")
    #expect(lines[1].hasPrefix("float,1,2,0.0") && lines[2].hasPrefix("float,2,4,"))
    #expect(lines.allSatisfy { $0.split(separator: ",").count == 12 })

    var position = try Checkpoint(contentsOf: folder.last).position
    var extra = result.epochs[0]
    extra.stage = "int4"
    try folder.append(extra, layers: layers)
    try folder.truncateMetrics(to: position)
    #expect(try String(contentsOf: folder.metrics, encoding: .utf8) == whole)

    // Cut off within a row, and one epoch too many.
    try Data(whole.dropLast(5).utf8).write(to: folder.metrics)
    position.epoch = 1
    try folder.truncateMetrics(to: position)
    #expect(
      try String(contentsOf: folder.metrics, encoding: .utf8)
        == lines[0] + "\n" + lines[1] + "\n")
    // The next stage has begun and has no row yet.
    position.stageName = "int4"
    position.epoch = 0
    try folder.truncateMetrics(to: position)
    #expect(
      try String(contentsOf: folder.metrics, encoding: .utf8).split(separator: "\n").count == 2)
  }
}
