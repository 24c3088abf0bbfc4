import Tensors
import Wiring

/// What an ``Augmentation`` comes to for one sample: where each of its pixels goes.
struct AugmentationDraw {
  /// Where each pixel `y * width + x` of the sample goes, as a pixel number; -1 = nowhere.
  private let targets: [Int32]
  private let flipsPolarity: Bool
  /// Whether the sample was mirrored, so that its label may change.
  let isMirrored: Bool
  private let timeJitterSteps: Int
  private let dropProbability: Double

  /// Draws the choices made once a sample; `random` goes on to those made once a spike.
  init(_ augmentation: Augmentation, shape: Shape, random: inout RandomSource) {
    let reach = augmentation.shiftPixels
    let shiftX = random.integer(below: 2 * reach + 1) - reach
    let shiftY = random.integer(below: 2 * reach + 1) - reach
    let isMirrored = random.uniform() < augmentation.horizontalFlipProbability
    flipsPolarity = random.uniform() < augmentation.polarityFlipProbability
    let left = random.integer(below: shape.width) - augmentation.cutOutSide / 2
    let top = random.integer(below: shape.height) - augmentation.cutOutSide / 2
    var targets = [Int32](repeating: -1, count: shape.width * shape.height)
    for y in 0..<shape.height {
      let toY = y + shiftY
      guard toY >= 0 && toY < shape.height else { continue }
      let inCutRows = toY >= top && toY < top + augmentation.cutOutSide
      for x in 0..<shape.width {
        let toX = (isMirrored ? shape.width - 1 - x : x) + shiftX
        guard toX >= 0 && toX < shape.width else { continue }
        if inCutRows && toX >= left && toX < left + augmentation.cutOutSide { continue }
        targets[y * shape.width + x] = Int32(toY * shape.width + toX)
      }
    }
    self.targets = targets
    self.isMirrored = isMirrored
    timeJitterSteps = augmentation.timeJitterSteps
    dropProbability = augmentation.eventDropProbability
  }

  /// The index to which index `index` of a frame of `channels` goes; nil = nowhere.
  @inline(__always)
  func target(of index: Int, channels: Int) -> Int? {
    let pixel = Int(targets[index / channels])
    return pixel < 0 ? nil : pixel * channels + index % channels
  }

  /// The step and index to which a spike goes; nil = nowhere. Draws from `random` only where the
  /// augmentation jitters or drops.
  @inline(__always)
  func target(
    ofSpikeAt index: Int, step: Int, channels: Int, steps: Int, random: inout RandomSource
  ) -> (step: Int, index: Int)? {
    var toStep = step
    if dropProbability > 0 && random.uniform() < dropProbability { return nil }
    if timeJitterSteps > 0 {
      toStep += random.integer(below: 2 * timeJitterSteps + 1) - timeJitterSteps
      guard toStep >= 0 && toStep < steps else { return nil }
    }
    // With two polarities index ^ 1 is the other polarity of the same pixel.
    let source = flipsPolarity && channels == 2 ? index ^ 1 : index
    guard let toIndex = target(of: source, channels: channels) else { return nil }
    return (toStep, toIndex)
  }
}
