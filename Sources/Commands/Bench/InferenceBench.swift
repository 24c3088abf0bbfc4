import Evaluation
import Learning
import ModelExport
import ModelFormat
import Spiking

/// How fast the C runtime answers, one sample at a time on one thread.
struct InferenceResult: Codable {
  var network: String
  /// Mean over the samples, of the fastest and of the middle pass.
  var milliseconds: Double
  var medianMilliseconds: Double
  /// Nil where there is none.
  var bar: Double?
  /// Synaptic operations (a spike into a synapse) and multiply-adds (of values) per sample.
  var synapticOperations: Double
  var multiplyAdds: Double
  /// Mean spikes per neuron and step, by spiking population.
  var rates: [Double]

  var operationsPerSecond: Double { (synapticOperations + multiplyAdds) / (milliseconds * 1e-3) }
  var meetsBar: Bool? { bar.map { milliseconds <= $0 } }
}

/// Runs a quantised random network, lowered to a model, over a few samples again and again.
struct InferenceBench {
  var seconds: Double

  private static let samples = 8

  func run(_ subject: BenchNetwork) throws -> InferenceResult {
    let network = try subject.network()
    let model = try lower(
      network, subject.quantized(network),
      as: ExportDescription(name: subject.name, maximumSteps: network.steps))
    let session = try Session(SessionModel(model))
    let inputs = self.inputs(subject)
    var counted: [Counters] = []
    for input in inputs { counted.append(try session.run(input).counters) }
    var timings = Timings()
    let whole = Stopwatch()
    repeat {
      let clock = Stopwatch()
      for input in inputs { _ = try session.run(input) }
      timings.add(clock.duration(threads: 1) / Double(inputs.count))
    } while whole.elapsed < seconds
    let samples = Double(inputs.count)
    let projections = counted.flatMap(\.projections)
    return InferenceResult(
      network: subject.name, milliseconds: timings.best * 1e3,
      medianMilliseconds: timings.median * 1e3, bar: subject.latencyBar,
      synapticOperations: Double(projections.reduce(0) { $0 + $1.synops }) / samples,
      multiplyAdds: Double(projections.reduce(0) { $0 + $1.macs }) / samples,
      rates: network.spiking.map { index in
        let spikes = counted.reduce(0) { $0 + $1.populations[index].spikesOut }
        return Double(spikes)
          / (samples * Double(network.steps * network.populations[index].shape.count))
      })
  }

  private func inputs(_ subject: BenchNetwork) -> [InferenceInput] {
    let values = subject.bytes(of: Self.samples)
    let count = subject.input.shape.count
    return (0..<Self.samples).map { sample in
      guard subject.input.scale == nil else {
        let frame = values[sample * count..<(sample + 1) * count].map(Int16.init)
        return InferenceInput(steps: subject.steps, ports: [.held(frame)])
      }
      let events = (0..<subject.steps).map { step -> [UInt32] in
        let start = (step * Self.samples + sample) * count
        return (0..<count).filter { values[start + $0] != 0 }.map(UInt32.init)
      }
      return InferenceInput(steps: subject.steps, ports: [.events(events)])
    }
  }
}
