import Tensors

/// Batch normalisation of a population's summed current, by channel over all steps, samples and
/// positions: `I′ = γ·(I − μ) / √(σ² + ε)`. What is learned beside γ is the population's bias.
///
/// While training, μ and σ² are those of a shard (Hoffer et al., NeurIPS 2017, call it ghost batch
/// normalisation): results do not depend on the number of threads, and the shard's size is part of the
/// recipe. Elsewhere they are running means over training. Before quantisation γ, μ and σ become part of
/// weights and bias (``Network/foldNormalization()``), and a device never meets them. Source: Ioffe and
/// Szegedy, ICML 2015; over time as well as batch: Kim and Panda, Frontiers in Neuroscience 2021.
public struct Normalization {
  /// γ, C values.
  public var scale: Parameter
  /// The running mean μ, C values.
  public var mean: Parameter
  /// The running variance σ², C values.
  public var variance: Parameter

  /// ε, in squared units of the current.
  public static let epsilon: Float = 1e-5
  /// The share of a new batch in the running mean and variance.
  public static let momentum: Float = 0.1

  /// A normalisation of C channels that changes nothing as yet.
  public init(name: String, channels: Int) {
    scale = Parameter("\(name).scale", role: .scale, value: Tensor([channels], filledWith: 1))
    mean = Parameter("\(name).mean", role: .statistic, value: Tensor([channels]))
    variance = Parameter(
      "\(name).variance", role: .statistic,
      value: Tensor([channels], filledWith: 1 - Self.epsilon),
      range: 0...Float.greatestFiniteMagnitude)
  }
}

/// The mean and variance of one population's current in one shard.
public struct CurrentStatistics: Sendable {
  /// By channel.
  public var mean: [Float]
  /// By channel, of the shard's own rows (not corrected for their number).
  public var variance: [Float]

  /// The statistics of rows of `channels` numbers, summed in double precision.
  init(_ current: Tensor, channels: Int) {
    let rows = Double(current.count / channels)
    var sums = [Double](repeating: 0, count: channels)
    var squares = sums
    current.withPointer { source in
      for start in stride(from: 0, to: current.count, by: channels) {
        for channel in 0..<channels { sums[channel] += Double(source[start + channel]) }
      }
      for channel in 0..<channels { sums[channel] /= rows }
      for start in stride(from: 0, to: current.count, by: channels) {
        for channel in 0..<channels {
          let difference = Double(source[start + channel]) - sums[channel]
          squares[channel] += difference * difference
        }
      }
    }
    mean = sums.map(Float.init)
    variance = squares.map { Float($0 / rows) }
  }

  init(mean: [Float], variance: [Float]) {
    self.mean = mean
    self.variance = variance
  }

  /// The statistics of shards' rows taken together, by population, from each shard's number of samples
  /// and statistics: the mean of the means, and that of the variances plus the means' own variance.
  public static func joined(
    _ shards: [(samples: Int, statistics: [Int: CurrentStatistics])]
  ) -> [Int: CurrentStatistics] {
    guard let first = shards.first else { return [:] }
    let total = Double(shards.reduce(0) { $0 + $1.samples })
    var result: [Int: CurrentStatistics] = [:]
    for (population, own) in first.statistics {
      let channels = own.mean.indices
      var means = channels.map { _ in 0.0 }
      var squares = means
      for shard in shards {
        guard let seen = shard.statistics[population] else { continue }
        let share = Double(shard.samples) / total
        for channel in channels {
          let mean = Double(seen.mean[channel])
          means[channel] += share * mean
          squares[channel] += share * (Double(seen.variance[channel]) + mean * mean)
        }
      }
      result[population] = CurrentStatistics(
        mean: means.map(Float.init),
        variance: zip(squares, means).map { Float(max($0 - $1 * $1, 0)) })
    }
    return result
  }
}

