import Wiring

/// Neurons of one kind that share a shape (FORMAT.md §1, §4).
public struct Population: Equatable, Sendable {
  /// Leak 1 in Q15: the membrane is kept whole.
  public static let noLeak = 32768

  /// What the neurons are. An open list: later kinds become further cases.
  public enum Kind: Equatable, Sendable {
    /// Leaky integrate-and-fire.
    case lif(LIF)
    /// An int32 membrane that neither clamps nor spikes; the scores are read from it.
    case readout
  }

  /// What a LIF population has beyond leak, bias and initial membrane (FORMAT.md §4).
  public struct LIF: Equatable, Sendable {
    /// The membrane after a spike.
    public enum Reset: Equatable, Sendable {
      /// The threshold is subtracted.
      case subtract
      /// 0.
      case zero
      /// The given membrane, within floor...ceiling.
      case value(Int)
    }

    /// When a membrane fires.
    public enum Compare: Equatable, Sendable {
      /// Above the threshold; 0 ≤ threshold.
      case greater
      /// At or above the threshold; 1 ≤ threshold.
      case greaterEqual
    }

    /// The firing threshold in membrane units, at most 32767; never empty in a valid model.
    public var threshold: Parameter
    /// The membrane after a spike.
    public var reset: Reset
    /// When a membrane fires.
    public var compare: Compare
    /// Steps after a spike in which input is lost and the membrane stays, 0...255.
    public var refractorySteps: Int
    /// The least membrane, −32768...0.
    public var floor: Int
    /// The greatest membrane, 0...32767.
    public var ceiling: Int
    /// The factor kept of a neuron's synaptic current each step, Q15, 0...32768; empty: the
    /// neurons have no synaptic current.
    public var currentLeak: Parameter

    /// Parameters of a LIF population; the defaults are the format's plainest neuron.
    public init(
      threshold: Parameter, reset: Reset = .subtract, compare: Compare = .greater,
      refractorySteps: Int = 0, floor: Int = -32768, ceiling: Int = 32767,
      currentLeak: Parameter = .none
    ) {
      self.threshold = threshold
      self.reset = reset
      self.compare = compare
      self.refractorySteps = refractorySteps
      self.floor = floor
      self.ceiling = ceiling
      self.currentLeak = currentLeak
    }
  }

  /// The population's name, for people.
  public var name: String
  /// The neurons' arrangement.
  public var shape: Shape
  /// What the neurons are.
  public var kind: Kind
  /// The factor kept of a membrane each step, Q15, 0...32768; empty: 32768.
  public var leak: Parameter
  /// Added in every step in membrane units, |bias| < 2^24; empty: 0.
  public var bias: Parameter
  /// The membrane before step 0; empty: 0.
  public var initial: Parameter

  /// A population of the given shape and kind.
  public init(
    name: String, shape: Shape, kind: Kind, leak: Parameter = .none, bias: Parameter = .none,
    initial: Parameter = .none
  ) {
    self.name = name
    self.shape = shape
    self.kind = kind
    self.leak = leak
    self.bias = bias
    self.initial = initial
  }

  /// Whether the population is a READOUT.
  public var isReadout: Bool {
    if case .readout = kind { true } else { false }
  }

  /// The leak of a neuron, Q15.
  public func leak(of neuron: Int) -> Int {
    leak.value(of: neuron, in: shape, default: Self.noLeak)
  }

  /// The bias of a neuron in membrane units.
  public func bias(of neuron: Int) -> Int { bias.value(of: neuron, in: shape, default: 0) }

  /// The membrane of a neuron before step 0.
  public func initial(of neuron: Int) -> Int { initial.value(of: neuron, in: shape, default: 0) }
}
