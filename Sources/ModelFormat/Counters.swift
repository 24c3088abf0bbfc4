/// The counters of one sample, equal in every engine (FORMAT.md §6).
public struct Counters: Equatable, Sendable {
  /// What is counted of a population.
  public struct Population: Equatable, Sendable {
    /// Spikes emitted.
    public var spikesOut: Int
    /// Neurons times steps.
    public var updates: Int
    /// Clamps that changed the membrane.
    public var saturations: Int

    /// Counters of a population, 0 by default.
    public init(spikesOut: Int = 0, updates: Int = 0, saturations: Int = 0) {
      self.spikesOut = spikesOut
      self.updates = updates
      self.saturations = saturations
    }
  }

  /// What is counted of a projection.
  public struct Projection: Equatable, Sendable {
    /// Spikes that arrive, in the step they are delivered; in a pooled projection only those
    /// inside a full window.
    public var spikesIn: Int
    /// Pairs of one arriving spike and one synapse.
    public var synops: Int
    /// Pairs of one non-zero presented value and one synapse.
    public var macs: Int

    /// Counters of a projection, 0 by default.
    public init(spikesIn: Int = 0, synops: Int = 0, macs: Int = 0) {
      self.spikesIn = spikesIn
      self.synops = synops
      self.macs = macs
    }
  }

  /// What is counted of a port.
  public struct Port: Equatable, Sendable {
    /// Events accepted, after merging.
    public var events: Int
    /// Events dropped because their address lies outside the port.
    public var droppedOutside: Int
    /// Events dropped because their step is over; only a streaming engine can see any.
    public var droppedLate: Int
    /// Events dropped because the step already held *max_events_per_step*.
    public var droppedOverflow: Int

    /// Counters of a port, 0 by default.
    public init(
      events: Int = 0, droppedOutside: Int = 0, droppedLate: Int = 0, droppedOverflow: Int = 0
    ) {
      self.events = events
      self.droppedOutside = droppedOutside
      self.droppedLate = droppedLate
      self.droppedOverflow = droppedOverflow
    }
  }

  /// Per population, in order.
  public var populations: [Population]
  /// Per projection, in order.
  public var projections: [Projection]
  /// Per port, in order.
  public var ports: [Port]

  /// The given counters.
  public init(populations: [Population], projections: [Projection], ports: [Port]) {
    self.populations = populations
    self.projections = projections
    self.ports = ports
  }

  /// Counters of 0 for every population, projection and port of `model`.
  public init(zeroFor model: Model) {
    populations = model.populations.map { _ in Population() }
    projections = model.projections.map { _ in Projection() }
    ports = model.inputs.map { _ in Port() }
  }
}
