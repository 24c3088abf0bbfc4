import Spiking
import Tensors

/// Sets thresholds from data before training, population by population from the input, with real
/// spikes.
///
/// θ of a layer becomes a percentile of the layer's input current, over all samples, steps and
/// positions of one batch (of the channel's, where θ is per channel; of the neuron's, where it is per
/// neuron), times `scale`; never below ``Spiking/Network/leastThreshold``. The layers before already have
/// their new thresholds. Source: Rathi and Roy, DIET-SNN (TNNLS 2021), section III-B, with scale 0.3 as
/// in the authors' code; they take the maximum over steps, we the percentile over all.
///
/// Without leak and bias a silent layer stays silent and the layers behind it cannot learn. A layer
/// below ``leastRate`` is therefore rescaled once: to the current that twice that fraction of the currents
/// exceed by themselves. What is silent after that is reported.
public struct ThresholdCalibration: Hashable, Sendable {
  /// 0…100.
  public var percentile: Double
  /// θ as a fraction of the percentile, > 0.
  public var scale: Float
  /// Samples per shard; nil: ``Spiking/Network/shardSize(batchSize:)``.
  public var shardSize: Int?
  /// Threads that compute shards; results do not depend on their number.
  public var threads: Int

  /// Spikes per neuron and step below which a layer counts as silent.
  public static let leastRate = 0.005

  /// What happened to one layer.
  public struct LayerReport: Hashable, Sendable {
    /// The population's name.
    public var name: String
    /// The new thresholds' smallest and largest.
    public var thresholds: ClosedRange<Float>
    /// Mean spikes per neuron and step with the new thresholds.
    public var rate: Double
    /// Whether the percentile left the layer silent and it was rescaled.
    public var isRescaled: Bool
    /// Whether it is silent all the same: no current of it is positive often enough.
    public var isSilent: Bool { rate < ThresholdCalibration.leastRate }
  }

  /// A calibration of the given percentile and scale.
  public init(
    percentile: Double = 99.7, scale: Float = 0.3, shardSize: Int? = nil,
    threads: Int = Parallel.coreCount
  ) {
    self.percentile = percentile
    self.scale = scale
    self.shardSize = shardSize
    self.threads = threads
  }

  /// The calibration a recipe asks for.
  public init(_ recipe: CalibrationRecipe, shardSize: Int?, threads: Int = Parallel.coreCount) {
    self.init(
      percentile: recipe.percentile, scale: Float(recipe.scale), shardSize: shardSize,
      threads: threads)
  }

  /// Replaces the thresholds of all spiking layers.
  ///
  /// Holds one layer's currents of the whole batch in memory, T·B·N·4 bytes, twice.
  /// - Throws: ``LearningError/value(place:expected:found:)`` where the batch is empty or a current is not
  ///   finite.
  public func run(_ network: Network, on batch: TrainingBatch) throws -> [LayerReport] {
    guard !batch.labels.isEmpty else {
      throw LearningError.value(
        place: "calibration.samples", expected: "at least one sample", found: "none")
    }
    var reports: [LayerReport] = []
    for index in network.evaluationOrder {
      let layer = network.populations[index]
      guard let threshold = layer.threshold else { continue }
      let groups = currents(network, batch, layer: index, groups: threshold.value.count).groups
      guard groups.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
        throw LearningError.value(
          place: "calibration of \(layer.name)", expected: "finite input currents",
          found: "one that is not; check the input and the weights")
      }
      set(threshold, groups.map { scale * Self.percentile(percentile, of: $0) })
      var rate = currents(network, batch, layer: index, groups: 0).rate
      var isRescaled = false
      if rate < Self.leastRate {
        let reachable = groups.map { Self.percentile(100 - 200 * Self.leastRate, of: $0) }
        set(threshold, zip(threshold.value.elements, reachable).map { min($0, $1) })
        rate = currents(network, batch, layer: index, groups: 0).rate
        isRescaled = true
      }
      let values = threshold.value.elements
      reports.append(
        LayerReport(
          name: layer.name, thresholds: (values.min() ?? 0)...(values.max() ?? 0), rate: rate,
          isRescaled: isRescaled))
    }
    return reports
  }

  private func set(_ threshold: Parameter, _ values: [Float]) {
    threshold.value = Tensor(threshold.value.shape, values.map { max($0, Network.leastThreshold) })
    threshold.enforceConstraints()
  }

  private struct ShardResult: Sendable {
    var current: [Float]
    var rate: Double
  }

  /// A layer's currents by threshold (none for `groups` 0), and its rate.
  private func currents(
    _ network: Network, _ batch: TrainingBatch, layer: Int, groups: Int
  ) -> (groups: [[Float]], rate: Double) {
    nonisolated(unsafe) let prepared = network.prepare(on: Tape()).frozen()
    let samples = batch.count
    let place = network.spiking.firstIndex(of: layer) ?? 0
    let shardSize = shardSize ?? network.shardSize(batchSize: samples)
    let shards = (samples + shardSize - 1) / shardSize
    let results = Parallel.map(shards, threads: threads) { shard -> ShardResult in
      let range = shard * shardSize..<min(samples, (shard + 1) * shardSize)
      var seen: [Float] = []
      var options = ForwardOptions()
      options.observer = { index, current in
        if groups > 0 && index == layer { seen = current.elements }
      }
      let output = prepared.forward(
        prepared.network.input(from: batch, range), batch: range.count, options, on: Tape())
      return ShardResult(
        current: seen, rate: Double(output.rates[place]) * Double(range.count) / Double(samples))
    }
    let rate = results.reduce(0) { $0 + $1.rate }
    guard groups > 0 else { return ([], rate) }
    var sorted = [[Float]](repeating: [], count: groups)
    let total = results.reduce(0) { $0 + $1.current.count }
    for group in 0..<groups { sorted[group].reserveCapacity(total / groups) }
    // The channel is the last axis, and a sample's neurons follow one another.
    for result in results {
      var group = 0
      for value in result.current {
        sorted[group].append(value)
        group = group + 1 == groups ? 0 : group + 1
      }
    }
    return (sorted, rate)
  }

  /// The smallest of the values that at least `percent` % do not exceed (nearest rank).
  static func percentile(_ percent: Double, of values: [Float]) -> Float {
    precondition(!values.isEmpty, "a percentile of no values")
    let rank = Int((percent / 100 * Double(values.count)).rounded(.up))
    return nthSmallest(min(max(rank, 1), values.count) - 1, of: values)
  }

  /// Hoare's selection with the median of three as pivot.
  private static func nthSmallest(_ n: Int, of values: [Float]) -> Float {
    var values = values
    var low = 0
    var high = values.count - 1
    while low < high {
      let a = values[low]
      let b = values[(low + high) / 2]
      let c = values[high]
      let pivot = max(min(a, b), min(max(a, b), c))
      var i = low
      var j = high
      while i <= j {
        while values[i] < pivot { i += 1 }
        while values[j] > pivot { j -= 1 }
        if i <= j {
          values.swapAt(i, j)
          i += 1
          j -= 1
        }
      }
      if n <= j {
        high = j
      } else if n >= i {
        low = i
      } else {
        break
      }
    }
    return values[n]
  }
}
