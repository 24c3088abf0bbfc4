import Tensors
import Wiring

/// What the neurons of a population are. An open list: later kinds become further cases.
public enum Neuron: Hashable, Sendable {
  /// Leaky integrate-and-fire; see ``LIFDynamics``.
  case lif(LIFDynamics)
  /// A membrane that neither clamps nor spikes; the scores are read from it. See ``integrate``.
  case readout
}

/// Neurons of one kind that share a shape (FORMAT.md §1, §4), with what they learn.
///
/// Each parameter has 1 value (the whole population), C values (by channel) or N values (by linear
/// index).
public struct Population {
  /// Unique among the network's populations; its parameters are named `name.role`.
  public var name: String
  /// The neurons' arrangement.
  public var shape: Shape
  /// What the neurons are.
  public var neuron: Neuron
  /// θ in real numbers, > 0; nil for a read-out.
  public var threshold: Parameter?
  /// λ in [0, 1], the part of a membrane kept each step; nil: 1.
  public var leak: Parameter?
  /// μ in [0, 1], the part of a synaptic current kept each step (``synapticCurrent``); nil: what arrives
  /// acts once.
  public var currentLeak: Parameter?
  /// Added to the membrane in every step; nil: 0.
  public var bias: Parameter?
  /// The membrane before step 0; nil: 0.
  public var initial: Parameter?
  /// Normalises the summed current while training; nil: none.
  public var normalization: Normalization?
  /// The probability in [0, 1) that a neuron is silenced for a whole training sample; the spikes of
  /// the others weigh 1 / (1 − dropout). Nothing is silenced outside of training.
  public var dropout: Float = 0

  /// A population of the given neurons and parameters.
  public init(
    name: String, shape: Shape, neuron: Neuron, threshold: Parameter? = nil,
    leak: Parameter? = nil, bias: Parameter? = nil, initial: Parameter? = nil
  ) {
    self.name = name
    self.shape = shape
    self.neuron = neuron
    self.threshold = threshold
    self.leak = leak
    self.bias = bias
    self.initial = initial
  }

  /// Whether the population is a read-out.
  public var isReadout: Bool { neuron == .readout }

  /// What the population learns besides the weights of its projections.
  public var parameters: [Parameter] {
    [threshold, leak, currentLeak, bias, initial, normalization?.scale].compactMap { $0 }
  }
}
