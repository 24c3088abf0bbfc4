import Foundation
import Spiking
import Tensors

/// How sparse a network becomes, and what is taken away.
public struct PruningPlan: Hashable, Sendable {
  /// What is removed together.
  public enum Unit: Hashable, Sendable {
    /// Single synapses of small magnitude.
    case synapses
    /// Whole output channels of small norm.
    case channels
    /// Whole taps of small norm, of projections that have several: which delays are kept.
    case taps
  }
  /// Where magnitudes are compared.
  public enum Scope: Hashable, Sendable {
    /// Over all projections at once, by layer-adaptive magnitude.
    case global
    /// Within each projection.
    case layer
  }

  /// What is removed together.
  public var unit: Unit
  /// Where magnitudes are compared.
  public var scope: Scope
  /// The fraction removed at the end, in 0..<1.
  public var sparsity: Double
  /// Projections with a fraction of their own, by name; they take no part in the global comparison.
  public var layers: [String: Double]
  /// The fractions of the stage between which the sparsity grows.
  public var begin: Double
  /// Where pruning reaches its goal, a fraction of the stage's steps.
  public var end: Double

  /// A plan of the given sparsity.
  public init(
    unit: Unit = .synapses, scope: Scope = .global, sparsity: Double,
    layers: [String: Double] = [:], begin: Double = 0, end: Double = 0.5
  ) {
    self.unit = unit
    self.scope = scope
    self.sparsity = sparsity
    self.layers = layers
    self.begin = begin
    self.end = end
  }

  /// The part of the final sparsity due at a point of the stage: `1 − (1 − u)³`, u running from 0 at
  /// `begin` to 1 at `end`. Source: Zhu and Gupta, To prune or not to prune, 2017, equation 1.
  public func share(at progress: Double) -> Double {
    guard end > begin else { return progress >= end ? 1 : 0 }
    let u = min(max((progress - begin) / (end - begin), 0), 1)
    return 1 - (1 - u) * (1 - u) * (1 - u)
  }

  /// Checks the plan against a network; throws ``CompressionError``.
  public func validate(for network: Network) throws {
    let names = network.projections.map(\.name)
    for name in layers.keys.sorted() where !names.contains(name) {
      throw CompressionError.unknownLayer(name: name, known: names)
    }
    if unit == .taps {
      let delayed = network.projections.filter { $0.taps > 1 }.map(\.name)
      let without = layers.keys.sorted().filter { !delayed.contains($0) }
      if let name = delayed.isEmpty ? "all layers" : without.first {
        throw CompressionError.noTaps(layer: name, known: delayed)
      }
    }
    for (name, fraction) in [("all layers", sparsity)] + layers.sorted(by: { $0.key < $1.key })
    where !(0..<1).contains(fraction) {
      throw CompressionError.impossibleSparsity(layer: name, found: fraction)
    }
  }
}

extension Network {
  /// Masks the weights a plan wants gone at a point of its stage (0…1). Removed synapses stay
  /// removed, whatever plan removed them.
  public func prune(_ plan: PruningPlan, progress: Double) {
    let share = plan.share(at: progress)
    guard share > 0 else { return }
    var common: [Projection] = []
    for projection in projections {
      if let own = plan.layers[projection.name] {
        prune([projection], plan.unit, fraction: own * share)
      } else if plan.scope == .layer {
        prune([projection], plan.unit, fraction: plan.sparsity * share)
      } else {
        common.append(projection)
      }
    }
    prune(common, plan.unit, fraction: plan.sparsity * share)
  }

  private func prune(_ projections: [Projection], _ unit: PruningPlan.Unit, fraction: Double) {
    guard fraction > 0, !projections.isEmpty else { return }
    switch unit {
    case .synapses: pruneSynapses(projections, fraction: fraction)
    case .channels:
      // A read-out's channels are the classes.
      for projection in projections where !populations[projection.target].isReadout {
        pruneChannels(projection, fraction: fraction)
      }
    case .taps:
      for projection in projections { pruneTaps(projection, fraction: fraction) }
    }
  }

  /// Removes the synapses of least layer-adaptive magnitude, `w² / Σ w'²` over the layer's weights
  /// that are at least as large: comparable between layers of different scale, and never a whole
  /// layer, for a layer's largest weight has 1 and stays. Within one layer its order is that of
  /// |w|. Source: Lee et al., Layer-adaptive sparsity for the magnitude-based pruning, ICLR 2021,
  /// equation 4.
  private func pruneSynapses(_ projections: [Projection], fraction: Double) {
    let scores = projections.map { Self.adaptiveMagnitudes($0.weight.value.elements) }
    let sorted = scores.joined().sorted()
    let count = Int((fraction * Double(sorted.count)).rounded())
    guard count > 0 else { return }
    let threshold = min(sorted[count - 1], Float(1).nextDown)
    for (projection, scores) in zip(projections, scores) {
      projection.weight.remove { scores[$0] <= threshold }
    }
  }

  private static func adaptiveMagnitudes(_ weights: [Float]) -> [Float] {
    let order = weights.indices.sorted { abs(weights[$0]) > abs(weights[$1]) }
    var scores = [Float](repeating: 0, count: weights.count)
    var total = 0.0
    for index in order {
      let square = Double(weights[index]) * Double(weights[index])
      total += square
      scores[index] = total > 0 ? Float(square / total) : 0
    }
    return scores
  }

  private func pruneChannels(_ projection: Projection, fraction: Double) {
    let channels = populations[projection.target].shape.channels
    // A weight that ends at several channels is none of theirs.
    guard !projection.sharesWeights(among: channels) else { return }
    let layout = projection.channelLayout(channels: channels)
    let weights = projection.weight.value.elements
    var norms = [Double](repeating: 0, count: channels)
    layout.visit { norms[$1] += Double(weights[$0]) * Double(weights[$0]) }
    let removed = Self.smallest(of: norms, fraction: fraction)
    guard !removed.isEmpty else { return }
    var positions: Set<Int> = []
    layout.visit { if removed.contains($1) { positions.insert($0) } }
    projection.weight.remove { positions.contains($0) }
  }

  private func pruneTaps(_ projection: Projection, fraction: Double) {
    let weights = projection.weight.value.elements
    let size = weights.count / projection.taps
    var norms = [Double](repeating: 0, count: projection.taps)
    for (index, weight) in weights.enumerated() {
      norms[index / size] += Double(weight) * Double(weight)
    }
    let removed = Self.smallest(of: norms, fraction: fraction)
    guard !removed.isEmpty else { return }
    projection.weight.remove { removed.contains($0 / size) }
  }

  /// The indices of a fraction of `norms`, the smallest; never of all.
  private static func smallest(of norms: [Double], fraction: Double) -> Set<Int> {
    let count = min(Int((fraction * Double(norms.count)).rounded()), norms.count - 1)
    return Set(norms.indices.sorted { norms[$0] < norms[$1] }.prefix(count))
  }
}

extension Parameter {
  /// Masks the elements of which `isRemoved` says so, besides those already masked.
  fileprivate func remove(_ isRemoved: (Int) -> Bool) {
    var mask = mask ?? Tensor(value.shape, filledWith: 1)
    for index in 0..<mask.count where isRemoved(index) { mask[index] = 0 }
    self.mask = mask
  }
}
