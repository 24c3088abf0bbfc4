import Spiking
import Tensors

/// What one training step saw.
public struct StepReport: Sendable {
  /// Mean loss per sample, penalties included.
  public var loss: Double
  /// Answers that were right: of samples, or of samples and steps where each step has its label.
  public var correct: Int
  /// Mean spikes per neuron and step, by spiking population.
  public var rates: [Double]
  /// The statistics of normalised currents over the batch, by population.
  public var statistics: [Int: CurrentStatistics]
}

/// Gradients of a batch, computed in shards of fixed size on all cores.
///
/// Shards depend on the batch and `shardSize` alone, and their gradients are added in order: the
/// result is the same for every number of threads.
public struct GradientStep {
  /// What is minimised.
  public var loss: Loss
  /// The numbers the network computes with.
  public var arithmetic: any Arithmetic
  /// The price of spiking by population.
  public var penalties: [Int: ActivityPenalty] = [:]
  /// Samples per shard; nil: ``Spiking/Network/shardSize(batchSize:)``.
  public var shardSize: Int?
  /// Threads that compute shards; results do not depend on their number.
  public var threads: Int

  /// A step of the given loss, in real numbers where no arithmetic is named.
  public init(
    loss: Loss, arithmetic: any Arithmetic = RealArithmetic(), shardSize: Int? = nil,
    threads: Int = Parallel.coreCount
  ) {
    self.loss = loss
    self.arithmetic = arithmetic
    self.shardSize = shardSize
    self.threads = threads
  }

  /// The gradient of the batch's mean loss for every parameter, in the order of
  /// ``Spiking/Network/parameters(with:)``.
  ///
  /// - Parameter random: where dropout draws from, in this step alone.
  public func gradients(
    _ network: Network, _ batch: TrainingBatch, random: RandomSource = RandomSource(seed: 0)
  ) -> (gradients: [Tensor], report: StepReport) {
    let tape = Tape()
    let prepared = network.prepare(with: arithmetic, on: tape)
    let count = batch.count
    let shardSize = shardSize ?? network.shardSize(batchSize: count)
    let shards = (count + shardSize - 1) / shardSize
    nonisolated(unsafe) let shared = prepared
    let (loss, penalties) = (loss, penalties)
    var results = Parallel.map(shards, threads: threads) { shard in
      let range = shard * shardSize..<min(count, (shard + 1) * shardSize)
      var options = ForwardOptions()
      options.share = Float(range.count) / Float(count)
      options.penalties = penalties
      options.training = ForwardOptions.Training(random: random.split(UInt64(shard)))
      return Self.run(shared.shard(), batch, range, loss, options)
    }
    var report = StepReport(
      loss: 0, correct: 0, rates: [Double](repeating: 0, count: network.spiking.count),
      statistics: [:])
    for shard in results.indices {
      // Handed over, so that the first shard's gradients are added to in place.
      prepared.accumulate(results[shard].takeGradients())
      let result = results[shard]
      report.loss += result.loss
      report.correct += result.correct
      for (layer, rate) in result.rates.enumerated() {
        report.rates[layer] += Double(rate) * Double(result.count) / Double(count)
      }
    }
    report.statistics = CurrentStatistics.joined(results.map { ($0.count, $0.statistics) })
    tape.replay()
    let gradients = prepared.leaves.map { leaf in
      leaf.variable.takeGradient() ?? Tensor(leaf.parameter.value.shape)
    }
    return (gradients, report)
  }

  private struct ShardResult: Sendable {
    var gradients: [Tensor?]
    var loss: Double
    var correct: Int
    var rates: [Float]
    var statistics: [Int: CurrentStatistics]
    var count: Int

    mutating func takeGradients() -> [Tensor?] {
      defer { gradients = [] }
      return gradients
    }
  }

  private static func run(
    _ prepared: PreparedNetwork, _ batch: TrainingBatch, _ range: Range<Int>, _ loss: Loss,
    _ options: ForwardOptions
  ) -> ShardResult {
    let tape = Tape()
    let labels = batch.labels(of: range)
    let output = prepared.forward(
      prepared.network.input(from: batch, range), batch: range.count, options, on: tape)
    let total = loss.value(
      output, labels: labels, isLabelledByStep: batch.isLabelledByStep, batchSize: batch.count,
      steps: prepared.network.steps, on: tape)
    let value = Double(total.value[0]) + Double(output.penalty)
    tape.backward(from: total)
    return ShardResult(
      gradients: prepared.takeGradients(), loss: value,
      correct: output.correctCount(labels), rates: output.rates,
      statistics: output.statistics, count: range.count)
  }
}

extension NetworkOutput {
  /// How many answers are right: each sample's highest final membrane, or where every step has its
  /// label each step's, the lowest index on ties.
  func correctCount(_ labels: [Int]) -> Int {
    zip(answers(labels.count), labels).count { $0 == $1 }
  }

  /// The class of each of B samples.
  public func predictions(_ batch: Int) -> [Int] { answers(batch) }

  /// The class of the last `rows` rows of membranes.
  private func answers(_ rows: Int) -> [Int] {
    guard let membranes = membranes?.value, let classes = membranes.shape.last else { return [] }
    let start = membranes.count - rows * classes
    return (0..<rows).map { row in
      (0..<classes).reduce(0) { best, candidate in
        membranes[start + row * classes + candidate] > membranes[start + row * classes + best]
          ? candidate : best
      }
    }
  }
}
