import Datasets
import Learning
import Spiking
import Synchronization
import Wiring

/// A data set as training and validation read it.
final class DatasetBatches: BatchSource {
  private let training: BatchLoader
  private let validation: BatchLoader
  private let batchSize: Int
  /// The order of the epoch asked for last.
  private let order = Mutex<(epoch: Int, indices: [Int])?>(nil)

  /// Samples a batch of validation holds; it bounds memory, not results.
  private static let validationBatchSize = 256

  /// - Parameters:
  ///   - trainingLimit, validationLimit: only the first so many samples; nil: all.
  init(
    _ dataset: any Dataset, batchSize: Int, augmentation: AugmentationRecipe?, seed: UInt64,
    trainingLimit: Int?, validationLimit: Int?
  ) throws {
    var changes = Augmentation()
    if let augmentation {
      changes.shiftPixels = augmentation.shift
      changes.horizontalFlipProbability = augmentation.flip
      changes.cutOutSide = augmentation.cutout
      changes.timeJitterSteps = augmentation.timeJitter
      changes.eventDropProbability = augmentation.dropEvents
    }
    training = try BatchLoader(
      dataset: dataset, split: .train, augmentation: changes, seed: seed, limit: trainingLimit)
    validation = try BatchLoader(
      dataset: dataset, split: .validation, seed: seed, limit: validationLimit)
    self.batchSize = min(batchSize, training.count)
  }

  /// Whole batches only: a short one would weigh its samples more.
  var trainingBatchCount: Int { training.count / max(batchSize, 1) }

  var validationBatchCount: Int {
    (validation.count + Self.validationBatchSize - 1) / Self.validationBatchSize
  }

  func trainingBatch(epoch: Int, index: Int) throws -> TrainingBatch {
    let indices = order.withLock { order in
      if let order, order.epoch == epoch { return order.indices }
      let indices = training.order(epoch: epoch)
      order = (epoch, indices)
      return indices
    }
    return Self.batch(training, indices[index * batchSize..<(index + 1) * batchSize], epoch)
  }

  func validationBatch(_ index: Int) throws -> TrainingBatch {
    let start = index * Self.validationBatchSize
    return Self.batch(
      validation, start..<min(start + Self.validationBatchSize, validation.count), 0)
  }

  private static func batch(
    _ loader: BatchLoader, _ indices: some Collection<Int>, _ epoch: Int
  ) -> TrainingBatch {
    var batch = Batch()
    loader.fill(&batch, with: indices, epoch: epoch)
    return TrainingBatch(values: batch.values, labels: batch.labels)
  }
}

/// All of a split, for a measurement after training.
struct SplitBatches {
  private let loader: BatchLoader
  private static let size = 256

  init(_ dataset: any Dataset, split: Split) throws {
    loader = try BatchLoader(dataset: dataset, split: split)
  }

  var count: Int { (loader.count + Self.size - 1) / Self.size }

  func batch(_ index: Int) -> TrainingBatch {
    var batch = Batch()
    loader.fill(&batch, with: index * Self.size..<min((index + 1) * Self.size, loader.count))
    return TrainingBatch(values: batch.values, labels: batch.labels)
  }
}

extension DatasetInput {
  /// The same input as a network takes it. Pixels 0…255 mean 0…1.
  var port: InputPort {
    switch self {
    case .values: .bytes(shape, scale: 1 / 255)
    case .events: .events(shape)
    }
  }

  /// Duration of a step in microseconds, 0 for images.
  var stepMicroseconds: Int {
    if case .events(_, let stepMicroseconds, _) = self { stepMicroseconds } else { 0 }
  }
}

extension DataRecipe {
  /// Opens the data set for `splits`, with the recipe's time steps. The recipe's seed has no part
  /// in it: the splits are the same for every seed and every command.
  func open(
    for splits: Set<Split> = Set(Split.allCases), environment: [String: String]
  ) throws -> any Dataset {
    var options = DatasetCatalog.Options()
    options.splits = splits
    options.steps = steps
    options.stepMicroseconds = stepMilliseconds.map { Int(($0 * 1000).rounded()) }
    return try DatasetCatalog.open(set, environment: environment, options: options)
  }
}
