import Foundation
import Learning
import Spiking
import Tensors
import Wiring

/// Sixteen pixels in a row; the class says whether the left or the right half is brighter.
struct ToyTask: BatchSource {
  var trainingBatchCount = 8
  var validationBatchCount = 2
  var batch = 16
  var seed: UInt64 = 3

  private func batch(_ random: RandomSource) -> TrainingBatch {
    var random = random
    var values: [UInt8] = []
    var labels: [Int] = []
    for _ in 0..<batch {
      let label = random.integer(below: 2)
      labels.append(label)
      for pixel in 0..<16 {
        let isBright = (pixel < 8) == (label == 0)
        values.append(UInt8(random.integer(below: 100) + (isBright ? 100 : 0)))
      }
    }
    return TrainingBatch(values: values, labels: labels)
  }

  func trainingBatch(epoch: Int, index: Int) -> TrainingBatch {
    batch(RandomSource(seed: seed).split(UInt64(epoch)).split(UInt64(index)))
  }

  func validationBatch(_ index: Int) -> TrainingBatch {
    batch(RandomSource(seed: seed).split(1 << 40).split(UInt64(index)))
  }

  static let input = InputPort.bytes(
    Shape(channels: 1, height: 4, width: 4), scale: 1 / 255)

  static func recipe(_ overrides: String...) throws -> Recipe {
    try Recipe(
      yaml: """
        name: toy
        seed: 9
        data: {set: toy}
        network: {architecture: 4C3-8-2, steps: 3, initialThreshold: 0.5, bias: true}
        stages:
          - name: float
            epochs: 4
            optimizer: {learningRate: 0.01, clipNorm: 5}
            loss: {stepWeight: 0.3}
            activity: {target: 0.1, strength: 0.1}
        """, overrides: overrides)
  }

  static func network(_ recipe: Recipe) throws -> Network {
    try recipe.makeNetwork(input: input, classes: 2)
  }
}

/// A folder that is removed with its owner.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }
  var plan: CheckpointPlan { CheckpointPlan(last: file("last.ckpt"), best: file("best.ckpt")) }
}

extension Network {
  var bits: [String: [UInt32]] {
    Dictionary(
      uniqueKeysWithValues: parameters.map { ($0.name, $0.value.elements.map(\.bitPattern)) })
  }
}
