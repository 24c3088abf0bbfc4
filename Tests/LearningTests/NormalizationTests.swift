import Spiking
import Tensors
import TestMathematics
import Testing
import Wiring

@testable import Learning

/// A normalised current while training, and the weights it becomes part of.
@Suite struct NormalizationTests {
  private static let plane = Shape(channels: 4, height: 5, width: 5)

  /// Two ports onto a normalised plane, groups, taps, a residual sum by channel and by neuron.
  private func network() throws -> Network {
    var neurons = NeuronConfiguration(
      threshold: 0.7, leak: 0.9, initial: 0.1, isNormalized: true)
    var plan = NetworkPlan(
      ports: [
        .bytes(Shape(channels: 2, height: 5, width: 5), scale: 1 / 255),
        InputPort(
          name: "events", shape: Shape(channels: 2, height: 5, width: 5), kind: .events(.once)),
      ])
    plan.populations.append(.init(name: "a", shape: Self.plane, neurons: neurons))
    neurons.dynamics.reset = .zero
    plan.populations.append(.init(name: "b", shape: Self.plane, neurons: neurons))
    plan.populations.append(.init(name: "c", shape: Shape(channels: 7), neurons: neurons))
    plan.populations.append(.init(name: "readout", shape: Shape(channels: 3), neurons: nil))
    plan.readout = 3
    let same = Convolution(kernel: 3, padding: 1)
    plan.projections = [
      .init(name: "values", from: .input(0), to: 0, topology: .convolution(same)),
      .init(name: "events", from: .input(1), to: 0, topology: .convolution(same), delay: 1),
      .init(
        name: "groups", from: .population(0), to: 1,
        topology: .convolution(Convolution(kernel: 3, padding: 1, groups: 2)), taps: 2),
      .init(name: "residual", from: .population(0), to: 1, topology: .oneToOne),
      .init(
        name: "late", from: .population(0), to: 1, topology: .oneToOne, delay: 1,
        granularity: .neuron),
      .init(name: "dense", from: .population(1), to: 2, topology: .dense, pool: 2),
      .init(name: "out", from: .population(2), to: 3, topology: .dense),
    ]
    return try Network(name: "normal", plan: plan, steps: 4, random: RandomSource(seed: 3))
  }

  private func batch() -> TrainingBatch {
    var random = RandomSource(seed: 2)
    return TrainingBatch(
      contents: [
        .bytes((0..<6 * 50).map { _ in UInt8(random.integer(below: 256)) }),
        .bytes((0..<4 * 6 * 50).map { _ in UInt8(random.integer(below: 2)) }),
      ], labels: [0, 1, 2, 0, 1, 2])
  }

  private func output(_ network: Network, isTraining: Bool = false) -> NetworkOutput {
    var options = ForwardOptions()
    options.records = true
    if isTraining { options.training = .init(random: RandomSource(seed: 1)) }
    return network.prepare(on: Tape()).forward(
      network.input(from: batch(), 0..<6), batch: 6, options, on: Tape())
  }

  /// Statistics of some training steps, and γ and biases as training leaves them.
  private func train(_ network: Network) {
    var random = RandomSource(seed: 9)
    for _ in 0..<20 {
      for (population, statistics) in output(network, isTraining: true).statistics {
        network.updateStatistics(of: population, statistics)
      }
    }
    for population in network.populations {
      for parameter in [population.normalization?.scale, population.bias].compactMap({ $0 }) {
        for index in 0..<parameter.value.count {
          parameter.value[index] += Float(random.uniform(-0.4...0.4))
        }
      }
    }
  }

  @Test func foldingKeepsWhatTheRunningStatisticsYield() throws {
    let network = try network()
    train(network)
    let before = output(network)
    let weights = network.projections.map(\.weight.value)
    network.foldNormalization()
    let after = output(network)
    for (index, projection) in network.projections.enumerated() {
      #expect((projection.weight.value != weights[index]) == (projection.target != network.readout))
    }
    for population in network.populations {
      guard let normalization = population.normalization else { continue }
      #expect(normalization.scale.value.elements.allSatisfy { $0 == 1 })
      #expect(normalization.mean.value.elements.allSatisfy { $0 == 0 })
    }
    for index in network.spiking {
      guard case .spiking(let spikes, let potentials)? = before.records[index],
        case .spiking(let foldedSpikes, let foldedPotentials)? = after.records[index]
      else {
        Issue.record("no record of \(network.populations[index].name)")
        continue
      }
      #expect(spikes == foldedSpikes, "\(network.populations[index].name)")
      #expect(
        relativeDifference(foldedPotentials.elements, potentials.elements) < 1e-5,
        "\(network.populations[index].name)")
    }
    // Equality of silent layers says nothing.
    #expect(before.rates.allSatisfy { $0 > 0.05 && $0 < 0.95 }, "\(before.rates)")
    let membranes = try #require(before.membranes).value.elements
    #expect(
      relativeDifference(try #require(after.membranes).value.elements, membranes) < 1e-5)
  }

  /// What is folded once is not folded again.
  @Test func foldingTwiceChangesNothingMore() throws {
    let network = try network()
    train(network)
    network.foldNormalization()
    let bits = network.bits
    network.foldNormalization()
    for (name, values) in network.bits {
      // 1/√(1 − ε + ε) rounds to 1.
      #expect(values == bits[name], "\(name)")
    }
  }

  /// In training the current of each channel has mean 0 and deviation γ, and its gradient no part along
  /// either.
  @Test func trainingNormalisesByTheShardsOwnStatistics() throws {
    let network = try network()
    var seen: [Int: Tensor] = [:]
    var options = ForwardOptions()
    options.training = .init(random: RandomSource(seed: 1))
    options.observer = { seen[$0] = $1 }
    _ = network.prepare(on: Tape()).forward(
      network.input(from: batch(), 0..<6), batch: 6, options, on: Tape())
    for index in network.spiking {
      let current = try #require(seen[index]).elements
      let channels = network.populations[index].shape.channels
      for channel in 0..<channels {
        let values = stride(from: channel, to: current.count, by: channels).map {
          Double(current[$0])
        }
        let mean = values.reduce(0, +) / Double(values.count)
        let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
        #expect(abs(mean) < 1e-5 && abs(square - mean * mean - 1) < 1e-3)
      }
    }
  }

  /// Statistics move with a training loop, are kept in checkpoints and brought back with them.
  @Test func checkpointsKeepTheStatistics() throws {
    let network = try network()
    train(network)
    let snapshot = try NetworkSnapshot(network)
    let other = try self.network()
    try snapshot.restore(other)
    #expect(other.bits == network.bits)
    #expect(other.statistics.map(\.value) == network.statistics.map(\.value))
    #expect(!network.statistics.isEmpty)
  }
}
