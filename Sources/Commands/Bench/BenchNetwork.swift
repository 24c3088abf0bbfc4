import Learning
import ModelCompression
import Spiking
import Tensors
import Wiring

/// A network that is measured, with random weights and random input, and the bars it is held to.
struct BenchNetwork {
  /// What is wired how.
  enum Design {
    /// In the shorthand of recipes.
    case chain(String)
    /// `hidden` neurons that hear each other a step later, then ten answers.
    case recurrent(hidden: Int)
  }

  let name: String
  let design: Design
  let input: InputPort
  let steps: Int
  let batchSize: Int
  /// Float training, as a fraction of what the matrix product's own rate allows.
  let trainingBar: Double
  /// Milliseconds of one inference on one thread.
  let latencyBar: Double?

  /// Float training takes at least the quantised network's time divided by this.
  static let quantizedRatioBar = 1.3
  /// Fraction of input neurons that spike in a step, where the input is events.
  private static let eventRate = 0.05
  /// Hidden layers spike at most this often, per neuron and step, before quantisation rounds thresholds.
  private static let greatestRate = 0.095

  static let all = [
    BenchNetwork(
      name: "N1", design: .chain("256-10"), input: .bytes(.init(channels: 784), scale: 1 / 255),
      steps: 10, batchSize: 64, trainingBar: 0.20, latencyBar: nil),
    BenchNetwork(
      name: "N2", design: .chain("16C3-P2-32C3-P2-128-10"),
      input: .bytes(.init(channels: 1, height: 28, width: 28), scale: 1 / 255), steps: 5,
      batchSize: 64, trainingBar: 0.40, latencyBar: 0.12),
    BenchNetwork(
      name: "N3", design: .chain("16C3-P2-32C3-P2-128-10"),
      input: .events(.init(channels: 2, height: 34, width: 34)), steps: 20, batchSize: 64,
      trainingBar: 0.40, latencyBar: 0.5),
    BenchNetwork(
      name: "N4", design: .chain("64C3-64C3-P2-128C3-128C3-P2-256C3-256C3-P2-256-10"),
      input: .bytes(.init(channels: 3, height: 32, width: 32), scale: 1 / 255), steps: 5,
      batchSize: 16, trainingBar: 0.75, latencyBar: nil),
    BenchNetwork(
      name: "N5", design: .recurrent(hidden: 128),
      input: .events(.init(channels: 2, height: 34, width: 34)), steps: 50, batchSize: 64,
      trainingBar: 0.25, latencyBar: nil),
  ]

  /// `784 256-10, T = 10`.
  var description: String {
    switch design {
    case .chain(let architecture): "\(input.shape) \(architecture), T = \(steps)"
    case .recurrent(let hidden): "\(input.shape) \(hidden) recurrent-10, T = \(steps)"
    }
  }

  /// The same random samples every time.
  func batch(of count: Int) -> TrainingBatch {
    var labels = RandomSource(seed: 8)
    return TrainingBatch(
      values: bytes(of: count), labels: (0..<count).map { _ in labels.integer(below: 10) })
  }

  /// The bytes of the same samples.
  func bytes(of count: Int) -> [UInt8] {
    var random = RandomSource(seed: 7)
    let isEvents = input.scale == nil
    return (0..<(isEvents ? steps : 1) * count * input.shape.count).map { _ -> UInt8 in
      isEvents
        ? (random.uniform() < Self.eventRate ? 1 : 0) : UInt8(random.integer(below: 256))
    }
  }

  /// The network with thresholds raised until every hidden layer is as sparse as a trained one.
  func network() throws -> Network {
    let network = try untrained()
    let batch = batch(of: 4)
    var scale: Float = 0.3
    while try ThresholdCalibration(scale: scale, shardSize: 4).run(network, on: batch)
      .contains(where: { $0.rate > Self.greatestRate })
    {
      scale *= 1.25
    }
    return network
  }

  private func untrained() throws -> Network {
    let random = RandomSource(seed: 1)
    switch design {
    case .chain(let architecture):
      return try Network(
        name: name, architecture: Architecture(architecture), input: input, classes: 10,
        steps: steps, neurons: NeuronConfiguration(), random: random)
    case .recurrent(let hidden):
      var plan = NetworkPlan(ports: [input], readout: 1)
      plan.populations = [
        NetworkPlan.Population(
          name: "hidden", shape: Shape(channels: hidden),
          neurons: NeuronConfiguration(leak: 0.9)),
        NetworkPlan.Population(name: "readout", shape: Shape(channels: 10), neurons: nil),
      ]
      plan.projections = [
        NetworkPlan.Projection(name: "in", from: .input(0), to: 0, topology: .dense),
        NetworkPlan.Projection(
          name: "back", from: .population(0), to: 0, topology: .dense, delay: 1),
        NetworkPlan.Projection(name: "out", from: .population(0), to: 1, topology: .dense),
      ]
      return try Network(name: name, plan: plan, steps: steps, random: random)
    }
  }

  /// The integers of a network at 4 bits, its first projection at 8.
  func quantized(_ network: Network) throws -> QuantizedArithmetic {
    let first = network.projections[0].name
    return try QuantizedArithmetic(network) { $0.name == first ? .eight : .four }
  }
}
