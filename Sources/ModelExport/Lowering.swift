import ModelCompression
import ModelFormat
import Spiking
import Tensors
import Wiring

/// Facts about a model that its network does not hold.
public struct ExportDescription: Sendable {
  /// At most 64 bytes of UTF-8.
  public var name: String
  /// Program and version.
  public var producer: String
  /// Duration of a step, 0 for a model without physical time.
  public var stepMicroseconds: Int
  /// The largest T the bounds must hold for; at least the network's.
  public var maximumSteps: Int
  /// What the model is for.
  public var task: Model.Task

  /// The facts of a model.
  public init(
    name: String, producer: String = "swift-snn", stepMicroseconds: Int = 0, maximumSteps: Int,
    task: Model.Task = Model.Task()
  ) {
    self.name = name
    self.producer = producer
    self.stepMicroseconds = stepMicroseconds
    self.maximumSteps = maximumSteps
    self.task = task
  }
}

/// Why a network cannot become an integer model.
public enum LoweringError: Error, Equatable, CustomStringConvertible {
  /// The network was computed with real numbers.
  case notQuantised(network: String)
  /// A number that is no integer of its range.
  case offGrid(layer: String, quantity: String, index: Int, found: Float)

  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .notQuantised(let network):
      "\(network): expected quantised weights, found real numbers; add a stage with 'quantization' to "
        + "the recipe"
    case .offGrid(let layer, let quantity, let index, let found):
      "\(layer): expected an integer \(quantity), found \(found) at index \(index)"
    }
  }
}

/// The integer model of a quantised network: the same integers its training-time forward pass uses, copied
/// from what ``Network/prepare(with:on:)`` computes.
///
/// Ports, populations and projections keep their places. Thresholds, leaks, biases and initial membranes
/// take the smallest granularity that holds them. Throws ``LoweringError``.
public func lower(
  _ network: Network, _ arithmetic: any Arithmetic, as description: ExportDescription
) throws(LoweringError) -> Model {
  let numbers = network.prepare(with: arithmetic, on: Tape()).numbers
  guard numbers.isOnGrid else { throw .notQuantised(network: network.name) }
  var populations: [ModelFormat.Population] = []
  for (population, numbers) in zip(network.populations, numbers.populations) {
    populations.append(try integers(of: population, numbers))
  }
  var projections: [ModelFormat.Projection] = []
  for (projection, numbers) in zip(network.projections, numbers.projections) {
    projections.append(try integers(of: projection, numbers))
  }
  var task = description.task
  task.units = numbers.populations.map(\.unit)
  return Model(
    name: description.name, producer: description.producer,
    stepMicroseconds: description.stepMicroseconds, steps: network.steps,
    maximumSteps: description.maximumSteps, inputs: network.ports.map(port),
    populations: populations, projections: projections, readout: network.readout, task: task)
}

private func integers(
  of population: Spiking.Population, _ numbers: PopulationNumbers
) throws(LoweringError) -> ModelFormat.Population {
  let name = population.name
  func parameter(
    _ variable: Variable?, _ quantity: String, times factor: Float = 1, default fallback: Int?
  ) throws(LoweringError) -> ModelFormat.Parameter {
    smallest(
      try integers(variable, quantity, of: name, times: factor), default: fallback)
  }
  var kind = ModelFormat.Population.Kind.readout
  if case .lif(let dynamics) = population.neuron, let range = numbers.range {
    kind = .lif(
      ModelFormat.Population.LIF(
        threshold: try parameter(numbers.threshold, "threshold", default: nil),
        reset: reset(dynamics.reset, to: Int(numbers.resetValue)),
        compare: dynamics.compare == .greater ? .greater : .greaterEqual,
        refractorySteps: dynamics.refractorySteps, floor: Int(range.lowerBound),
        ceiling: Int(range.upperBound),
        currentLeak: try parameter(
          numbers.currentLeak, "leak of the current in Q15", times: 32768, default: nil)))
  }
  return ModelFormat.Population(
    name: name, shape: population.shape, kind: kind,
    leak: try parameter(
      numbers.leak, "leak in Q15", times: 32768, default: ModelFormat.Population.noLeak),
    bias: try parameter(numbers.bias, "bias", default: 0),
    initial: try parameter(numbers.initial, "initial membrane", default: 0))
}

private func reset(_ reset: Reset, to value: Int) -> ModelFormat.Population.LIF.Reset {
  switch reset {
  case .subtract: .subtract
  case .zero: .zero
  case .value: .value(value)
  }
}

private func integers(
  of projection: Spiking.Projection, _ numbers: ProjectionNumbers
) throws(LoweringError) -> ModelFormat.Projection {
  var codes: [Int8] = []
  for (position, value) in try integers(numbers.weight, "weight", of: projection.name).enumerated()
  {
    guard let code = Int8(exactly: value) else {
      throw .offGrid(
        layer: projection.name, quantity: "weight of 8 bits", index: position, found: Float(value))
    }
    codes.append(code)
  }
  let shape = projection.weight.value.shape
  let rows = projection.taps > 1 ? shape[0] * shape[1] : shape[0]
  return ModelFormat.Projection(
    name: projection.name, from: projection.source, to: projection.target, delay: projection.delay,
    taps: projection.taps, tapStep: projection.tapStep, topology: projection.topology,
    pool: projection.pool, shift: numbers.shift,
    weights: WeightMatrix(rows: rows, columns: codes.count / rows, values: codes))
}

private func integers(
  _ variable: Variable?, _ quantity: String, of name: String, times factor: Float = 1
) throws(LoweringError) -> [Int] {
  var result: [Int] = []
  for (position, value) in (variable?.value.elements ?? []).enumerated() {
    guard let integer = Int(exactly: value * factor) else {
      throw .offGrid(layer: name, quantity: quantity, index: position, found: value)
    }
    result.append(integer)
  }
  return result
}

private func port(_ port: Spiking.InputPort) -> ModelFormat.InputPort {
  switch port.kind {
  case .values(let minimum, let maximum, _, let framePerStep):
    ModelFormat.InputPort(
      name: port.name, shape: port.shape,
      kind: .values(minimum: minimum, maximum: maximum, framePerStep: framePerStep),
      origin: minimum == 0 && maximum == 255 ? "uint8" : "int16")
  case .events(.once):
    ModelFormat.InputPort(
      name: port.name, shape: port.shape, kind: .events(.once), origin: "address events")
  case .events(.every(let maximum)):
    ModelFormat.InputPort(
      name: port.name, shape: port.shape, kind: .events(.every(maximumPerStep: maximum)),
      origin: "address events")
  }
}

/// Equal values as one; nothing where all are the default.
private func smallest(_ values: [Int], default fallback: Int?) -> ModelFormat.Parameter {
  guard let first = values.first, values.allSatisfy({ $0 == first }) else {
    return ModelFormat.Parameter(values)
  }
  return first == fallback ? .none : ModelFormat.Parameter([first])
}
