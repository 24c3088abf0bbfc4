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
  }
  /// Where magnitudes are compared.
  public enum Scope: Hashable, Sendable {
    /// Over all layers at once, by layer-adaptive magnitude.
    case global
    /// Within each layer.
    case layer
  }

  public var unit: Unit
  public var scope: Scope
  /// The fraction removed at the end, in 0..<1.
  public var sparsity: Double
  /// Layers with a fraction of their own, by name; they take no part in the global comparison.
  public var layers: [String: Double]
  /// The fractions of the stage between which the sparsity grows.
  public var begin: Double
  public var end: Double

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

  /// The part of the final sparsity due at a point of the stage: `1 − (1 − u)³`, u running from 0
  /// at
  /// `begin` to 1 at `end`. Source: Zhu and Gupta, To prune or not to prune, 2017, equation 1.
  public func share(at progress: Double) -> Double {
    guard end > begin else { return progress >= end ? 1 : 0 }
    let u = min(max((progress - begin) / (end - begin), 0), 1)
    return 1 - (1 - u) * (1 - u) * (1 - u)
  }

  /// Checks the plan against a network; throws ``CompressionError``.
  public func validate(for network: Network) throws {
    let names = network.layers.map(\.name)
    for name in layers.keys.sorted() where !names.contains(name) {
      throw CompressionError.unknownLayer(name: name, known: names)
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
    var common: [Layer] = []
    for layer in layers {
      if let own = plan.layers[layer.name] {
        prune([layer], plan.unit, fraction: own * share)
      } else if plan.scope == .layer {
        prune([layer], plan.unit, fraction: plan.sparsity * share)
      } else {
        common.append(layer)
      }
    }
    prune(common, plan.unit, fraction: plan.sparsity * share)
  }

  private func prune(_ layers: [Layer], _ unit: PruningPlan.Unit, fraction: Double) {
    guard fraction > 0, !layers.isEmpty else { return }
    switch unit {
    case .synapses: pruneSynapses(layers, fraction: fraction)
    case .channels:
      // A read-out's channels are the classes.
      for layer in layers where layer.kind != .readout {
        pruneChannels(layer, fraction: fraction)
      }
    }
  }

  /// Removes the synapses of least layer-adaptive magnitude, `w² / Σ w'²` over the layer's weights
  /// that are at least as large: comparable between layers of different scale, and never a whole
  /// layer, for a layer's largest weight has 1 and stays. Within one layer its order is that of
  /// |w|. Source: Lee et al., Layer-adaptive sparsity for the magnitude-based pruning, ICLR 2021,
  /// equation 4.
  private func pruneSynapses(_ layers: [Layer], fraction: Double) {
    let scores = layers.map { Self.adaptiveMagnitudes($0.weight.value.elements) }
    let sorted = scores.joined().sorted()
    let count = Int((fraction * Double(sorted.count)).rounded())
    guard count > 0 else { return }
    let threshold = min(sorted[count - 1], Float(1).nextDown)
    for (layer, scores) in zip(layers, scores) {
      layer.weight.remove { scores[$0] <= threshold }
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

  private func pruneChannels(_ layer: Layer, fraction: Double) {
    let channels = layer.weight.value.shape.last ?? 1
    var norms = [Double](repeating: 0, count: channels)
    for (index, weight) in layer.weight.value.elements.enumerated() {
      norms[index % channels] += Double(weight) * Double(weight)
    }
    let count = min(Int((fraction * Double(channels)).rounded()), channels - 1)
    let removed = Set(norms.indices.sorted { norms[$0] < norms[$1] }.prefix(count))
    guard !removed.isEmpty else { return }
    layer.weight.remove { removed.contains($0 % channels) }
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
