import Tensors
import Wiring

/// A spiking network as it is trained: ports, populations, projections and a read-out, field for
/// field the model of FORMAT.md.
///
/// A network is a value; only its parameters are shared objects. The float network and its quantised
/// twin are the same network computed with another ``Arithmetic``.
public struct Network {
  /// The network's name.
  public var name: String
  /// T, the steps of one inference.
  public var steps: Int
  /// Where input enters, in the order in which batches hold their contents.
  public let ports: [InputPort]
  /// All neurons.
  public let populations: [Population]
  /// All synapses.
  public let projections: [Projection]
  /// Index of the population that answers.
  public let readout: Int

  /// Indices of the populations that spike, ascending: the order of rates and records.
  public let spiking: [Int]
  /// For each population the indices of the projections that end there, ascending.
  public let incoming: [[Int]]
  /// In which order, and which populations together, a pass computes.
  let schedule: Schedule

  /// A network of the given parts. Throws ``NetworkError`` naming the first place that is wrong.
  public init(
    name: String, steps: Int, ports: [InputPort], populations: [Population],
    projections: [Projection], readout: Int
  ) throws(NetworkError) {
    self.name = name
    self.steps = steps
    self.ports = ports
    self.populations = populations
    self.projections = projections
    self.readout = readout
    spiking = populations.indices.filter { !populations[$0].isReadout }
    incoming = populations.indices.map { population in
      projections.indices.filter { projections[$0].target == population }
    }
    try Self.check(steps, ports, populations, projections, readout: readout)
    schedule = try Schedule(populations, projections)
  }

  /// The populations in the order in which a pass computes them.
  public var evaluationOrder: [Int] { schedule.components.flatMap(\.populations) }

  /// The shape of a projection's source after its pool.
  public func pooledSource(of projection: Projection) -> Shape {
    let shape =
      switch projection.source {
      case .input(let port): ports[port].shape
      case .population(let population): populations[population].shape
      }
    return shape.pooled(by: projection.pool)
  }

  /// The port a projection starts from; nil where it starts from a population.
  public func port(of projection: Projection) -> InputPort? {
    if case .input(let port) = projection.source { ports[port] } else { nil }
  }

  /// The number of answers.
  public var classCount: Int { populations[readout].shape.count }

  /// What the network learns: for each population the weights of the projections that end there,
  /// then its own parameters.
  public var parameters: [Parameter] {
    populations.indices.flatMap { parameters(of: $0) }
  }

  /// What is learned of one population.
  func parameters(of population: Int) -> [Parameter] {
    incoming[population].map { projections[$0].weight } + populations[population].parameters
  }

  /// What the network measures instead of learning: the statistics of normalised currents.
  public var statistics: [Parameter] {
    populations.flatMap { population in
      population.normalization.map { [$0.mean, $0.variance] } ?? []
    }
  }

  /// The fraction of weights that are pruned.
  public var sparsity: Double {
    let weights = projections.map(\.weight)
    let total = weights.reduce(0) { $0 + $1.value.count }
    let kept = weights.reduce(0.0) { $0 + ($1.mask?.sum ?? Double($1.value.count)) }
    return (Double(total) - kept) / Double(total)
  }
}

/// Why parts make no network.
public struct NetworkError: Error, Hashable, CustomStringConvertible {
  /// The part, such as `projection in_a`.
  public var place: String
  /// What must stand there.
  public var expected: String
  /// What stands there.
  public var found: String

  /// An error at `place`.
  public init(_ place: String, expected: String, found: String) {
    self.place = place
    self.expected = expected
    self.found = found
  }

  /// Place, expected and found in one line.
  public var description: String { "\(place): expected \(expected), found \(found)" }
}
