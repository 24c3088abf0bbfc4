import ModelCompression
import ModelFormat
import Spiking
import Tensors

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
  public var task: Model.Task

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
  case notQuantised(layer: String)
  case offGrid(layer: String, quantity: String, index: Int, found: Float)

  public var description: String {
    switch self {
    case .notQuantised(let layer):
      "\(layer): expected quantised weights, found real numbers; add a stage with 'quantization' to "
        + "the recipe"
    case .offGrid(let layer, let quantity, let index, let found):
      "\(layer): expected an integer \(quantity), found \(found) at index \(index)"
    }
  }
}

/// The integer model of a quantised network: the same integers its training-time forward pass uses, copied
/// from what ``Network/prepare(on:)`` computes.
///
/// Population i is layer i. Thresholds, leaks and biases take the smallest granularity that holds them.
public func lower(_ network: Network, as description: ExportDescription) throws -> Model {
  let prepared = network.prepare(on: Tape())
  var populations: [Population] = []
  var projections: [Projection] = []
  var units: [[Float]] = []
  for (index, (layer, numbers)) in zip(network.layers, prepared.arithmetic).enumerated() {
    guard let grid = numbers.grid else { throw LoweringError.notQuantised(layer: layer.name) }
    func integers(_ variable: Variable?, _ quantity: String, times factor: Float = 1) throws
      -> [Int]
    {
      try (variable?.value.elements ?? []).enumerated().map { position, value in
        guard let integer = Int(exactly: value * factor) else {
          throw LoweringError.offGrid(
            layer: layer.name, quantity: quantity, index: position, found: value)
        }
        return integer
      }
    }
    let shape = Shape(
      channels: layer.shape.channels, height: layer.shape.height, width: layer.shape.width)
    populations.append(
      Population(
        name: layer.name, shape: shape,
        kind: kind(
          layer, grid, threshold: try integers(numbers.threshold, "threshold"), shape),
        leak: smallest(
          try integers(numbers.leak, "leak in Q15", times: 32768), shape,
          default: Population.noLeak),
        bias: smallest(try integers(numbers.bias, "bias"), shape, default: 0)))
    let weights = try integers(numbers.weight, "weight").enumerated().map { position, value in
      guard let code = Int8(exactly: value) else {
        throw LoweringError.offGrid(
          layer: layer.name, quantity: "weight of 8 bits", index: position, found: Float(value))
      }
      return code
    }
    let rows = layer.weight.value.shape[0]
    projections.append(
      Projection(
        name: layer.name, from: index == 0 ? .input(0) : .population(index - 1), to: index,
        topology: topology(layer.synapse), pool: layer.pool, shift: grid.shift,
        weights: WeightMatrix(
          rows: rows, columns: weights.count / rows, values: weights)))
    units.append(grid.unit)
  }
  var task = description.task
  task.units = units
  return Model(
    name: description.name, producer: description.producer,
    stepMicroseconds: description.stepMicroseconds, steps: network.steps,
    maximumSteps: description.maximumSteps, inputs: [port(network.input)],
    populations: populations, projections: projections, readout: populations.count - 1, task: task)
}

private func kind(
  _ layer: Layer, _ grid: IntegerGrid, threshold: [Int], _ shape: Shape
) -> Population.Kind {
  guard case .lif(let dynamics) = layer.kind else { return .readout }
  return .lif(
    Population.LIF(
      threshold: smallest(threshold, shape, default: nil),
      reset: dynamics.reset == .subtract ? .subtract : .zero,
      compare: dynamics.compare == .greater ? .greater : .greaterEqual,
      floor: Int(grid.range.lowerBound), ceiling: Int(grid.range.upperBound)))
}

private func topology(_ synapse: Synapse) -> Projection.Topology {
  switch synapse {
  case .dense: .dense
  case .convolution(_, let kernel, let geometry):
    .convolution(
      Convolution(kernel: kernel, stride: geometry.stride, padding: geometry.padding))
  }
}

private func port(_ input: NetworkInput) -> InputPort {
  let shape = Shape(
    channels: input.shape.channels, height: input.shape.height, width: input.shape.width)
  switch input {
  case .values:
    return InputPort(
      name: "input", shape: shape,
      kind: .values(minimum: 0, maximum: 255, framePerStep: false), encoder: "uint8")
  case .events:
    return InputPort(name: "input", shape: shape, kind: .events(.once), encoder: "address events")
  }
}

/// Equal values as one; nothing where all are the default.
private func smallest(_ values: [Int], _ shape: Shape, default fallback: Int?)
  -> ModelFormat.Parameter
{
  guard let first = values.first, values.allSatisfy({ $0 == first }) else {
    return ModelFormat.Parameter(values)
  }
  return first == fallback ? .none : ModelFormat.Parameter([first])
}
