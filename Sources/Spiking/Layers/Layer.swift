import Tensors

/// A population and the projection into it: sum-pool, synapses, neurons.
public final class Layer {
  /// What the neurons of a layer are.
  public enum Kind: Hashable, Sendable {
    case lif(LIFDynamics)
    case readout
  }

  public let name: String
  /// Side of the sum-pool in front of the synapses; 1: none.
  public let pool: Int
  public let synapse: Synapse
  public let kind: Kind
  /// The source's shape, before pooling.
  public let source: FeatureShape
  /// The population's shape.
  public let shape: FeatureShape

  public let weight: Parameter
  /// θ, in real numbers; nil for a read-out. 1, C or N values, as ``leak`` and ``bias``.
  public let threshold: Parameter?
  /// λ in [0, 1]; nil for a read-out.
  public let leak: Parameter?
  public let bias: Parameter?

  /// Replaces what the layer computes with, for quantised twins; nil: the parameters as they are.
  public var hook: (any LayerHook)?
  /// The price on this layer's spiking.
  public var penalty: ActivityPenalty?

  init(
    name: String, pool: Int, synapse: Synapse, kind: Kind, source: FeatureShape,
    shape: FeatureShape, weight: Parameter, threshold: Parameter?, leak: Parameter?,
    bias: Parameter?
  ) {
    self.name = name
    self.pool = pool
    self.synapse = synapse
    self.kind = kind
    self.source = source
    self.shape = shape
    self.weight = weight
    self.threshold = threshold
    self.leak = leak
    self.bias = bias
  }

  /// A layer that computes with what `hook` provides and holds nothing to learn but its weight.
  public convenience init(
    name: String, pool: Int, synapse: Synapse, kind: Kind, source: FeatureShape,
    shape: FeatureShape, weight: Tensor, hook: any LayerHook
  ) {
    self.init(
      name: name, pool: pool, synapse: synapse, kind: kind, source: source, shape: shape,
      weight: Parameter("\(name).weight", role: .weight, value: weight), threshold: nil, leak: nil,
      bias: nil)
    self.hook = hook
  }

  /// The layer's own parameters and those of its hook.
  public var parameters: [Parameter] {
    [weight, threshold, leak, bias].compactMap { $0 } + (hook?.parameters ?? [])
  }

  /// The source's shape after pooling.
  public var pooledSource: FeatureShape { source.pooled(pool) }
}

/// A replacement for what a layer computes with: the door of quantisation into a network.
public protocol LayerHook: AnyObject {
  /// What the hook itself learns.
  var parameters: [Parameter] { get }
  /// The layer's arithmetic, from its parameters, once per training step. `parameter` gives the variable of a
  /// parameter on this tape.
  func arithmetic(
    of layer: Layer, on tape: Tape, parameter: (Parameter) -> Variable
  ) -> LayerArithmetic
}

/// What a layer computes with in one pass.
public struct LayerArithmetic {
  /// In the shape of the layer's weight; integers on the grid.
  public var weight: Variable
  /// In membrane units; nil for a read-out.
  public var threshold: Variable?
  /// λ; multiples of 1/256 on the grid.
  public var leak: Variable?
  /// In membrane units.
  public var bias: Variable?
  /// nil: real numbers.
  public var grid: IntegerGrid?

  public init(
    weight: Variable, threshold: Variable?, leak: Variable?, bias: Variable?, grid: IntegerGrid?
  ) {
    self.weight = weight
    self.threshold = threshold
    self.leak = leak
    self.bias = bias
    self.grid = grid
  }

  /// All variables, in a fixed order.
  var variables: [Variable] { [weight, threshold, leak, bias].compactMap { $0 } }

  /// The same values as leaves of another tape: a shard's own gradients.
  func leaves() -> LayerArithmetic {
    func leaf(_ variable: Variable) -> Variable {
      Variable(variable.value, needsGradient: variable.needsGradient)
    }
    return LayerArithmetic(
      weight: leaf(weight), threshold: threshold.map(leaf), leak: leak.map(leaf),
      bias: bias.map(leaf), grid: grid)
  }
}

/// How a layer's integers relate: models/FORMAT.md, section 4.
public struct IntegerGrid: Hashable, Sendable {
  /// The projection's shift: left for spikes, right (rounding) for values.
  public var shift: Int
  /// The membrane's floor and ceiling.
  public var range: ClosedRange<Float>
  /// The real value of one membrane unit: one, or one per channel.
  public var unit: [Float]

  public init(shift: Int, range: ClosedRange<Float>, unit: [Float]) {
    self.shift = shift
    self.range = range
    self.unit = unit
  }
}
