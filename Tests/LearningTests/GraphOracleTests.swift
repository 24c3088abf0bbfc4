import Foundation
import Spiking
import Tensors
import TestMathematics
import Testing
import Wiring

@testable import Learning

/// Graphs that are no chain: logits, loss, every gradient and five steps of Adam, against automatic
/// differentiation by PyTorch in float64 (Tests/SpikingTests/Oracle/make_graph_oracles.py).
///
/// As in ``OracleTests``, both see the same spikes, and what remains is the rounding of float32.
@Suite struct GraphOracleTests {
  private struct Oracle: Decodable {
    var steps: Int
    var stepWeight: Float
    var inputs: [[Int]]
    var labels: [Int]
    var parameters: [String: [Double]]
    var currents: [Double]
    var membranes: [Double]
    var rates: [Double]
    var losses: [Double]
    var gradients: [String: [Double]]
    var updated: [String: [Double]]
  }

  private static let neurons = NeuronConfiguration()

  private static func population(
    _ name: String, _ shape: Shape, bias: Bool = false, initial: Float? = nil,
    isNormalized: Bool = false
  ) -> NetworkPlan.Population {
    var neurons = neurons
    neurons.bias = bias
    neurons.initial = initial
    neurons.isNormalized = isNormalized
    return NetworkPlan.Population(name: name, shape: shape, neurons: neurons)
  }

  private static func readout(_ leak: Float? = nil) -> NetworkPlan.Population {
    NetworkPlan.Population(
      name: "readout", shape: Shape(channels: 4), neurons: nil, readoutLeak: leak)
  }

  private static func events(_ shape: Shape, _ name: String = "in") -> InputPort {
    InputPort(name: name, shape: shape, kind: .events(.once))
  }

  private typealias Link = NetworkPlan.Projection

  private static let plans: [String: NetworkPlan] = [
    "recurrent": NetworkPlan(
      ports: [events(Shape(channels: 8))],
      populations: [
        population("a", Shape(channels: 10), bias: true), population("b", Shape(channels: 7)),
        readout(1),
      ],
      projections: [
        Link(name: "in_a", from: .input(0), to: 0, topology: .dense),
        Link(name: "a_b", from: .population(0), to: 1, topology: .dense),
        Link(name: "b_a", from: .population(1), to: 0, topology: .dense, delay: 1),
        Link(name: "a_a", from: .population(0), to: 0, topology: .dense, delay: 1),
        Link(name: "b_lateral", from: .population(1), to: 1, topology: .lateral, delay: 1),
        Link(name: "b_out", from: .population(1), to: 2, topology: .dense),
      ], readout: 2),
    "delays": NetworkPlan(
      ports: [events(Shape(channels: 9))],
      populations: [
        population("a", Shape(channels: 8)), population("b", Shape(channels: 6)), readout(),
      ],
      projections: [
        Link(name: "in_a", from: .input(0), to: 0, topology: .dense),
        Link(
          name: "a_b", from: .population(0), to: 1, topology: .dense, delay: 1, taps: 2, tapStep: 2),
        Link(name: "a_out", from: .population(0), to: 2, topology: .dense, delay: 3),
        Link(name: "b_out", from: .population(1), to: 2, topology: .dense),
      ], readout: 2),
    "residual": NetworkPlan(
      ports: [
        .bytes(Shape(channels: 2, height: 6, width: 6), scale: 1 / 255),
        events(Shape(channels: 2, height: 6, width: 6), "events"),
      ],
      populations: [
        population("a", Shape(channels: 4, height: 6, width: 6)),
        population("b", Shape(channels: 4, height: 6, width: 6)),
        population("c", Shape(channels: 4, height: 6, width: 6), initial: 0), readout(),
      ],
      projections: [
        Link(
          name: "values_a", from: .input(0), to: 0,
          topology: .convolution(Convolution(kernel: 3, padding: 1))),
        Link(
          name: "events_a", from: .input(1), to: 0,
          topology: .convolution(Convolution(y: .init(kernel: 1), x: .init(kernel: 3, padding: 1)))),
        Link(
          name: "a_b", from: .population(0), to: 1,
          topology: .convolution(Convolution(kernel: 3, padding: 2, dilation: 2))),
        Link(name: "b_c", from: .population(1), to: 2, topology: .oneToOne),
        Link(
          name: "a_c", from: .population(0), to: 2, topology: .oneToOne, granularity: .layer),
        Link(name: "c_out", from: .population(2), to: 3, topology: .dense, pool: 2),
      ], readout: 3),
    "depthwise": NetworkPlan(
      ports: [
        InputPort(
          name: "in", shape: Shape(channels: 3, height: 1, width: 12),
          kind: .values(minimum: -60, maximum: 60, scale: 1 / 64, framePerStep: true))
      ],
      populations: [
        population("a", Shape(channels: 6, height: 1, width: 12)),
        population("b", Shape(channels: 6, height: 1, width: 6)), readout(),
      ],
      projections: [
        Link(
          name: "in_a", from: .input(0), to: 0,
          topology: .convolution(
            Convolution(y: .init(kernel: 1), x: .init(kernel: 5, padding: 2), groups: 3))),
        Link(
          name: "a_b", from: .population(0), to: 1,
          topology: .convolution(
            Convolution(
              y: .init(kernel: 1), x: .init(kernel: 3, stride: 2, padding: 1), groups: 6))),
        Link(name: "b_out", from: .population(1), to: 2, topology: .dense),
      ], readout: 2),
    "batchnorm": NetworkPlan(
      ports: [events(Shape(channels: 10)), events(Shape(channels: 4), "in2")],
      populations: [
        population("a", Shape(channels: 8), isNormalized: true),
        population("b", Shape(channels: 6)), readout(),
      ],
      projections: [
        Link(name: "in_a", from: .input(0), to: 0, topology: .dense),
        Link(name: "in2_a", from: .input(1), to: 0, topology: .dense),
        Link(name: "a_b", from: .population(0), to: 1, topology: .dense),
        Link(name: "b_out", from: .population(1), to: 2, topology: .dense),
      ], readout: 2),
  ]

