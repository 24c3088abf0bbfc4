import Tensors
import Wiring

/// A split held in memory, from which batches are laid out.
///
/// Samples are read, drawn and binned once, when the loader is made: a frame is kept as its bytes,
/// a recording as four bytes per spike (4000 recordings of 850 spikes: 14 MB). The loader is a
/// value that never changes, so several threads may fill their own batches from it.
public struct BatchLoader: Sendable {
  private enum Samples: Sendable {
    case frames([UInt8])
    case trains([SpikeTrain])
  }

  /// What a network for these samples takes.
  public let input: DatasetInput
  /// The class of every sample, before any mirroring.
  public let labels: [Int]
  /// What became of the events of all recordings; all zero for frames.
  public let tally: BinningTally
  /// The changes made to each sample.
  public let augmentation: Augmentation
  private let samples: Samples
  /// The class of each class seen in a mirror; used only where the augmentation flips.
  private let mirrored: [Int]
  private let random: RandomSource

  /// Reads the samples of `split`, the first `limit` or all. The orders of epochs and the augmentation
  /// follow from `seed`.
  ///
  /// Throws what reading a sample throws, and ``DatasetError/badSetting(name:expected:found:)``
  /// where the augmentation is out of range or flips classes whose mirror image is not known.
  public init(
    dataset: some Dataset, split: Split, augmentation: Augmentation = Augmentation(),
    seed: UInt64 = 0, limit: Int? = nil, threads: Int = 2
  ) throws {
    try augmentation.validate()
    input = dataset.input
    self.augmentation = augmentation
    random = RandomSource(seed: seed)
    mirrored = try Self.mirroredLabels(of: dataset, for: augmentation)
    switch dataset.input {
    case .events:
      let set = try SpikeTrainSet(
        dataset: dataset, split: split, limit: limit, threads: threads)
      samples = .trains(set.trains)
      labels = set.labels
      tally = set.tally
    case .values(let shape):
      let (values, labels) = try Self.frames(
        of: dataset, split: split, limit: limit, shape: shape)
      samples = .frames(values)
      self.labels = labels
      tally = BinningTally()
    }
  }

  /// The number of samples.
  public var count: Int { labels.count }

  /// Every sample once, in an order that depends on the seed and `epoch` alone.
  public func order(epoch: Int) -> [Int] {
    var stream = random.split(0).split(UInt64(epoch))
    return stream.permutation(of: count)
  }

  /// Lays out the samples at `indices` in `batch`, keeping its buffer where it is large enough.
  ///
  /// How sample i is augmented depends on the seed, `epoch` and i alone, not on its place in a
  /// batch. Precondition: every index is in 0..<count.
  public func fill(
    _ batch: inout Batch, with indices: some Collection<Int>, epoch: Int = 0
  ) {
    batch.shape = input.shape
    batch.steps = input.steps
    batch.labels.removeAll(keepingCapacity: true)
    let size = indices.count * input.shape.count * (input.steps ?? 1)
    if batch.values.count == size {
      for position in 0..<size { batch.values[position] = 0 }
    } else {
      batch.values.removeAll(keepingCapacity: true)
      batch.values.append(contentsOf: repeatElement(0, count: size))
    }
    for (row, sample) in indices.enumerated() {
      precondition(
        sample >= 0 && sample < count, "sample \(sample) is not in 0..<\(count)")
      var stream = random.split(1).split(UInt64(epoch)).split(UInt64(sample))
      let draw =
        augmentation.isIdentity
        ? nil : AugmentationDraw(augmentation, shape: input.shape, random: &stream)
      switch samples {
      case .frames(let values):
        Self.place(frame: sample, of: values, shape: input.shape, draw: draw, row: row, in: &batch)
      case .trains(let trains):
        Self.place(
          trains[sample], draw: draw, random: &stream, row: row, rows: indices.count, in: &batch)
      }
      let label = labels[sample]
      batch.labels.append(draw?.isMirrored == true ? mirrored[label] : label)
    }
  }

  private static func place(
    frame: Int, of values: [UInt8], shape: Shape, draw: AugmentationDraw?, row: Int,
    in batch: inout Batch
  ) {
    let source = frame * shape.count
    let base = row * shape.count
    guard let draw else {
      for index in 0..<shape.count { batch.values[base + index] = values[source + index] }
      return
    }
    for index in 0..<shape.count {
      if let target = draw.target(of: index, channels: shape.channels) {
        batch.values[base + target] = values[source + index]
      }
    }
  }

  private static func place(
    _ train: SpikeTrain, draw: AugmentationDraw?, random: inout RandomSource, row: Int, rows: Int,
    in batch: inout Batch
  ) {
    let size = train.shape.count
    for address in train.addresses {
      let (step, index) = Int(address).quotientAndRemainder(dividingBy: size)
      guard let draw else {
        batch.values[(step * rows + row) * size + index] = 1
        continue
      }
      if let target = draw.target(
        ofSpikeAt: index, step: step, channels: train.shape.channels, steps: train.steps,
        random: &random)
      {
        batch.values[(target.step * rows + row) * size + target.index] = 1
      }
    }
  }

  private static func frames(
    of dataset: some Dataset, split: Split, limit: Int?, shape: Shape
  ) throws -> (values: [UInt8], labels: [Int]) {
    let count = min(dataset.count(in: split), limit ?? Int.max)
    var values: [UInt8] = []
    var labels: [Int] = []
    values.reserveCapacity(count * shape.count)
    labels.reserveCapacity(count)
    for index in 0..<count {
      let sample = try dataset.sample(at: index, in: split)
      guard case .frame(let frame) = sample.content, frame.shape == shape else {
        throw DatasetError.badSetting(
          name: "sample \(index) of \(dataset.name)", expected: "a frame of \(shape)",
          found: "another content")
      }
      values += frame.values
      labels.append(sample.label)
    }
    return (values, labels)
  }

  private static func mirroredLabels(
    of dataset: some Dataset, for augmentation: Augmentation
  ) throws -> [Int] {
    guard augmentation.horizontalFlipProbability > 0 else { return [] }
    return try dataset.classNames.indices.map { label in
      guard let mirrored = dataset.mirroredLabel(label) else {
        throw DatasetError.badSetting(
          name: "augmentation.horizontalFlipProbability",
          expected: "0 for \(dataset.name), whose class '\(dataset.classNames[label])' has no "
            + "mirror image", found: "\(augmentation.horizontalFlipProbability)")
      }
      return mirrored
    }
  }
}