/// Normalises rows of C channels. With `isBatch` the statistics are those of `current` itself and their
/// gradient is part of the result's; otherwise they are constants.
func normalize(
  _ current: Variable, scale: Variable, _ statistics: CurrentStatistics, isBatch: Bool,
  on tape: Tape
) -> Variable {
  let channels = scale.value.count
  let inverse = statistics.variance.map { 1 / ($0 + Normalization.epsilon).squareRoot() }
  var normal = Tensor(uninitialized: current.shape)
  var result = Tensor(uninitialized: current.shape)
  current.value.withPointer { source in
    normal.withMutablePointer { normal in
      result.withMutablePointer { target in
        for start in stride(from: 0, to: current.value.count, by: channels) {
          for channel in 0..<channels {
            let x = (source[start + channel] - statistics.mean[channel]) * inverse[channel]
            normal[start + channel] = x
            target[start + channel] = x * scale.value[channel]
          }
        }
      }
    }
  }
  let output = Variable(result, needsGradient: current.needsGradient || scale.needsGradient)
  guard output.needsGradient else { return output }
  tape.record { [normal] in
    guard var gradient = output.takeGradient() else { return }
    let count = gradient.count
    let rows = Double(count / channels)
    // Σ g and Σ g·x̂ by channel; the second is γ's gradient.
    var sums = [Double](repeating: 0, count: channels)
    var products = sums
    normal.withPointer { normal in
      gradient.withMutablePointer { g in
        for start in stride(from: 0, to: count, by: channels) {
          for channel in 0..<channels {
            sums[channel] += Double(g[start + channel])
            products[channel] += Double(g[start + channel] * normal[start + channel])
          }
        }
        for start in stride(from: 0, to: count, by: channels) {
          for channel in 0..<channels {
            var inner = g[start + channel]
            if isBatch {
              inner -= Float(sums[channel] / rows)
              inner -= normal[start + channel] * Float(products[channel] / rows)
            }
            g[start + channel] = inner * scale.value[channel] * inverse[channel]
          }
        }
      }
    }
    scale.accumulate(Tensor(scale.shape, products.map(Float.init)))
    current.accumulate(gradient)
  }
  return output
}

extension Network {
  /// Makes every normalisation part of weights and bias, so that the network computes the same currents
  /// without it: `w ← w·γ/√(σ² + ε)`, `b ← b − μ·γ/√(σ² + ε)`, then γ = 1, μ = 0, σ² = 1 − ε.
  ///
  /// The weights of a projection onto a normalised population end at its channels one by one, and the
  /// population has a bias by channel: its builder sees to both.
  public func foldNormalization() {
    for (index, population) in populations.enumerated() {
      guard let normalization = population.normalization, let bias = population.bias else {
        continue
      }
      let channels = normalization.scale.value.count
      let factors = (0..<channels).map {
        normalization.scale.value[$0]
          / (normalization.variance.value[$0] + Normalization.epsilon).squareRoot()
      }
      for projection in incoming[index] {
        projections[projection].scaleByTargetChannel(factors)
      }
      for channel in 0..<channels {
        bias.value[channel] -= normalization.mean.value[channel] * factors[channel]
        normalization.scale.value[channel] = 1
        normalization.mean.value[channel] = 0
        normalization.variance.value[channel] = 1 - Normalization.epsilon
      }
    }
  }

  /// Brings the running statistics of a population nearer to those of a batch.
  public func updateStatistics(of population: Int, _ batch: CurrentStatistics) {
    guard let normalization = populations[population].normalization else { return }
    let share = Normalization.momentum
    for channel in batch.mean.indices {
      normalization.mean.value[channel] +=
        share * (batch.mean[channel] - normalization.mean.value[channel])
      normalization.variance.value[channel] +=
        share * (batch.variance[channel] - normalization.variance.value[channel])
    }
  }
}

extension Projection {
  /// Multiplies each weight by the factor of the channel at which it ends.
  fileprivate func scaleByTargetChannel(_ factors: [Float]) {
    channelLayout(channels: factors.count).visit { position, channel in
      weight.value[position] *= factors[channel]
    }
  }
}
