import Wiring

/// The integer model of a spiking network: populations joined by projections, fed by ports
/// (FORMAT.md §1).
///
/// A value like any other: it can hold numbers that no engine accepts. ``validate()`` says whether
/// it is a model of the format; reading, writing and simulating call it.
public struct Model: Equatable, Sendable {
  /// The format version this module writes (FORMAT.md §10).
  public static let formatVersion = (major: 2, minor: 0)

  /// The model's name, at most 64 bytes of UTF-8.
  public var name: String
  /// Program and version that wrote it, at most 256 bytes of UTF-8.
  public var producer: String
  /// Duration of a step in microseconds, below 2^31; 0: the model has no physical time.
  public var stepMicroseconds: Int
  /// Default number of steps T of one inference.
  public var steps: Int
  /// The largest T the bounds hold for, at most 65535.
  public var maximumSteps: Int
  /// 1...16 ports.
  public var inputs: [InputPort]
  /// 1...256 populations.
  public var populations: [Population]
  /// At most 1024 projections, at least 1.
  public var projections: [Projection]
  /// Index of the population the answer is read from; its kind is READOUT.
  public var readout: Int
  /// When an inference may end before its last step; nil: never.
  public var exit: Exit?
  /// What the model is for.
  public var task: Task
  /// The digest of the golden trace, if there is one (FORMAT.md §8).
  public var goldenDigest: UInt32?

  /// A model; `maximumSteps` defaults to `steps`.
  public init(
    name: String, producer: String = "", stepMicroseconds: Int = 0, steps: Int,
    maximumSteps: Int? = nil, inputs: [InputPort], populations: [Population],
    projections: [Projection], readout: Int, exit: Exit? = nil, task: Task = Task(),
    goldenDigest: UInt32? = nil
  ) {
    self.name = name
    self.producer = producer
    self.stepMicroseconds = stepMicroseconds
    self.steps = steps
    self.maximumSteps = maximumSteps ?? steps
    self.inputs = inputs
    self.populations = populations
    self.projections = projections
    self.readout = readout
    self.exit = exit
    self.task = task
    self.goldenDigest = goldenDigest
  }

  /// The shape of a projection's source before its pool. Precondition: the source exists.
  public func sourceShape(of projection: Projection) -> Shape {
    switch projection.source {
    case .input(let port): inputs[port].shape
    case .population(let population): populations[population].shape
    }
  }

  /// Whether a projection carries values rather than spikes. Precondition: the source exists.
  public func carriesValues(_ projection: Projection) -> Bool {
    if case .input(let port) = projection.source { inputs[port].carriesValues } else { false }
  }

  /// Whether a projection carries one frame over the whole sample. Precondition: the source exists.
  public func isHeld(_ projection: Projection) -> Bool {
    guard case .input(let port) = projection.source,
      case .values(_, _, framePerStep: false) = inputs[port].kind, inputs[port].encoder == nil
    else { return false }
    return true
  }
}
