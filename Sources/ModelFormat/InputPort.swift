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
  /// How raw data became this input, for people; no engine reads it.
  public var origin: String
  /// How values become spikes, VALUES only; nil: the values themselves arrive.
  public var encoder: PoissonEncoder?
  /// The camera whose address events arrive, EVENTS only; nil: addresses are the port's own.
  public var sensor: Sensor?

  /// A port of the given shape and kind.
  public init(
    name: String, shape: Shape, kind: Kind, origin: String = "", encoder: PoissonEncoder? = nil,
    sensor: Sensor? = nil
  ) {
    self.name = name
    self.shape = shape
    self.kind = kind
    self.origin = origin
    self.encoder = encoder
    self.sensor = sensor
  }

  /// Whether values are presented to the port rather than events.
  public var takesValues: Bool {
    if case .values = kind { true } else { false }
  }

  /// Whether projections from the port carry values rather than spikes.
  public var carriesValues: Bool { takesValues && encoder == nil }
}