  @Test(arguments: ["recurrent", "delays", "residual", "depthwise", "batchnorm"])
  func trainingAgrees(name: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../SpikingTests/Oracle/graph_\(name).json")
    let oracle = try JSONDecoder().decode(Oracle.self, from: Data(contentsOf: file))
    let network = try Network(
      name: name, plan: #require(Self.plans[name]), steps: oracle.steps,
      random: RandomSource(seed: 0))
    #expect(Set(network.parameters.map(\.name)) == Set(oracle.parameters.keys))
    for parameter in network.parameters {
      let values = try #require(oracle.parameters[parameter.name], "\(parameter.name)")
      parameter.value = Tensor(parameter.value.shape, values.map(Float.init))
    }
    let batch = TrainingBatch(
      contents: oracle.inputs.map { .words($0.map(Int16.init)) }, labels: oracle.labels)
    // One shard: a normalised current's statistics are a shard's.
    let step = GradientStep(
      loss: Loss(stepWeight: oracle.stepWeight), shardSize: oracle.labels.count, threads: 2)

    var options = ForwardOptions()
    options.training = ForwardOptions.Training(random: RandomSource(seed: 0))
    let output = network.prepare(on: Tape()).forward(
      network.input(from: batch, 0..<batch.count), batch: batch.count, options, on: Tape())
    // Sums of few spiking neurons' weights: a few roundings.
    #expect(
      relativeDifference(try #require(output.currents).value.elements, oracle.currents) < 2e-6)
    #expect(
      relativeDifference(try #require(output.membranes).value.elements, oracle.membranes) < 2e-6)
    #expect(relativeDifference(output.rates, oracle.rates) < 1e-6)

    let optimizer = Optimizer(OptimizerConfiguration(), parameters: network.parameters, threads: 2)
    var losses: [Float] = []
    for update in 0..<oracle.losses.count {
      let (gradients, report) = step.gradients(network, batch)
      losses.append(Float(report.loss))
      if update == 0 {
        for (parameter, gradient) in zip(network.parameters, gradients) {
          let expected = try #require(oracle.gradients[parameter.name])
          let difference = relativeDifference(gradient.elements, expected)
          // Relative to the tensor's largest: sums over 5 samples, 36 places and 6 steps.
          #expect(difference < 1e-5, "\(name) \(parameter.name)")
        }
      }
      optimizer.step(gradients, learningRate: 1e-2)
    }
    #expect(relativeDifference(losses, oracle.losses) < 1e-5)
    for parameter in network.parameters {
      let expected = try #require(oracle.updated[parameter.name])
      // Adam divides by a gradient's own size: its smallest elements are its least certain.
      #expect(
        relativeDifference(parameter.value.elements, expected) < 5e-5, "\(name) \(parameter.name)")
    }
  }
}
