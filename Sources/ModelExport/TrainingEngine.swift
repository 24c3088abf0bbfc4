import ModelFormat
import Spiking
import Tensors

/// The training-time forward pass as an engine of integer models: the third witness beside the reference
/// simulator and the C runtime.
///
/// It runs a network of ``Network`` in float32, which is exact within the bounds of models/FORMAT.md,
/// section 5. It covers what the trainer builds: one port, a chain of dense and square convolutional
/// projections without delay, leaks on the training grid.
public struct TrainingEngine {
  private let network: Network

  /// An engine for a quantised network as it is trained.
  public init(_ network: Network) { self.network = network }

  /// An engine for the integers of a model file. Throws ``TrainingEngineError`` where the trainer could not
  /// have made the model.
  public init(_ model: Model) throws { network = try Network(integersOf: model) }

  /// Runs one sample; `observe` receives every step as the other engines tell it. Of the counters only
  /// the populations' are filled: the others follow from the spikes.
  public func run(
    _ input: InferenceInput, observe: (StepRecord) -> Void = { _ in }
  ) -> Inference {
    let network = Network(
      name: network.name, input: network.input, steps: input.steps, layers: network.layers)
    let prepared = network.prepare(on: Tape())
    let classes = network.classCount
    let last = network.layers.count - 1
    let scale = 1 << (prepared.arithmetic[last].grid?.shift ?? 0)
    // The read-out's membranes may pass 2^24, where floats end; its currents do not.
    var readout: [Int32] = []
    let output = prepared.forward(
      network.tensor(of: input), batch: 1, on: Tape(), recording: true
    ) { index, current in
      guard index == last else { return }
      for (position, current) in current.elements.enumerated() {
        let earlier = position < classes ? 0 : readout[position - classes]
        readout.append(earlier + Int32(Int(current) * scale))
      }
    }
    for step in 0..<input.steps {
      var record = StepRecord(spikes: [], membranes: [])
      for (index, layer) in output.records.enumerated() {
        let (spikes, membranes) = afterReset(
          layer, step: step, network.layers[index], prepared.arithmetic[index])
        record.spikes.append(spikes)
        record.membranes.append(membranes)
      }
      record.spikes.append([])
      record.membranes.append(Array(readout[step * classes..<(step + 1) * classes]))
      observe(record)
    }
    return Inference(
      scores: Array(readout.suffix(classes)), counters: counters(network, output, input.steps))
  }

  private func counters(_ network: Network, _ output: NetworkOutput, _ steps: Int) -> Counters {
    var populations = network.layers.map {
      Counters.Population(updates: $0.shape.count * steps)
    }
    for (index, record) in output.records.enumerated() {
      populations[index].spikesOut = Int(record.spikes.sum)
      populations[index].saturations = output.saturations[index]
    }
    return Counters(populations: populations, projections: [], ports: [])
  }

  /// A layer's spikes and membranes of one step, from the potentials before reset.
  private func afterReset(
    _ record: (spikes: Tensor, potentials: Tensor), step: Int, _ layer: Layer,
    _ numbers: LayerArithmetic
  ) -> (spikes: [UInt32], membranes: [Int32]) {
    guard case .lif(let dynamics) = layer.kind, let threshold = numbers.threshold?.value else {
      return ([], [])
    }
    let count = layer.shape.count
    var spikes: [UInt32] = []
    var membranes = [Int32](repeating: 0, count: count)
    for neuron in 0..<count {
      var potential = Int32(record.potentials[step * count + neuron])
      if record.spikes[step * count + neuron] != 0 {
        spikes.append(UInt32(neuron))
        potential =
          dynamics.reset == .zero ? 0 : potential - Int32(threshold[neuron % threshold.count])
      }
      membranes[neuron] = potential
    }
    return (spikes, membranes)
  }
}

extension Network {
  /// One sample as this network's input. Precondition: the input suits the model.
  fileprivate func tensor(of input: InferenceInput) -> Tensor {
    let extents = [self.input.shape.height, self.input.shape.width, self.input.shape.channels]
    switch input.ports[0] {
    case .held(let values): return Tensor([1] + extents, values.map(Float.init))
    case .frames(let frames):
      return Tensor([frames.count, 1] + extents, frames.joined().map(Float.init))
    case .events(let events):
      var tensor = Tensor([events.count, 1] + extents)
      for (step, indices) in events.enumerated() {
        for index in indices where index < self.input.shape.count {
          tensor[step * self.input.shape.count + Int(index)] = 1
        }
      }
      return tensor
    }
  }
}
