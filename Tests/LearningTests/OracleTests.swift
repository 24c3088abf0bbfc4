import Foundation
import Spiking
import Tensors
import TestMathematics
import Testing
import Wiring

@testable import Learning

/// A spiking network's logits, loss, gradients and five steps of Adam, against automatic differentiation
/// by PyTorch in float64 (Tests/SpikingTests/Oracle/make_oracle.py).
///
/// Its membranes stay 1e-4 away from their thresholds, so both see the same spikes, and what remains is
/// the rounding of float32: sums of up to 256 terms of 6e-8 each.
@Suite struct OracleTests {
  private struct Oracle: Decodable {
    var steps: Int
    var stepWeight: Float
    var pixels: [UInt8]
    var labels: [Int]
    var parameters: [String: [Double]]
    var currents: [Double]
    var rates: [Double]
    var losses: [Double]
    var gradients: [String: [Double]]
    var updated: [String: [Double]]
  }

  private let oracle: Oracle
  private let network: Network
  private let batch: TrainingBatch
  private let step: GradientStep

  init() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../SpikingTests/Oracle/two_layer.json")
    oracle = try JSONDecoder().decode(Oracle.self, from: Data(contentsOf: file))
    network = try Network(
      name: "oracle", architecture: Architecture("4C3-P2-12-5"),
      input: .bytes(Shape(channels: 1, height: 8, width: 8), scale: 1 / 255), classes: 5,
      steps: oracle.steps, neurons: NeuronConfiguration(bias: true), random: RandomSource(seed: 0))
    for parameter in network.parameters {
      let values = try #require(oracle.parameters[parameter.name], "\(parameter.name)")
      parameter.value = Tensor(parameter.value.shape, values.map(Float.init))
    }
    batch = TrainingBatch(values: oracle.pixels, labels: oracle.labels)
    step = GradientStep(loss: Loss(stepWeight: oracle.stepWeight), shardSize: 3, threads: 2)
  }

  @Test func currentsOfEveryStepAgree() throws {
    let output = network.prepare(on: Tape()).forward(
      network.input(from: batch, 0..<batch.count), batch: batch.count, on: Tape())
    let currents = try #require(output.currents?.value.elements)
    // Sums of at most 12 spiking neurons' weights: a few roundings.
    #expect(relativeDifference(currents, oracle.currents) < 1e-6)
  }

  @Test func lossAndRatesAgree() {
    let report = step.gradients(network, batch).report
    // A float logarithm and a sum over two shards.
    #expect(relativeDifference([Float(report.loss)], [oracle.losses[0]]) < 1e-6)
    // The same number of spikes, divided in float.
    #expect(relativeDifference(report.rates.map(Float.init), oracle.rates) < 1e-6)
  }

  @Test func everyGradientAgrees() throws {
    let gradients = step.gradients(network, batch).gradients
    var table = ""
    for (parameter, gradient) in zip(network.parameters, gradients) {
      let expected = try #require(oracle.gradients[parameter.name])
      let difference = relativeDifference(gradient.elements, expected)
      table += "\(parameter.name) \(difference)\n"
      // Relative to the tensor's largest: sums over 6 samples, 64 places and 4 steps.
      #expect(difference < 5e-6, "\(parameter.name)")
    }
    print("largest relative difference of gradients\n\(table)", terminator: "")
  }

  @Test func fiveStepsOfAdamAgree() throws {
    var moments = network.parameters.map { Moments(count: $0.value.count) }
    var losses: [Float] = []
    for update in 1...oracle.losses.count {
      let (gradients, report) = step.gradients(network, batch)
      losses.append(Float(report.loss))
      for (index, parameter) in network.parameters.enumerated() {
        moments[index].update(&parameter.value, gradients[index], step: update)
        parameter.enforceConstraints()
      }
    }
    // Adam divides by a gradient's own size, so an element of 1e-6, beside a rounding of 1e-9, moves by
    // 1e-2 ± 1e-5; the loss feels little of it.
    #expect(relativeDifference(losses, oracle.losses) < 1e-5)
    var table = ""
    for parameter in network.parameters {
      let expected = try #require(oracle.updated[parameter.name])
      let difference = relativeDifference(parameter.value.elements, expected)
      table += "\(parameter.name) \(difference)\n"
      #expect(difference < 2e-5, "\(parameter.name)")
    }
    print("largest relative difference after five steps\n\(table)", terminator: "")
  }

  /// Adam as Kingma and Ba (ICLR 2015) write it: rate 1e-2, β 0.9 and 0.999, ε 1e-8.
  private struct Moments {
    var first: [Double]
    var second: [Double]

    init(count: Int) {
      first = [Double](repeating: 0, count: count)
      second = first
    }

    mutating func update(_ value: inout Tensor, _ gradient: Tensor, step: Int) {
      for index in first.indices {
        let g = Double(gradient[index])
        first[index] = 0.9 * first[index] + 0.1 * g
        second[index] = 0.999 * second[index] + 0.001 * g * g
        let m = first[index] / (1 - pow(0.9, Double(step)))
        let v = second[index] / (1 - pow(0.999, Double(step)))
        value[index] -= Float(1e-2 * m / (v.squareRoot() + 1e-8))
      }
    }
  }
}
