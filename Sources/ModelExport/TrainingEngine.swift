import ModelFormat
import Spiking
import Tensors
import Wiring

/// The training-time forward pass as an engine of integer models: the third witness beside the reference
/// simulator and the C runtime.
///
/// It runs a network of ``Network`` in float32, which is exact within the bounds of models/FORMAT.md,
/// section 5. It covers every model of that page whose read-outs' sums of one step stay below 2^24.
public struct TrainingEngine {
  private let network: Network
  private let arithmetic: any Arithmetic
  private let exit: Exit?
  /// By port: what turns its values into spikes.
  private let encoders: [PoissonEncoder?]

  /// An engine for a quantised network as it is trained. Precondition: the arithmetic's numbers are
  /// integers.
  public init(_ network: Network, _ arithmetic: any Arithmetic) {
    self.network = network
    self.arithmetic = arithmetic
    exit = nil
    encoders = network.ports.map { _ in nil }
  }

  /// An engine for the integers of a model file. Throws ``ModelError`` where the model is invalid,
  /// ``TrainingEngineError`` where float32 cannot hold its sums.
  public init(_ model: Model) throws {
    network = try Network(integersOf: model)
    arithmetic = FixedArithmetic(model)
    exit = model.exit
    encoders = model.inputs.map(\.encoder)
  }

  /// Runs one sample; `observe` receives every step as the other engines tell it. Of the counters only
  /// the populations' are filled: the others follow from the spikes.
  public func run(
    _ presented: InferenceInput, observe: (StepRecord) -> Void = { _ in }
  ) -> Inference {
    let input = presented.encoded(by: encoders)
    var network = network
    network.steps = input.steps
    let prepared = network.prepare(with: arithmetic, on: Tape()).frozen()
    var options = ForwardOptions()
    options.records = true
    let output = prepared.forward(
      network.tensors(of: input), batch: 1, options, on: Tape())
    var records: [StepRecord] = []
    for step in 0..<input.steps {
      var record = StepRecord(spikes: [], membranes: [])
      for index in network.populations.indices {
        let (spikes, membranes) = state(
          of: network.populations[index], prepared.numbers.populations[index],
          output.records[index], step: step)
        record.spikes.append(spikes)
        record.membranes.append(membranes)
      }
      records.append(record)
    }
    let end = records.firstIndex { record in
      exit?.holds(after: record, scores: record.membranes[network.readout]) ?? false
    }
    // Saturations are counted over the whole pass, so that one that ends earlier runs once more.
    if let end, end + 1 < input.steps { return run(presented.prefix(end + 1), observe: observe) }
    for record in records { observe(record) }
    var scores: [Int32] = []
    if case .readout(let membranes)? = output.records[network.readout] {
      scores = membranes.suffix(network.classCount).map { Int32($0) }
    }
    return Inference(scores: scores, counters: counters(network, output, input.steps))
  }

  private func counters(_ network: Network, _ output: NetworkOutput, _ steps: Int) -> Counters {
    var populations = network.populations.map {
      Counters.Population(updates: $0.shape.count * steps)
    }
    for (place, index) in network.spiking.enumerated() {
      guard case .spiking(let spikes, _)? = output.records[index] else { continue }
      populations[index].spikesOut = Int(spikes.sum)
      populations[index].saturations = output.saturations[place]
    }
    return Counters(populations: populations, projections: [], ports: [])
  }

  /// A population's spikes and membranes after one step.
  private func state(
    of population: Spiking.Population, _ numbers: PopulationNumbers,
    _ record: NetworkOutput.Record?, step: Int
  ) -> (spikes: [UInt32], membranes: [Int32]) {
    let count = population.shape.count
    switch record {
    case .readout(let membranes):
      return ([], membranes[step * count..<(step + 1) * count].map { Int32($0) })
    case .spiking(let spikes, let potentials):
      var fired: [UInt32] = []
      var membranes = [Int32](repeating: 0, count: count)
      for neuron in 0..<count {
        membranes[neuron] = Int32(potentials[step * count + neuron])
        guard spikes[step * count + neuron] != 0 else { continue }
        fired.append(UInt32(neuron))
        membranes[neuron] = afterReset(membranes[neuron], neuron, population, numbers)
      }
      return (fired, membranes)
    case nil: return ([], [])
    }
  }

  private func afterReset(
    _ potential: Int32, _ neuron: Int, _ population: Spiking.Population,
    _ numbers: PopulationNumbers
  ) -> Int32 {
    guard case .lif(let dynamics) = population.neuron, let threshold = numbers.threshold?.value
    else { return potential }
    switch dynamics.reset {
    case .subtract: return potential - Int32(threshold[neuron % threshold.count])
    case .zero: return 0
    case .value: return Int32(numbers.resetValue)
    }
  }
}

extension Network {
  /// One sample as this network's inputs. Precondition: the input suits the model.
  fileprivate func tensors(of input: InferenceInput) -> [Tensor] {
    zip(ports, input.ports).map { port, content in
      let count = port.shape.count
      switch content {
      case .held(let values): return Tensor([1] + port.shape.extents, values.map(Float.init))
      case .frames(let frames):
        return Tensor([frames.count] + port.shape.extents, frames.joined().map(Float.init))
      case .events(let events):
        var tensor = Tensor([events.count] + port.shape.extents)
        for (step, indices) in events.enumerated() {
          let inside = indices.filter { $0 < count }
          switch port.kind {
          case .events(.every(let maximum)):
            for index in inside.prefix(maximum) { tensor[step * count + Int(index)] += 1 }
          default:
            for index in inside { tensor[step * count + Int(index)] = 1 }
          }
        }
        return tensor
      }
    }
  }
}
