import Spiking
import Tensors
import Testing
import Wiring

@testable import Learning

/// Neurons silenced for a sample of a training step.
@Suite struct DropoutTests {
  private static let neurons = 500
  private static let samples = 4
  private static let steps = 5

  /// Neurons that fire in every step, each onto a read-out of its own: its currents are what it says.
  private func network(_ probability: Float, isRecurrent: Bool) throws -> Network {
    let shape = Shape(channels: Self.neurons)
    let neurons = NeuronConfiguration(
      dynamics: LIFDynamics(reset: .zero), threshold: 0.5, leak: 0, dropout: probability)
    var plan = NetworkPlan(
      ports: [.events(shape)],
      populations: [
        .init(name: "cell", shape: shape, neurons: neurons),
        .init(name: "readout", shape: shape, neurons: nil),
      ],
      projections: [
        .init(name: "in", from: .input(0), to: 0, topology: .oneToOne, granularity: .layer),
        .init(
          name: "out", from: .population(0), to: 1, topology: .oneToOne, granularity: .layer),
      ], readout: 1)
    if isRecurrent {
      plan.projections.append(
        .init(name: "back", from: .population(0), to: 0, topology: .oneToOne, delay: 1))
    }
    return try Network(
      name: "loud", plan: plan, steps: Self.steps, random: RandomSource(seed: 1))
  }

  private func batch() -> TrainingBatch {
    TrainingBatch(
      values: [UInt8](repeating: 1, count: Self.steps * Self.samples * Self.neurons),
      labels: (0..<Self.samples).map { $0 })
  }

  /// What the neurons say in each step, `[B·N]`.
  private func said(_ network: Network, in training: RandomSource?) throws -> [[Float]] {
    var options = ForwardOptions()
    options.training = training.map(ForwardOptions.Training.init(random:))
    let output = network.prepare(on: Tape()).forward(
      network.input(from: batch(), 0..<Self.samples), batch: Self.samples, options, on: Tape())
    // Dropout silences what a neuron says, not the neuron.
    #expect(output.rates == [1])
    let currents = try #require(output.currents?.value.elements)
    let row = Self.samples * Self.neurons
    return (0..<Self.steps).map { Array(currents[$0 * row..<($0 + 1) * row]) }
  }

  @Test(arguments: [Float(0.2), 0.5], [false, true])
  func aNeuronIsSilentInAllStepsOrNone(probability: Float, isRecurrent: Bool) throws {
    let network = try network(probability, isRecurrent: isRecurrent)
    let steps = try said(network, in: RandomSource(seed: 7))
    #expect(steps.allSatisfy { $0 == steps[0] })
    let kept = 1 / (1 - probability)
    #expect(Set(steps[0]) == [0, kept])
    // Of 2000 draws with deviation √(p/(1 − p)): five of them.
    let mean = steps[0].reduce(0, +) / Float(steps[0].count)
    let deviation = (probability / (1 - probability) / Float(steps[0].count)).squareRoot()
    #expect(abs(mean - 1) < 5 * deviation)
    // Samples differ from each other.
    #expect(steps[0].prefix(Self.neurons) != steps[0].suffix(Self.neurons))
  }

  @Test(arguments: [false, true]) func anotherStepSilencesOthers(isRecurrent: Bool) throws {
    let network = try network(0.5, isRecurrent: isRecurrent)
    let random = RandomSource(seed: 7)
    let first = try said(network, in: random.split(1))
    #expect(try said(network, in: random.split(1)) == first)
    let second = try said(network, in: random.split(2))
    // Half of the neurons change where draws are independent.
    let changed = zip(first[0], second[0]).count { $0 != $1 }
    #expect((800...1200).contains(changed))
  }

  @Test func nothingIsSilencedOutsideOfTraining() throws {
    let network = try network(0.5, isRecurrent: false)
    #expect(try said(network, in: nil).joined().allSatisfy { $0 == 1 })
    let plain = try self.network(0, isRecurrent: false)
    let validation = Validation(shardSize: 2)
    #expect(
      validation.run(network, batches: 1) { _ in batch() }
        == validation.run(plain, batches: 1) { _ in batch() })
  }

  /// A silenced neuron carries no gradient to its input, and the others' is scaled alike.
  @Test func gradientsFollowTheMask() throws {
    let network = try network(0.5, isRecurrent: false)
    func step(_ seed: UInt64, threads: Int = 2) -> (gradients: [Tensor], report: StepReport) {
      GradientStep(loss: Loss(), shardSize: 2, threads: threads)
        .gradients(network, batch(), random: RandomSource(seed: seed))
    }
    let first = step(1)
    #expect(step(1, threads: 1).gradients == first.gradients)
    #expect(step(2).gradients != first.gradients)
    #expect(step(2).report.loss != first.report.loss)
  }
}
