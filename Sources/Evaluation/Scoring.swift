import Datasets
import Dispatch
import Foundation
import ModelFormat

/// What a model made of one sample of a data set.
public struct ScoredSample: Equatable, Sendable {
  /// The sample's place in its split.
  public let index: Int
  /// Its class.
  public let label: Int
  /// Scores and counters.
  public let inference: Inference
  /// What the runtime did.
  public let engine: EngineCounters
  /// Operations in NeuroBench's definitions, per projection; nil where they were not asked for.
  public let neuroBench: [NeuroBenchOperations]?

  /// Whether the highest score is that of the label.
  public var isCorrect: Bool { inference.classIndex == label }
}

/// Which samples are scored, and how.
public struct ScoringOptions: Equatable, Sendable {
  /// At most this many samples, from the first on; nil: all.
  public var limit: Int?
  /// Threads, at least 1; results do not depend on their number.
  public var threads: Int
  /// So many samples, from the first on, are run step by step and counted in NeuroBench's
  /// definitions too; that takes a few times longer.
  public var neuroBenchSamples: Int

  /// Options; by default all samples by 2 threads, 100 of them in NeuroBench's definitions.
  public init(limit: Int? = nil, threads: Int = 2, neuroBenchSamples: Int = 100) {
    self.limit = limit
    self.threads = threads
    self.neuroBenchSamples = neuroBenchSamples
  }
}

extension SessionModel {
  /// Runs the samples of a split, and yields what each gave, in order.
  ///
  /// Throws ``RuntimeError`` where the data set does not fit the model, and what reading a sample
  /// throws; of several failures that of the lowest index.
  public func score(
    _ dataset: some Dataset, split: Split, options: ScoringOptions = ScoringOptions()
  ) throws -> [ScoredSample] {
    let scores = model.populations[model.readout].shape.count
    guard scores == dataset.classNames.count else {
      throw RuntimeError.unsuitable(
        path: "read-out",
        expected: "\(dataset.classNames.count) neurons, one per class of "
          + dataset.name, found: "\(scores)")
    }
    let count = min(dataset.count(in: split), options.limit ?? Int.max)
    let forecast = options.neuroBenchSamples > 0 ? Forecast(for: model) : nil
    return try inShards(count: count, threads: options.threads) { range in
      let session = try Session(self)
      return try range.map { index in
        let sample = try dataset.sample(at: index, in: split)
        let input = try InferenceInput(sample, for: model)
        var operations: [NeuroBenchOperations]?
        if let forecast, index < options.neuroBenchSamples {
          operations = forecast.neuroBench(of: try session.runKeepingSpikes(input).history)
        }
        let inference = try session.run(input)
        return ScoredSample(
          index: index, label: sample.label, inference: inference,
          engine: session.engineCounters, neuroBench: operations)
      }
    }
  }
}

/// The results of `body` for consecutive ranges that together are 0..<count, joined in order.
///
/// Every thread takes one range. Throws the error of the lowest range that failed.
func inShards<Element: Sendable>(
  count: Int, threads: Int, _ body: @Sendable (Range<Int>) throws -> [Element]
) throws -> [Element] {
  precondition(threads > 0, "work needs at least one thread, found \(threads)")
  let shards = max(1, min(threads, count))
  let finished = FinishedShards<Element>()
  DispatchQueue.concurrentPerform(iterations: shards) { shard in
    let range = shard * count / shards..<(shard + 1) * count / shards
    finished.store(Result { try body(range) }, at: shard)
  }
  var joined: [Element] = []
  // Elements may be many: no growing by doubling.
  joined.reserveCapacity(count)
  for result in finished.inOrder { joined += try result.get() }
  return joined
}

/// The results of shards, kept behind a lock.
private final class FinishedShards<Element: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var results: [Int: Result<[Element], any Error>] = [:]

  func store(_ result: Result<[Element], any Error>, at shard: Int) {
    lock.withLock { results[shard] = result }
  }

  var inOrder: [Result<[Element], any Error>] {
    lock.withLock { results.sorted { $0.key < $1.key }.map(\.value) }
  }
}
