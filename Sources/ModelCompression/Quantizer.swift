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
  public let choice: GridChoice

  /// The real value of an input of 1, nil for spikes.
  private let inputScale: Float?

  /// A quantizer for a layer as it stands: steps from its weights, shift and range from the bounds
  /// they imply.
  /// - Parameter inputScale: the real value of an input integer of 1 where the layer reads values.
  public convenience init(for layer: Layer, bits: WeightBits, inputScale: Float?) {
    let steps = initialSteps(
      layer.weight.value, bits: bits, perChannel: layer.kind != .readout)
    let choice = GridChoice(for: layer, bits: bits, steps: steps, inputScale: inputScale)
    self.init(for: layer, bits: bits, steps: steps, choice: choice, inputScale: inputScale)
  }

  /// A quantizer as a checkpoint describes it.
  public init(
    for layer: Layer, bits: WeightBits, steps: Tensor, choice: GridChoice, inputScale: Float?
  ) {
    self.bits = bits
    self.choice = choice
    self.inputScale = inputScale
    step = Parameter(
      "\(layer.name).step", role: .step, value: steps,
      range: Self.leastStep...Float.greatestFiniteMagnitude)
  }

  public var parameters: [Parameter] { [step] }

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
    let least: Float = 1
    return LayerArithmetic(
      weight: quantize(weight, step: parameter(step), bits: bits, on: tape),
      threshold: threshold.map { inUnits($0, unit: unit, range: least...32767, on: tape) },
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

  /// What a checkpoint keeps of the quantizers, nil for a float network.
  public var quantization: QuantizationState? {
    let quantizers = layers.compactMap { $0.hook as? Quantizer }
    guard quantizers.count == layers.count else { return nil }
    return QuantizationState(
      layers: quantizers.map {
        QuantizationState.LayerState(
          bits: $0.bits, choice: $0.choice, steps: $0.step.value.elements)
      })
  }

  /// Quantises every layer as a checkpoint describes. Throws where the layers do not match.
  public func quantize(as state: QuantizationState) throws {
    guard state.layers.count == layers.count else {
      throw CompressionError.layerCount(expected: layers.count, found: state.layers.count)
    }
    for (index, (layer, saved)) in zip(layers, state.layers).enumerated() {
      guard saved.steps.count == 1 || saved.steps.count == layer.shape.channels else {
        throw CompressionError.stepCount(
          layer: layer.name, expected: layer.shape.channels, found: saved.steps.count)
      }
      layer.hook = Quantizer(
        for: layer, bits: saved.bits, steps: Tensor([saved.steps.count], saved.steps),
        choice: saved.choice, inputScale: index == 0 ? input.scale : nil)
    }
  }
}

/// The quantizers of a network as a checkpoint keeps them, in the order of the layers.
public struct QuantizationState: Hashable, Sendable, Codable {
  public struct LayerState: Hashable, Sendable, Codable {
    public var bits: WeightBits
    public var choice: GridChoice
    public var steps: [Float]
  }
  public var layers: [LayerState]
}

/// Why a network cannot be compressed as asked.
public enum CompressionError: Error, Equatable, CustomStringConvertible {
  case layerCount(expected: Int, found: Int)
  case stepCount(layer: String, expected: Int, found: Int)
  case unknownLayer(name: String, known: [String])
  case impossibleSparsity(layer: String, found: Double)

  public var description: String {
    switch self {
    case .layerCount(let expected, let found):
      "quantisation of a checkpoint: expected \(expected) layers, found \(found)"
    case .stepCount(let layer, let expected, let found):
      "quantisation of \(layer): expected 1 or \(expected) steps, found \(found)"
    case .unknownLayer(let name, let known):
      "compression: no layer '\(name)'; the network has \(known.joined(separator: ", "))"
    case .impossibleSparsity(let layer, let found):
      "pruning of \(layer): expected a sparsity in 0..<1, found \(found)"
    }
  }
}
