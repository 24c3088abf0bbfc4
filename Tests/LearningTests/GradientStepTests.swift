import Tensors
import TestMathematics
import Testing
import Wiring

@testable import Learning
@testable import Spiking

@Suite struct GradientStepTests {
  private static let shape = Shape(channels: 1, height: 6, width: 6)

  private func network(events: Bool = false) throws -> Network {
    try Network(
      name: "test", architecture: Architecture("6C3-P2-16-4"),
      input: events ? .events(Self.shape) : .bytes(Self.shape, scale: 1 / 255), classes: 4,
      steps: 3, neurons: NeuronConfiguration(threshold: 0.5, leak: 0.875, bias: true),
      random: RandomSource(seed: 1))
  }

  private func batch(_ count: Int, events: Bool = false) -> TrainingBatch {
    var random = RandomSource(seed: 2)
    let values = (0..<(events ? 3 : 1) * count * Self.shape.count).map { _ in
      UInt8(events ? random.integer(below: 2) : random.integer(below: 256))
    }
    return TrainingBatch(values: values, labels: (0..<count).map { _ in random.integer(below: 4) })
  }

  /// Every spiking population at a price of `strength` above a rate of 5 %.
  private func gradients(
    _ network: Network, _ batch: TrainingBatch, shardSize: Int, threads: Int = 2,
    strength: Float? = nil
  ) -> (gradients: [Tensor], report: StepReport) {
    var step = GradientStep(loss: Loss(stepWeight: 0.3), shardSize: shardSize, threads: threads)
    if let strength {
      for population in network.spiking {
        step.penalties[population] = ActivityPenalty(strength: strength, targetRate: 0.05)
      }
    }
    return step.gradients(network, batch)
  }

