import Foundation
import Learning
import ModelCompression
import Spiking

/// Introduces a stage of training to quantisation and pruning, which know nothing of it.
final class StageCompression: TrainingObserver {
  let name = "compression"
  private let bits: QuantizationRecipe?
  private let plan: PruningPlan?
  /// The integers of the stage, whose grid checkpoints keep; nil in a stage of real numbers.
  private var quantized: QuantizedArithmetic?
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
        unit: Self.unit(pruning.kind), scope: pruning.scope == .global ? .global : .layer,
        sparsity: pruning.sparsity, layers: pruning.layers, begin: pruning.begin,
        end: pruning.end)
    }
  }

  private static func unit(_ kind: PruningRecipe.Kind) -> PruningPlan.Unit {
    switch kind {
    case .magnitude: .synapses
    case .channels: .channels
    case .taps: .taps
    }
  }

  /// Checks the names of layers without training.
  func validate(for network: Network) throws {
    try plan?.validate(for: network)
    let names = network.projections.map(\.name)
    for layer in (bits?.layers ?? [:]).keys.sorted() where !names.contains(layer) {
      throw CompressionError.unknownLayer(name: layer, known: names)
    }
  }

  /// The numbers of the stage: integers chosen for the network as it stands, its normalisations folded,
  /// or the parameters themselves.
  func prepare(_ network: Network) throws -> any Arithmetic {
    quantized = nil
    guard let bits else { return RealArithmetic() }
    var widths: [String: WeightBits] = [:]
    for projection in network.projections {
      widths[projection.name] = try Self.width(
        bits.layers[projection.name] ?? bits.bits, of: projection.name)
    }
    network.foldNormalization()
    let arithmetic = try QuantizedArithmetic(network) { widths[$0.name] ?? .eight }
    quantized = arithmetic
    return arithmetic
  }

  func willBeginStage(_ network: Network, steps: Int, stepsPerEpoch: Int) throws {
    self.steps = steps
    self.stepsPerEpoch = stepsPerEpoch
    try validate(for: network)
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
    guard let quantized else { return ObserverState() }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let json = try encoder.encode(quantized.namedChoices)
    return ObserverState(notes: [Self.gridNote: String(decoding: json, as: UTF8.self)])
  }

  func restore(_ state: ObserverState) throws {
    guard let quantized else { return }
    guard let json = state.notes[Self.gridNote] else {
      throw CompressionError.noGrid(layer: "all layers")
    }
    try quantized.restore(
      JSONDecoder().decode([String: GridChoice].self, from: Data(json.utf8)))
  }

  private static func width(_ bits: Int, of layer: String) throws -> WeightBits {
    guard let width = WeightBits(rawValue: bits) else {
      throw CompressionError.bits(layer: layer, found: bits)
    }
    return width
  }
}
