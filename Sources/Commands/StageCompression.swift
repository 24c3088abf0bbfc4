import Foundation
import Learning
import ModelCompression
import Spiking

/// Introduces a stage of training to quantisation and pruning, which know nothing of it.
final class StageCompression: TrainingObserver {
  let name = "compression"
  private let bits: QuantizationRecipe?
  private let plan: PruningPlan?
  /// The quantised network, whose grid checkpoints keep.
  private var network: Network?
  private var stepsPerEpoch = 1
  private var steps = 1

  /// What a stage of a recipe asks for. Throws ``CompressionError`` on impossible widths.
  init(_ stage: StageRecipe) throws {
    bits = stage.quantization
    if let bits {
      _ = try Self.width(bits.bits, of: "all layers")
      for (layer, width) in bits.layers { _ = try Self.width(width, of: layer) }
    }
    plan = stage.pruning.map { pruning in
      PruningPlan(
        unit: pruning.kind == .channels ? .channels : .synapses,
        scope: pruning.scope == .global ? .global : .layer, sparsity: pruning.sparsity,
        layers: pruning.layers, begin: pruning.begin, end: pruning.end)
    }
  }

  /// Checks the names of layers without training.
  func validate(for network: Network) throws {
    try plan?.validate(for: network)
    let names = network.layers.map(\.name)
    for layer in (bits?.layers ?? [:]).keys.sorted() where !names.contains(layer) {
      throw CompressionError.unknownLayer(name: layer, known: names)
    }
  }

  /// Puts the network on the stage's grid, as it stands.
  func prepare(_ network: Network) throws {
    guard let bits else {
      for layer in network.layers { layer.hook = nil }
      return
    }
    var widths: [String: WeightBits] = [:]
    for layer in network.layers {
      widths[layer.name] = try Self.width(bits.layers[layer.name] ?? bits.bits, of: layer.name)
    }
    network.quantize { widths[$0.name] ?? .eight }
    self.network = network
  }

  func willBeginStage(_ network: Network, steps: Int, stepsPerEpoch: Int) throws {
    self.steps = steps
    self.stepsPerEpoch = stepsPerEpoch
    try validate(for: network)
    try prepare(network)
  }

  func didStep(_ step: Int, of total: Int, _ network: Network) throws {
    guard let plan else { return }
    let progress = Double(step) / Double(total)
    // A plan that ends at once does so after the first step.
    let last = max((plan.end * Double(total)).rounded(.up), 1)
    // Ranking all weights takes as long as some steps: eight times an epoch is often enough.
    let interval = max(1, stepsPerEpoch / 8)
    guard step == Int(last) || (Double(step) < last && step % interval == 0) else { return }
    network.prune(plan, progress: step == Int(last) ? plan.end : progress)
  }

  func isEligible(epoch: Int) -> Bool {
    Double((epoch + 1) * stepsPerEpoch) >= (plan?.end ?? 0) * Double(steps)
  }

  private static let gridNote = "grid"

  func state() throws -> ObserverState {
    guard let network, bits != nil else { return ObserverState() }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let json = try encoder.encode(network.gridChoices)
    return ObserverState(notes: [Self.gridNote: String(decoding: json, as: UTF8.self)])
  }

  func restore(_ state: ObserverState) throws {
    guard let network, bits != nil else { return }
    guard let json = state.notes[Self.gridNote] else {
      throw CompressionError.noGrid(layer: "all layers")
    }
    try network.restoreGrid(
      JSONDecoder().decode([String: GridChoice].self, from: Data(json.utf8)))
  }

  private static func width(_ bits: Int, of layer: String) throws -> WeightBits {
    guard let width = WeightBits(rawValue: bits) else {
      throw CompressionError.bits(layer: layer, found: bits)
    }
    return width
  }
}
