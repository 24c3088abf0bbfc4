import Spiking
import Tensors

/// What a network does on samples it is not trained with.
public struct ValidationReport: Hashable, Sendable, Codable {
  /// Mean loss per sample, without activity penalties.
  public var loss: Double
  /// Fraction of samples classified right, 0…1; 0 where there are none.
  public var accuracy: Double
  /// Mean spikes per neuron and step, by spiking layer.
  public var rates: [Double]
  public var samples: Int
}

/// Forward passes over batches, in shards on all cores; the result does not depend on their number.
public struct Validation: Sendable {
  public var loss: Loss
  /// Samples per shard; nil: ``Spiking/Network/shardSize(batchSize:)``.
  public var shardSize: Int?
  public var threads: Int

  public init(loss: Loss = Loss(), shardSize: Int? = nil, threads: Int = Parallel.coreCount) {
    self.loss = loss
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
    nonisolated(unsafe) let prepared = network.prepare(on: Tape()).frozen()
    var report = ValidationReport(
      loss: 0, accuracy: 0, rates: [Double](repeating: 0, count: network.layers.count - 1),
      samples: 0)
    var correct = 0
    for index in 0..<count {
      let batch = try batch(index)
      let samples = batch.labels.count
      let shardSize = shardSize ?? network.shardSize(batchSize: samples)
      let shards = (samples + shardSize - 1) / shardSize
      let results = Parallel.map(shards, threads: threads) { shard in
        let range = shard * shardSize..<min(samples, (shard + 1) * shardSize)
        return run(prepared, batch, range)
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
    report.accuracy = Double(correct) / Double(report.samples)
    report.rates = report.rates.map { $0 / Double(report.samples) }
    return report
  }

  private func run(
    _ prepared: PreparedNetwork, _ batch: TrainingBatch, _ range: Range<Int>
  ) -> ShardResult {
    let tape = Tape()
    let labels = Array(batch.labels[range])
    let output = prepared.forward(
      prepared.network.input(from: batch, range), batch: labels.count, on: tape)
    let total = loss.value(
      output, labels: labels, batchSize: 1, steps: prepared.network.steps, on: tape)
    return ShardResult(
      loss: Double(total.value[0]), correct: output.correctCount(labels), rates: output.rates,
      count: labels.count)
  }
}