  @Test(arguments: [1, 2, 3, 7, 100], [false, true])
  func shardsAddUpToTheBatch(shardSize: Int, events: Bool) throws {
    let network = try network(events: events)
    let batch = batch(7, events: events)
    let whole = gradients(network, batch, shardSize: 7)
    let sharded = gradients(network, batch, shardSize: shardSize)
    for (index, parameter) in network.parameters.enumerated() {
      let difference = relativeDifference(
        sharded.gradients[index].elements, whole.gradients[index].elements)
      // Only the order of sums over 7 samples, 36 places and 3 steps differs.
      #expect(difference < 2e-6, "\(parameter.name)")
    }
    #expect(abs(sharded.report.loss - whole.report.loss) < 1e-6 * whole.report.loss)
    #expect(sharded.report.correct == whole.report.correct)
    #expect(
      relativeDifference(
        sharded.report.rates.map(Float.init), whole.report.rates) < 1e-6)
    #expect(whole.report.rates.allSatisfy { $0 > 0.05 && $0 < 0.95 })
  }

  @Test(arguments: [1, 2, 3, 7])
  func threadsDoNotChangeABit(shardSize: Int) throws {
    let network = try network()
    let batch = batch(7)
    let one = gradients(network, batch, shardSize: shardSize, threads: 1)
    let two = gradients(network, batch, shardSize: shardSize, threads: 2)
    #expect(one.gradients == two.gradients)
    #expect(one.report.loss == two.report.loss)
    #expect(one.report.rates == two.report.rates)
  }

  @Test func gradientsHaveTheShapesOfTheirParameters() throws {
    let network = try network()
    let gradients = gradients(network, batch(3), shardSize: 2).gradients
    #expect(gradients.map(\.shape) == network.parameters.map(\.value.shape))
    #expect(gradients.allSatisfy { $0.isFinite && $0.elements.contains { $0 != 0 } })
  }

  @Test func aSampleIsCorrectWhereItsFinalMembraneIsHighest() throws {
    var output = NetworkOutput(try network())
    // Two steps of three samples and three classes; ties go to the lowest index.
    output.membranes = Variable(
      Tensor([2, 3, 3], [9, 0, 0, 9, 0, 0, 9, 0, 0, 1, 2, 3, 5, 5, 0, -3, -1, -2]))
    #expect(output.predictions(3) == [2, 0, 1])
    #expect(output.correctCount([2, 1, 1]) == 2)
  }

  @Test func eventsAreGatheredStepByStep() throws {
    let network = try network(events: true)
    let batch = batch(4, events: true)
    guard case .bytes(let values) = batch.contents[0] else {
      Issue.record("a batch of other contents")
      return
    }
    let inputs = network.input(from: batch, 1..<3)
    #expect(inputs.map(\.shape) == [[6, 6, 6, 1]])
    for step in 0..<3 {
      let start = (step * 4 + 1) * 36
      #expect(
        Array(inputs[0].elements[step * 72..<(step + 1) * 72])
          == values[start..<start + 72].map(Float.init))
    }
  }

  /// Plain gradient descent, with and without a price on spikes above a rate of 5 %.
  @Test func theActivityPenaltyLowersRates() throws {
    func finalRates(strength: Float) throws -> [Double] {
      let network = try network()
      let batch = batch(8)
      for _ in 0..<30 {
        let result = gradients(network, batch, shardSize: 8, strength: strength)
        for (parameter, gradient) in zip(network.parameters, result.gradients) {
          parameter.value.add(gradient.map { $0 * -0.05 })
          parameter.enforceConstraints()
        }
      }
      return gradients(network, batch, shardSize: 8, strength: strength).report.rates
    }
    let free = try finalRates(strength: 0)
    let priced = try finalRates(strength: 20)
    #expect(zip(free, priced).allSatisfy { $1 < 0.7 * $0 }, "\(free) became \(priced)")
  }

  /// Equal samples have equal rates, so the price of the batch is the price of any shard: its gradient
  /// was once added in full for every shard.
  @Test(arguments: [1, 2, 6]) func thePenaltysGradientDoesNotGrowWithTheShards(shardSize: Int)
    throws
  {
    let network = try network()
    let sample = batch(1)
    guard case .bytes(let values) = sample.contents[0] else {
      Issue.record("a batch of other contents")
      return
    }
    let batch = TrainingBatch(
      values: (0..<6).flatMap { _ in values }, labels: (0..<6).map { _ in sample.labels[0] })
    let alone = gradients(network, sample, shardSize: 1, strength: 20)
    let sharded = gradients(network, batch, shardSize: shardSize, strength: 20)
    for (index, parameter) in network.parameters.enumerated() {
      let difference = relativeDifference(
        sharded.gradients[index].elements, alone.gradients[index].elements)
      // The order of sums over 6 samples.
      #expect(difference < 2e-6, "\(parameter.name)")
    }
    #expect(abs(sharded.report.loss - alone.report.loss) < 1e-6 * alone.report.loss)
  }

  // MARK: Labels per step

  /// Four samples whose every step has a label of its own.
  private func batchLabelledByStep() -> TrainingBatch {
    let batch = batch(4, events: true)
    var random = RandomSource(seed: 5)
    return TrainingBatch(
      contents: batch.contents, labels: (0..<12).map { _ in random.integer(below: 4) }, count: 4)
  }

  @Test func labelsPerStepGoWithTheirSamples() {
    let batch = TrainingBatch(
      contents: [.bytes([])], labels: [0, 1, 2, 10, 11, 12], count: 3)
    #expect(batch.isLabelledByStep)
    #expect(batch.labels(of: 1..<3) == [1, 2, 11, 12])
    #expect(batch.labels(of: 0..<1) == [0, 10])
    let plain = TrainingBatch(contents: [.bytes([])], labels: [0, 1, 2])
    #expect(!plain.isLabelledByStep && plain.count == 3 && plain.labels(of: 1..<2) == [1])
  }

  @Test(arguments: [1, 3]) func shardsOfLabelsPerStepAddUpToTheBatch(shardSize: Int) throws {
    let network = try network(events: true)
    let batch = batchLabelledByStep()
    let whole = gradients(network, batch, shardSize: 4)
    let sharded = gradients(network, batch, shardSize: shardSize)
    for (index, parameter) in network.parameters.enumerated() {
      let difference = relativeDifference(
        sharded.gradients[index].elements, whole.gradients[index].elements)
      #expect(difference < 2e-6, "\(parameter.name)")
    }
    #expect(abs(sharded.report.loss - whole.report.loss) < 1e-6 * whole.report.loss)
    #expect(sharded.report.correct == whole.report.correct)
    let validated = Validation(loss: Loss(stepWeight: 0.3), shardSize: shardSize).run(
      network, batches: 1
    ) { _ in batch }
    #expect(validated.samples == 4)
    #expect(validated.accuracy == Double(whole.report.correct) / 12)
    #expect(abs(validated.loss - whole.report.loss) < 1e-6 * whole.report.loss)
  }

  @Test func aStepIsCorrectWhereItsOwnMembraneIsHighest() throws {
    var output = NetworkOutput(try network())
    output.membranes = Variable(Tensor([4, 2], [9, 0, 0, 9, 1, 2, 5, 5]))
    // Two steps of two samples; ties go to the lowest index.
    #expect(output.correctCount([0, 1, 1, 0]) == 4)
    #expect(output.correctCount([0, 0, 1, 1]) == 2)
  }
}
