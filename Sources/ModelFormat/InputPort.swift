import Wiring

/// A place where input enters a model (FORMAT.md §2).
public struct InputPort: Equatable, Sendable {
  /// What a port accepts.
  public enum Kind: Equatable, Sendable {
    /// Spikes by linear index.
    case events(Multiplicity)
    /// Integers in `minimum`...`maximum`, both within int16; one frame held over the sample, or
    /// one frame a step.
    case values(minimum: Int, maximum: Int, framePerStep: Bool)
  }

  /// How often one address may count within a step.
  public enum Multiplicity: Equatable, Sendable {
    /// At most once: repetitions merge.
    case once
    /// Each event counts, up to `maximumPerStep` (1...65535) accepted events a step.
    case every(maximumPerStep: Int)
  }

  /// The port's name, for people.
  public var name: String
  /// The extent of what is presented.
  public var shape: Shape
  /// What the port accepts.
  public var kind: Kind
  /// How raw data became this input, for people and encoders; no engine reads it.
  public var encoder: String

  /// A port of the given shape and kind.
  public init(name: String, shape: Shape, kind: Kind, encoder: String = "") {
    self.name = name
    self.shape = shape
    self.kind = kind
    self.encoder = encoder
  }

  /// Whether the port carries values rather than spikes.
  public var carriesValues: Bool {
    if case .values = kind { true } else { false }
  }
}
