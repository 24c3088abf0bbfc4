import ModelFormat
import Spiking
import Tensors

/// Why a model is not one the trainer could have made.
public struct TrainingEngineError: Error, Equatable, CustomStringConvertible {
  /// Where the model leaves what the trainer builds.
  public var place: String
  /// What stands there.
  public var found: String

  public var description: String { "\(place): the trainer builds no \(found)" }
}

extension Network {
  /// The network whose forward pass computes a model's integers. Its layers hold constants: it can run,
  /// not learn.
  init(integersOf model: Model) throws {
    guard model.inputs.count == 1, model.projections.count == model.populations.count,
      model.readout == model.populations.count - 1
    else { throw TrainingEngineError(place: model.name, found: "graph other than a chain") }
    guard model.populations.count > 1 else {
      throw TrainingEngineError(place: model.name, found: "read-out without a spiking layer")
    }
    var layers: [Layer] = []
    for index in model.populations.indices {
      let projection = model.projections[index]
      let source: Projection.Source = index == 0 ? .input(0) : .population(index - 1)
      guard projection.source == source, projection.target == index, projection.delay == 0 else {
        throw TrainingEngineError(
          place: "projection \(projection.name)", found: "graph other than a chain")
      }
      // A dense layer's currents have no rows and columns.
      let followsDense = index > 0 && model.projections[index - 1].topology == .dense
      guard !followsDense || (projection.topology == .dense && projection.pool == 1) else {
        throw TrainingEngineError(
          place: "projection \(projection.name)",
          found: "convolution or pool behind a dense projection")
      }
      layers.append(try Layer(model, index))
    }
    let shape = FeatureShape(model.inputs[0].shape)
    let input: NetworkInput
    switch model.inputs[0].kind {
    case .values(_, _, framePerStep: false): input = .values(shape, scale: 1)
    case .events(.once): input = .events(shape)
    default: throw TrainingEngineError(place: model.inputs[0].name, found: "port of this kind")
    }
    self.init(name: model.name, input: input, steps: model.steps, layers: layers)
  }
}

extension FeatureShape {
  fileprivate init(_ shape: Shape) {
    self.init(channels: shape.channels, height: shape.height, width: shape.width)
  }
}

extension Layer {
  fileprivate convenience init(_ model: Model, _ index: Int) throws {
    let population = model.populations[index]
    let projection = model.projections[index]
    let place = "population \(population.name)"
    let source = FeatureShape(model.sourceShape(of: projection))
    let synapse = try Synapse(projection, target: population.shape)
    let weights = Tensor(
      synapse.weightShape(for: source.pooled(projection.pool)),
      projection.weights.values.map(Float.init))
    func values(_ parameter: ModelFormat.Parameter, default fallback: Int) -> [Float] {
      parameter.values.isEmpty ? [Float(fallback)] : parameter.values.map(Float.init)
    }
    guard population.initial.values.allSatisfy({ $0 == 0 }) else {
      throw TrainingEngineError(place: place, found: "initial membrane other than 0")
    }
    let leaks = values(population.leak, default: Population.noLeak)
    guard leaks.allSatisfy({ Int($0) % 128 == 0 }) else {
      throw TrainingEngineError(place: place, found: "leak off the grid of 1/256")
    }
    var kind = Kind.readout
    var threshold: [Float]?
    var range: ClosedRange<Float> = -32768...32767
    if case .lif(let lif) = population.kind {
      guard lif.refractorySteps == 0 else {
        throw TrainingEngineError(place: place, found: "refractory steps")
      }
      let reset: Reset
      switch lif.reset {
      case .subtract: reset = .subtract
      case .zero: reset = .zero
      case .value: throw TrainingEngineError(place: place, found: "reset to a value")
      }
      kind = .lif(
        LIFDynamics(reset: reset, compare: lif.compare == .greater ? .greater : .greaterOrEqual))
      threshold = values(lif.threshold, default: 0)
      range = Float(lif.floor)...Float(lif.ceiling)
    } else {
      guard leaks.allSatisfy({ $0 == Float(Population.noLeak) }),
        population.bias.values.allSatisfy({ $0 == 0 })
      else { throw TrainingEngineError(place: place, found: "read-out with a leak or a bias") }
    }
    let isLIF = threshold != nil
    let biases = values(population.bias, default: 0)
    let constants = FixedArithmetic(
      weight: weights, threshold: threshold, leak: isLIF ? leaks.map { $0 / 32768 } : nil,
      bias: isLIF && biases.contains { $0 != 0 } ? biases : nil,
      grid: IntegerGrid(shift: projection.shift, range: range, unit: [1]))
    self.init(
      name: population.name, pool: projection.pool, synapse: synapse, kind: kind, source: source,
      shape: FeatureShape(population.shape), weight: weights, hook: constants)
  }
}

extension Synapse {
  fileprivate init(_ projection: Projection, target: Shape) throws {
    switch projection.topology {
    case .dense: self = .dense(outputs: target.count)
    case .convolution(let convolution)
    where convolution.y == convolution.x && convolution.groups == 1 && convolution.y.dilation == 1:
      self = .convolution(
        outputs: target.channels, kernel: convolution.y.kernel,
        geometry: ConvolutionGeometry(
          stride: convolution.y.stride, padding: convolution.y.padding))
    default:
      throw TrainingEngineError(
        place: "projection \(projection.name)", found: "topology of this kind")
    }
  }
}

/// A layer's integers as constants.
private final class FixedArithmetic: LayerHook {
  private let constants: LayerArithmetic

  init(weight: Tensor, threshold: [Float]?, leak: [Float]?, bias: [Float]?, grid: IntegerGrid) {
    func variable(_ values: [Float]?) -> Variable? {
      values.map { Variable(Tensor([$0.count], $0)) }
    }
    constants = LayerArithmetic(
      weight: Variable(weight), threshold: variable(threshold), leak: variable(leak),
      bias: variable(bias), grid: grid)
  }

  var parameters: [Spiking.Parameter] { [] }

  func arithmetic(
    of layer: Layer, on tape: Tape, parameter: (Spiking.Parameter) -> Variable
  ) -> LayerArithmetic { constants }
}
