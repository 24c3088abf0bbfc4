import Spiking
import Tensors

/// A batch as the network reads it: bytes `[B, H, W, C]` for values, `[T, B, H, W, C]` for events.
public struct TrainingBatch: Sendable {
  public var values: [UInt8]
  public var labels: [Int]

  public init(values: [UInt8], labels: [Int]) {
    self.values = values
    self.labels = labels
  }
}

/// What one training step saw.
public struct StepReport: Sendable {
  /// Mean loss per sample, penalties included.
  public var loss: Double
  public var correct: Int
  /// Mean spikes per neuron and step, by spiking layer.
  public var rates: [Double]
}

/// Gradients of a batch, computed in shards of fixed size on all cores.
///
/// Shards depend on the batch and `shardSize` alone, and their gradients are added in order: the
/// result is the same for every number of threads.
public struct GradientStep: Sendable {
  public var loss: Loss
  /// Samples per shard; nil: ``Spiking/Network/shardSize(batchSize:)``.
  public var shardSize: Int?
  public var threads: Int

  public init(loss: Loss, shardSize: Int? = nil, threads: Int = Parallel.coreCount) {
    self.loss = loss
    self.shardSize = shardSize
    self.threads = threads
  }

  /// The gradient of the batch's mean loss for every parameter, in the order of `network.parameters`.
  public func gradients(
    _ network: Network, _ batch: TrainingBatch
  ) -> (gradients: [Tensor], report: StepReport) {
    let tape = Tape()
    let prepared = network.prepare(on: tape)
    let count = batch.labels.count
    let shardSize = shardSize ?? network.shardSize(batchSize: count)
    let shards = (count + shardSize - 1) / shardSize
    nonisolated(unsafe) let shared = prepared
    var results = Parallel.map(shards, threads: threads) { shard in
      let range = shard * shardSize..<min(count, (shard + 1) * shardSize)
      return run(shared.shard(), batch, range)
    }
    var report = StepReport(
      loss: 0, correct: 0, rates: [Double](repeating: 0, count: network.layers.count - 1))
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
    var count: Int

    mutating func takeGradients() -> [Tensor?] {
      defer { gradients = [] }
      return gradients
    }
  }

  private func run(
    _ prepared: PreparedNetwork, _ batch: TrainingBatch, _ range: Range<Int>
  ) -> ShardResult {
    let tape = Tape()
    let labels = Array(batch.labels[range])
    let output = prepared.forward(
      prepared.network.input(from: batch, range), batch: labels.count,
      share: Float(labels.count) / Float(batch.labels.count), on: tape)
    let total = loss.value(
      output, labels: labels, batchSize: batch.labels.count, steps: prepared.network.steps,
      on: tape)
    let value = Double(total.value[0]) + Double(output.penalty)
    tape.backward(from: total)
    return ShardResult(
      gradients: prepared.takeGradients(), loss: value,
      correct: output.correctCount(labels), rates: output.rates, count: labels.count)
  }
}

extension Network {
  /// The samples `range` of a batch as this network's input tensor.
  func input(from batch: TrainingBatch, _ range: Range<Int>) -> Tensor {
    let extents = [input.shape.height, input.shape.width, input.shape.channels]
    let sample = input.shape.count
    switch input {
    case .values:
      return Tensor(
        [range.count] + extents,
        bytes: batch.values[range.lowerBound * sample..<range.upperBound * sample])
    case .events:
      let row = batch.labels.count * sample
      var tensor = Tensor(uninitialized: [steps, range.count] + extents)
      tensor.fillRows(
        steps, of: range.count * sample, from: batch.values, start: range.lowerBound * sample,
        stride: row)
      return tensor
    }
  }
}

extension NetworkOutput {
  /// How many samples' highest final membrane is their label's, the lowest index on ties.
  func correctCount(_ labels: [Int]) -> Int {
    zip(predictions(labels.count), labels).count { $0 == $1 }
  }

  /// The class of each of B samples.
  public func predictions(_ batch: Int) -> [Int] {
    guard let membranes = membranes?.value, let classes = membranes.shape.last else { return [] }
    let start = membranes.count - batch * classes
    return (0..<batch).map { sample in
      (0..<classes).reduce(0) { best, candidate in
        membranes[start + sample * classes + candidate] > membranes[start + sample * classes + best]
          ? candidate : best
      }
    }
  }
}
