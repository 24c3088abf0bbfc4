import Wiring

/// A place where input enters a network: FORMAT.md §2, and the real value of what arrives.
public struct InputPort: Hashable, Sendable {
  /// How often one address may count within a step.
  public enum Multiplicity: Hashable, Sendable {
    /// At most once: repetitions merge.
    case once
    /// Each event counts, up to `maximumPerStep` (1…65535) a step.
    case every(maximumPerStep: Int)
  }

  /// What a port accepts.
  public enum Kind: Hashable, Sendable {
    /// Spikes per neuron and step.
    case events(Multiplicity)
    /// Integers in `minimum`…`maximum`, both within int16; the same frame in every step (direct
    /// encoding), or one frame a step. A real value is the integer times `scale`, > 0.
    case values(minimum: Int, maximum: Int, scale: Float, framePerStep: Bool)
  }

  /// Unique among the network's ports.
  public var name: String
  /// The extent of one step of input.
  public var shape: Shape
  /// What the port accepts.
  public var kind: Kind

  /// A port of the given shape and kind.
  public init(name: String = "input", shape: Shape, kind: Kind) {
    self.name = name
    self.shape = shape
    self.kind = kind
  }

  /// Spikes, each address at most once a step.
  public static func events(_ shape: Shape) -> InputPort {
    InputPort(shape: shape, kind: .events(.once))
  }

  /// Bytes, one frame held over the sample. `scale` is the real value of 1.
  public static func bytes(_ shape: Shape, scale: Float) -> InputPort {
    InputPort(
      shape: shape, kind: .values(minimum: 0, maximum: 255, scale: scale, framePerStep: false))
  }

  /// Whether the port carries values rather than spikes.
  public var carriesValues: Bool { scale != nil }

  /// The real value of an input integer of 1; nil for events.
  public var scale: Float? {
    if case .values(_, _, let scale, _) = kind { scale } else { nil }
  }

  /// Whether one frame serves all steps.
  public var isHeld: Bool {
    if case .values(_, _, _, framePerStep: false) = kind { true } else { false }
  }

  /// The largest number that can arrive from one address in one step.
  public var greatest: Int {
    switch kind {
    case .events(.once): 1
    case .events(.every(let maximum)): maximum
    case .values(let minimum, let maximum, _, _): max(abs(minimum), abs(maximum))
    }
  }
}
