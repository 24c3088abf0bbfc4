import Foundation
import Learning
import Spiking
import Tensors
import Testing

@Suite struct CheckpointTests {
  /// A finished toy stage's checkpoint.
  private func written(in folder: TemporaryFolder) throws -> URL {
    let recipe = try ToyTask.recipe("stages.0.epochs=1", "network.architecture=2-2")
    var loop = TrainingLoop(
      network: try ToyTask.network(recipe), stage: TrainingStage(recipe, index: 0),
      source: ToyTask(trainingBatchCount: 1, validationBatchCount: 1))
    loop.checkpoints = folder.plan
    _ = try loop.run()
    return folder.plan.last
  }

  @Test func everyFlippedByteIsRefused() throws {
    let folder = try TemporaryFolder()
    let url = try written(in: folder)
    let bytes = try [UInt8](Data(contentsOf: url))
    for index in bytes.indices {
      var copy = bytes
      copy[index] ^= 1 << UInt8(index % 8)
      #expect(throws: LearningError.self, "byte \(index)") {
        _ = try Checkpoint(Data(copy), place: "damaged")
      }
    }
  }

  @Test func everyTruncationIsRefusedAndSaysSo() throws {
    let folder = try TemporaryFolder()
    let bytes = try Data(contentsOf: written(in: folder))
    let damaged = folder.file("damaged.ckpt")
    for length in 0..<bytes.count {
      #expect(throws: LearningError.self, "\(length) bytes") {
        _ = try Checkpoint(bytes.prefix(length), place: "damaged")
      }
    }
    #expect {
      try bytes.prefix(500).write(to: damaged)
      _ = try Checkpoint(contentsOf: damaged)
    } throws: { "\($0)".contains("truncated or altered") }
    #expect(throws: LearningError.self) {
      try (bytes + Data([0])).write(to: damaged)
      _ = try Checkpoint(contentsOf: damaged)
    }
  }

  @Test func missingFilesAreNamed() {
    let url = URL(fileURLWithPath: "/nowhere/last.ckpt")
    #expect {
      _ = try Checkpoint(contentsOf: url)
    } throws: { "\($0)".contains("/nowhere/last.ckpt") && "\($0)".contains("no file") }
  }

  @Test func writingAndReadingKeepsEveryBit() throws {
    let folder = try TemporaryFolder()
    let url = try written(in: folder)
    var checkpoint = try Checkpoint(contentsOf: url)
    checkpoint.network.observers["a"] = ObserverState(
      tensors: ["t": Tensor([3], [-0.0, Float(bitPattern: 1), .infinity])],
      notes: ["b": "{\"c\": 1}"])
    checkpoint.network.masks["dense1.weight"] = Tensor([16, 2], filledWith: 1)
    let copy = folder.file("copy.ckpt")
    try checkpoint.write(to: copy)
    let again = try Checkpoint(contentsOf: copy)
    #expect(again.position == checkpoint.position)
    #expect(again.network.values == checkpoint.network.values)
    #expect(again.network.masks == checkpoint.network.masks)
    #expect(again.network.observers["a"]?.notes == ["b": "{\"c\": 1}"])
    #expect(
      again.network.observers["a"]?.tensors["t"]?.elements.map(\.bitPattern)
        == [0x8000_0000, 1, 0x7F80_0000])
    #expect(again.best?.values == checkpoint.best?.values && again.moments == checkpoint.moments)
  }

  /// A full disk, played by /dev/full in the place where files are written aside.
  @Test func failedWriteLeavesThePreviousFile() throws {
    let folder = try TemporaryFolder()
    let url = try written(in: folder)
    let before = try Data(contentsOf: url)
    let checkpoint = try Checkpoint(contentsOf: url)
    try FileManager.default.createSymbolicLink(
      at: url.appendingPathExtension("partial"),
      withDestinationURL: URL(fileURLWithPath: "/dev/full"))
    #expect {
      try checkpoint.write(to: url)
    } throws: {
      "\($0)".contains("No space left on device; what was there before is intact")
    }
    #expect(try Data(contentsOf: url) == before)
    try checkpoint.write(to: url)
    #expect(try Data(contentsOf: url) == before)
  }

  @Test func restoringIntoAnotherNetworkChangesNothing() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Checkpoint(contentsOf: written(in: folder))
    let network = try ToyTask.network(ToyTask.recipe("network.architecture=3-2"))
    let before = network.bits
    #expect {
      try checkpoint.network.restore(network)
    } throws: { "\($0)".contains("dense1.weight") && "\($0)".contains("[16, 3]") }
    #expect(network.bits == before)
  }
}
