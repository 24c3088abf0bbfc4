import Spiking
import Tensors

/// Makes a layer compute in the integers of the device (models/FORMAT.md, section 4).
///
/// Weights become codes with learned steps Δ, one per output channel (one in all for a read-out, whose
/// neurons are compared with each other); thresholds and biases become integers in the membrane's
/// unit; leaks multiples of 1/256. The unit of channel c is `Δ_c / 2^shift` for spikes and
/// `Δ_c · inputScale · 2^shift` for values. Shift and membrane range are fixed when the quantizer is
/// made (``GridChoice``) and do not learn.
public final class Quantizer: LayerHook {
  /// The smallest step training may reach.
  static let leastStep: Float = 1e-6

  public let bits: WeightBits
  public let step: Parameter
  public private(set) var choice: GridChoice

  /// The real value of an input of 1, nil for spikes.
  private let inputScale: Float?

  /// A quantizer for a layer as it stands: steps from its weights, shift and range from the bounds
  /// they imply.
  /// - Parameter inputScale: the real value of an input integer of 1 where the layer reads values.
  public init(for layer: Layer, bits: WeightBits, inputScale: Float?) {
    let steps = initialSteps(layer.weight.value, bits: bits, perChannel: layer.kind != .readout)
    self.bits = bits
    self.inputScale = inputScale
    choice = GridChoice(for: layer, bits: bits, steps: steps, inputScale: inputScale)
    step = Parameter(
      "\(layer.name).step", role: .step, value: steps,
      range: Self.leastStep...Float.greatestFiniteMagnitude)
  }

  public var parameters: [Parameter] { [step] }

  func restore(_ choice: GridChoice) { self.choice = choice }

  /// The real value of one membrane unit, by channel (one value for a read-out).
  public var unit: [Float] {
    step.value.elements.map { choice.unit(step: $0, inputScale: inputScale) }
  }

  public func arithmetic(
    of layer: Layer, on tape: Tape, parameter: (Parameter) -> Variable
  ) -> LayerArithmetic {
    let weight = parameter(layer.weight)
    let threshold = layer.threshold.map(parameter)
    let leak = layer.leak.map(parameter)
    let bias = layer.bias.map(parameter)
    let unit = unit
    return LayerArithmetic(
      weight: quantize(weight, step: parameter(step), bits: bits, on: tape),
      threshold: threshold.map { inUnits($0, unit: unit, range: 1...32767, on: tape) },
      leak: leak.map { onLeakGrid($0, on: tape) },
      bias: bias.map { inUnits($0, unit: unit, range: -32767...32767, on: tape) },
      grid: IntegerGrid(
        shift: choice.shift, range: Float(choice.floor)...Float(choice.ceiling), unit: unit))
  }
}

extension Network {
  /// Quantises every layer as it stands; `bits` is asked by layer. Replaces earlier quantizers.
  public func quantize(bits: (Layer) -> WeightBits) {
    for (index, layer) in layers.enumerated() {
      layer.hook = Quantizer(
        for: layer, bits: bits(layer), inputScale: index == 0 ? input.scale : nil)
    }
  }

  /// The grid of every layer by name, for checkpoints: weights, thresholds and steps are parameters.
  public var gridChoices: [String: GridChoice] {
    layers.reduce(into: [:]) { $0[$1.name] = ($1.hook as? Quantizer)?.choice }
  }

  /// Puts quantised layers on the grid a checkpoint remembers. Throws where a layer has none.
  public func restoreGrid(_ choices: [String: GridChoice]) throws {
    for layer in layers {
      guard let quantizer = layer.hook as? Quantizer else { continue }
      guard let choice = choices[layer.name] else {
        throw CompressionError.noGrid(layer: layer.name)
      }
      quantizer.restore(choice)
    }
  }
}

/// Why a network cannot be compressed as asked.
public enum CompressionError: Error, Equatable, CustomStringConvertible {
  case noGrid(layer: String)
  case bits(layer: String, found: Int)
  case unknownLayer(name: String, known: [String])
  case impossibleSparsity(layer: String, found: Double)

  public var description: String {
    switch self {
    case .noGrid(let layer):
      "quantisation of \(layer): expected its shift and range in the checkpoint, found none"
    case .bits(let layer, let found):
      "quantisation of \(layer): expected 2 to 8 bits, found \(found)"
    case .unknownLayer(let name, let known):
      "compression: no layer '\(name)'; the network has \(known.joined(separator: ", "))"
    case .impossibleSparsity(let layer, let found):
      "pruning of \(layer): expected a sparsity in 0..<1, found \(found)"
    }
  }
}
