import Datasets
import Dispatch
import Foundation
import ModelFormat

/// What a model made of samples of a data set, summed while they run: ten thousand samples take no more
/// memory than one.
public struct ScoreTotals: Equatable, Sendable {
  /// Samples run.
  public private(set) var samples = 0
  /// Samples whose highest score is that of the label.
  public private(set) var correct = 0
  /// Steps they took, added up.
  public private(set) var steps = 0
  /// The samples' counters, added up.
  public private(set) var counters: Counters
  /// What the runtime did, added up.
  public private(set) var engine = EngineCounters(populationStepsSkipped: 0, weightBytesRead: 0)
  /// Samples counted in NeuroBench's definitions.
  public private(set) var neuroBenchSamples = 0
  /// Their operations by projection, added up.
  public private(set) var neuroBench: [NeuroBenchOperations]

  /// Samples that were answered rightly after each step, where that was asked for. A sample that ended
  /// early keeps its answer.
  public private(set) var correctByStep: [Int]?

  /// The totals of no sample.
  public init(zeroFor model: Model) {
    counters = Counters(zeroFor: model)
    neuroBench = model.projections.map { _ in NeuroBenchOperations() }
  }

  /// Adds a sample of class `label` that took so many steps; `operations` by projection where they were counted.
  public mutating func add(
    _ inference: Inference, steps: Int, label: Int, engine: EngineCounters,
    neuroBench operations: [NeuroBenchOperations]? = nil, answers: [Bool]? = nil
  ) {
    samples += 1
    correct += inference.classIndex == label ? 1 : 0
    self.steps += steps
    correctByStep = Self.sum(correctByStep, answers?.map { $0 ? 1 : 0 })
    counters.add(inference.counters)
    self.engine.populationStepsSkipped += engine.populationStepsSkipped
    self.engine.weightBytesRead += engine.weightBytesRead
    if let operations {
      neuroBenchSamples += 1
      neuroBench = zip(neuroBench, operations).map { $0 + $1 }
    }
  }

  /// Adds counts by step of which either may be missing.
  private static func sum(_ left: [Int]?, _ right: [Int]?) -> [Int]? {
    guard let left, let right else { return left ?? right }
    return zip(left, right).map { $0 + $1 }
  }

  /// Adds the totals of other samples.
  public mutating func add(_ other: ScoreTotals) {
    samples += other.samples
    correct += other.correct
    steps += other.steps
    correctByStep = Self.sum(correctByStep, other.correctByStep)
    counters.add(other.counters)
    engine.populationStepsSkipped += other.engine.populationStepsSkipped
    engine.weightBytesRead += other.engine.weightBytesRead
    neuroBenchSamples += other.neuroBenchSamples
    neuroBench = zip(neuroBench, other.neuroBench).map { $0 + $1 }
  }
}

extension Counters {
  fileprivate mutating func add(_ other: Counters) {
    for (index, counted) in other.populations.enumerated() {
      populations[index].spikesOut += counted.spikesOut
      populations[index].updates += counted.updates
      populations[index].saturations += counted.saturations
    }
    for (index, counted) in other.projections.enumerated() {
      projections[index].spikesIn += counted.spikesIn
      projections[index].synops += counted.synops
      projections[index].macs += counted.macs
    }
    for (index, counted) in other.ports.enumerated() {
      ports[index].events += counted.events
      ports[index].droppedOutside += counted.droppedOutside
      ports[index].droppedLate += counted.droppedLate
      ports[index].droppedOverflow += counted.droppedOverflow
    }
  }
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
  /// Whether the answer after every step is scored too; every sample is then run twice.
  public var everyStep: Bool

  /// Options; by default all samples by 2 threads, 100 of them in NeuroBench's definitions.
  public init(
    limit: Int? = nil, threads: Int = 2, neuroBenchSamples: Int = 100, everyStep: Bool = false
  ) {
    self.everyStep = everyStep
    self.limit = limit
    self.threads = threads
    self.neuroBenchSamples = neuroBenchSamples
  }
}

extension SessionModel {
  /// Runs the samples of a split, and yields what they gave together.
  ///
  /// Throws ``RuntimeError`` where the data set does not fit the model, and what reading a sample
  /// throws; of several failures that of the lowest index.
  public func score(
    _ dataset: some Dataset, split: Split, options: ScoringOptions = ScoringOptions()
  ) throws -> ScoreTotals {
    let count = min(dataset.count(in: split), options.limit ?? Int.max)
    // The shape first: it says more of what does not fit than the number of classes.
    if count > 0 { _ = try InferenceInput(dataset.sample(at: 0, in: split), at: 0, for: model) }
    let scores = model.populations[model.readout].shape.count
    guard scores == dataset.classNames.count else {
      throw RuntimeError.unsuitable(
        path: "read-out",
        expected: "\(dataset.classNames.count) neurons, one per class of "
          + dataset.name, found: "\(scores)")
    }
    let forecast = options.neuroBenchSamples > 0 ? Forecast(for: model) : nil
    let parts = try inShards(count: count, threads: options.threads) { range in
      let session = try Session(self)
      var totals = ScoreTotals(zeroFor: model)
      for index in range {
        let sample = try dataset.sample(at: index, in: split)
        let input = try InferenceInput(sample, at: index, for: model)
        var operations: [NeuroBenchOperations]?
        if let forecast, index < options.neuroBenchSamples {
          operations = forecast.neuroBench(of: try session.runKeepingSpikes(input).history)
        }
        let answers = try options.everyStep ? session.answers(to: input, label: sample.label) : nil
        let inference = try session.run(input)
        totals.add(
          inference, steps: session.steps, label: sample.label, engine: session.engineCounters,
          neuroBench: operations, answers: answers)
      }
      return [totals]
    }
    return parts.reduce(into: ScoreTotals(zeroFor: model)) { $0.add($1) }
  }
}

extension Session {
  /// Whether the answer after each step of an input is that of its label; after the last step taken
  /// the answer stands.
  fileprivate func answers(to input: InferenceInput, label: Int) throws -> [Bool] {
    var answers = try runKeepingScores(input).map { scores in
      Inference.classIndex(of: scores) == label
    }
    while let last = answers.last, answers.count < input.steps { answers.append(last) }
    return answers
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
