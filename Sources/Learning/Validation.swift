import Spiking
import Tensors

/// What a network does on samples it is not trained with.
public struct ValidationReport: Hashable, Sendable, Codable {
  /// Mean loss per sample, without activity penalties.
  public var loss: Double
  /// Fraction of answers that are right, 0…1: of samples, or of samples and steps where each step has its
  /// label; 0 where there are none.
  public var accuracy: Double
  /// Mean spikes per neuron and step, by spiking population.
  public var rates: [Double]
  /// The number of samples.
  public var samples: Int
}

/// Forward passes over batches, in shards on all cores; the result does not depend on their number.
public struct Validation {
  /// What is measured beside the accuracy.
  public var loss: Loss
  /// The numbers the network computes with.
  public var arithmetic: any Arithmetic
  /// Samples per shard; nil: ``Spiking/Network/shardSize(batchSize:)``.
  public var shardSize: Int?
  /// Threads that compute shards.
  public var threads: Int

  /// A validation, in real numbers where no arithmetic is named.
  public init(
    loss: Loss = Loss(), arithmetic: any Arithmetic = RealArithmetic(), shardSize: Int? = nil,
    threads: Int = Parallel.coreCount
  ) {
    self.loss = loss
    self.arithmetic = arithmetic
    self.shardSize = shardSize
    self.threads = threads
  }

  private struct ShardResult: Sendable {
    var loss: Double
    var correct: Int
    var rates: [Float]
    var count: Int
  }

  /// Runs `count` batches, fetched one after the other.
  public func run(
    _ network: Network, batches count: Int, _ batch: (Int) throws -> TrainingBatch
  ) rethrows -> ValidationReport {
    nonisolated(unsafe) let prepared = network.prepare(with: arithmetic, on: Tape())
      .frozen()
    let loss = loss
    var report = ValidationReport(
      loss: 0, accuracy: 0, rates: [Double](repeating: 0, count: network.spiking.count),
      samples: 0)
    var correct = 0
    var answers = 0
    for index in 0..<count {
      let batch = try batch(index)
      let samples = batch.count
      answers += batch.labels.count
      let shardSize = shardSize ?? network.shardSize(batchSize: samples)
      let shards = (samples + shardSize - 1) / shardSize
      let results = Parallel.map(shards, threads: threads) { shard in
        let range = shard * shardSize..<min(samples, (shard + 1) * shardSize)
        return Self.run(prepared, batch, range, loss)
      }
      for result in results {
        report.loss += result.loss
        correct += result.correct
        report.samples += result.count
        for (layer, rate) in result.rates.enumerated() {
          report.rates[layer] += Double(rate) * Double(result.count)
        }
      }
    }
    guard report.samples > 0 else { return report }
    report.loss /= Double(report.samples)
    report.accuracy = Double(correct) / Double(answers)
    report.rates = report.rates.map { $0 / Double(report.samples) }
    return report
  }

  private static func run(
    _ prepared: PreparedNetwork, _ batch: TrainingBatch, _ range: Range<Int>, _ loss: Loss
  ) -> ShardResult {
    let tape = Tape()
    let labels = batch.labels(of: range)
    let output = prepared.forward(
      prepared.network.input(from: batch, range), batch: range.count, on: tape)
    let total = loss.value(
      output, labels: labels, isLabelledByStep: batch.isLabelledByStep, batchSize: 1,
      steps: prepared.network.steps, on: tape)
    return ShardResult(
      loss: Double(total.value[0]), correct: output.correctCount(labels), rates: output.rates,
      count: range.count)
  }
}
