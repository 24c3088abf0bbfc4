import Foundation
import Testing

/// An image set and a recipe small enough to be trained in a second by a debug build.
enum TinyTask {
  /// Images of 6 by 6 pixels in three classes: a bright row at the top, in the middle or at the bottom.
  static func writeImages(to folder: ScratchFolder, named name: String = "bars") throws {
    for (stem, count) in [("train", 60), ("t10k", 30)] {
      let labels = (0..<count).map { UInt8($0 % 3) }
      try folder.write(images(labels), to: "\(name)/\(stem)-images-idx3-ubyte")
      try folder.write(Self.labels(labels), to: "\(name)/\(stem)-labels-idx1-ubyte")
    }
  }

  static func images(_ labels: [UInt8], side: Int = 6) -> [UInt8] {
    var bytes: [UInt8] = [0, 0, 8, 3, 0, 0, 0, UInt8(labels.count), 0, 0, 0, UInt8(side)]
    bytes += [0, 0, 0, UInt8(side)]
    for (index, label) in labels.enumerated() {
      for row in 0..<side {
        for column in 0..<side {
          let isBright = row / 2 == Int(label)
          let noise = UInt8((index * 37 + row * 11 + column * 5) % 64)
          bytes.append(isBright ? 255 - noise : noise)
        }
      }
    }
    return bytes
  }

  static func labels(_ labels: [UInt8]) -> [UInt8] {
    [0, 0, 8, 1, 0, 0, 0, UInt8(labels.count)] + labels
  }

  static func recipe(floatEpochs: Int = 1, integerEpochs: Int = 1) -> String {
    """
    name: tiny
    data: {set: bars}
    network: {architecture: 2C3s2-8-3, steps: 3}
    calibration: {samples: 16}
    stages:
      - name: float
        epochs: \(floatEpochs)
        batch: 5
        optimizer: {learningRate: 0.01}
      - name: int4
        epochs: \(integerEpochs)
        batch: 5
        optimizer: {learningRate: 0.005}
        quantization: {bits: 4}
        pruning: {sparsity: 0.5, end: 0.5}
    """
  }

  /// A folder with the images as `bars`, the recipe as `recipe.yaml`, its run as `run` and the exported model
  /// as `model.snnpb`; trained once and copied.
  static func trained() throws -> ScratchFolder {
    let folder = try ScratchFolder()
    let made = try finished.get()
    for name in ["bars", "recipe.yaml", "run", "model.snnpb"] {
      try folder.copy(made.path(name), to: name)
    }
    return folder
  }

  /// A folder with the images and the recipe alone.
  static func untrained(_ recipe: String = recipe()) throws -> ScratchFolder {
    let folder = try ScratchFolder()
    try writeImages(to: folder)
    try folder.write(recipe, to: "recipe.yaml")
    return folder
  }

  nonisolated(unsafe) private static let finished = Result<ScratchFolder, any Error> {
    let folder = try untrained()
    let trained = try Command.train.run("recipe.yaml", "--out", "run", in: folder)
    try #require(trained.code == 0, "\(trained.errors)")
    let exported = try Command.export.run("model.snnpb", "--from", "run", in: folder)
    try #require(exported.code == 0, "\(exported.errors)")
    return folder
  }
}
