import ModelFormat
import Spiking
import Tensors
import Wiring

/// Why the training-time forward pass cannot compute a model.
public struct TrainingEngineError: Error, Equatable, CustomStringConvertible {
  /// Where the model leaves what float32 holds.
  public var place: String
  /// What must hold there.
  public var expected: String
  /// What stands there.
  public var found: String

  /// Place, expected and found in one line.
  public var description: String { "\(place): expected \(expected), found \(found)" }
}

extension Network {
  /// The network whose forward pass computes a model's integers with ``FixedArithmetic``. Its parameters
  /// are constants: it can run, not learn.
  ///
  /// Every model of the format has one. Throws ``ModelError`` where the model is invalid, and
  /// ``TrainingEngineError`` where a read-out's sums or initial membranes pass float32's integers.
  init(integersOf model: Model) throws {
    try model.validate()
    try Self.requireExactReadouts(of: model)
    // Names are for people in a model and need not differ; here they tell parts apart.
    let populations = model.populations.enumerated().map { index, population in
      Spiking.Population(population, name: "\(index) \(population.name)")
    }
    let projections = model.projections.enumerated().map { index, projection in
      Spiking.Projection(
        projection, name: "\(index) \(projection.name)",
        from: model.sourceShape(of: projection).pooled(by: projection.pool),
        onto: model.populations[projection.target].shape)
    }
    try self.init(
      name: model.name, steps: model.steps,
      ports: model.inputs.enumerated().map { Spiking.InputPort($1, name: "\($0) \($1.name)") },
      populations: populations, projections: projections, readout: model.readout)
  }
}

extension Network {
  /// Read-outs have no bound of 2^24 in the format. The forward pass shifts and adds in double precision,
  /// but what arrives through one projection, and where a membrane starts, is float32.
  private static func requireExactReadouts(of model: Model) throws {
    var unshifted = model
    for index in model.populations.indices where model.populations[index].isReadout {
      unshifted.populations[index].bias = .none
      let initial = model.populations[index].initial.values
      if let value = initial.first(where: { Int(exactly: Float($0)) != $0 }) {
        throw TrainingEngineError(
          place: "population \(model.populations[index].name), initial",
          expected: "integers that float32 holds exactly", found: "\(value)")
      }
    }
    for index in model.projections.indices
    where model.populations[model.projections[index].target].isReadout
      && !model.carriesValues(model.projections[index])
    {
      unshifted.projections[index].shift = 0
    }
    let bounds = try unshifted.validate()
    for index in model.populations.indices where model.populations[index].isReadout {
      let bound = bounds.populations[index].largest
      guard bound < 1 << 24 else {
        throw TrainingEngineError(
          place: "population \(model.populations[index].name)",
          expected: "sums of one step below \(1 << 24), which float32 holds exactly",
          found: "a bound of \(bound)")
      }
    }
  }
}

extension Spiking.InputPort {
  fileprivate init(_ port: ModelFormat.InputPort, name: String) {
    let kind: Kind
    switch port.kind {
    // What an encoder makes are spikes; the engine of the network presents them.
    case .values where port.encoder != nil: kind = .events(.once)
    case .values(let minimum, let maximum, let framePerStep):
      kind = .values(minimum: minimum, maximum: maximum, scale: 1, framePerStep: framePerStep)
    case .events(.once): kind = .events(.once)
    case .events(.every(let maximum)): kind = .events(.every(maximumPerStep: maximum))
    }
    self.init(name: name, shape: port.shape, kind: kind)
  }
}

extension Spiking.Population {
  fileprivate init(_ population: ModelFormat.Population, name: String) {
    func parameter(_ role: Spiking.Parameter.Role, _ values: ModelFormat.Parameter)
      -> Spiking.Parameter?
    {
      values.values.isEmpty
        ? nil
        : Spiking.Parameter(
          "\(name).\(role.rawValue)", role: role,
          value: Tensor([values.values.count], values.values.map(Float.init)))
    }
    var neuron = Neuron.readout
    var threshold: Spiking.Parameter?
    var currentLeak: Spiking.Parameter?
    if case .lif(let lif) = population.kind {
      var dynamics = LIFDynamics(
        compare: lif.compare == .greater ? .greater : .greaterOrEqual,
        refractorySteps: lif.refractorySteps)
      switch lif.reset {
      case .subtract: dynamics.reset = .subtract
      case .zero: dynamics.reset = .zero
      case .value(let value):
        dynamics.reset = .value
        dynamics.resetValue = Float(value)
      }
      neuron = .lif(dynamics)
      threshold = parameter(.threshold, lif.threshold)
      currentLeak = parameter(.currentLeak, lif.currentLeak)
    }
    let leak = parameter(.leak, population.leak)
    for factor in [leak, currentLeak] { factor?.value.apply { $0 / 32768 } }
    self.init(
      name: name, shape: population.shape, neuron: neuron, threshold: threshold, leak: leak,
      bias: parameter(.bias, population.bias), initial: parameter(.initial, population.initial))
    self.currentLeak = currentLeak
  }
}

extension Spiking.Projection {
  fileprivate init(
    _ projection: ModelFormat.Projection, name: String, from source: Shape, onto target: Shape
  ) {
    let shape = Self.weightShape(
      projection.topology, taps: projection.taps, from: source, onto: target,
      columns: projection.weights.columns)
    self.init(
      name: name, from: projection.source, to: projection.target, topology: projection.topology,
      pool: projection.pool, delay: projection.delay, taps: projection.taps,
      tapStep: projection.tapStep,
      weight: Spiking.Parameter(
        "\(name).weight", role: .weight,
        value: Tensor(shape, projection.weights.values.map(Float.init))))
  }
}

/// A model's integers as they stand.
final class FixedArithmetic: Arithmetic {
  private let shifts: [Int]
  private let ranges: [ClosedRange<Float>?]

  /// The arithmetic of a valid model, for the network of its integers.
  init(_ model: Model) {
    shifts = model.projections.map(\.shift)
    ranges = model.populations.map { population in
      guard case .lif(let lif) = population.kind else { return nil }
      return Float(lif.floor)...Float(lif.ceiling)
    }
  }

  func parameters(of population: Int) -> [Spiking.Parameter] { [] }

  func numbers(
    of network: Network, on tape: Tape, variable: (Spiking.Parameter) -> Variable
  ) -> Numbers {
    var numbers = RealArithmetic().numbers(of: network, on: tape, variable: variable)
    numbers.isOnGrid = true
    for index in ranges.indices { numbers.populations[index].range = ranges[index] }
    for index in shifts.indices { numbers.projections[index].shift = shifts[index] }
    return numbers
  }
}
