import Learning
import Spiking
import Tensors
import Testing
import Wiring

@Suite struct ThresholdCalibrationTests {
  /// One input of value 0…99 in 100 samples, weights 1 and 2: currents are known.
  private func network(_ granularity: Granularity) throws -> (Network, TrainingBatch) {
    let network = try Network(
      name: "known", architecture: Architecture("2-2"),
      input: .bytes(Shape(channels: 1), scale: 1), classes: 2, steps: 2,
      neurons: NeuronConfiguration(thresholdGranularity: granularity, leak: 0),
      random: RandomSource(seed: 1))
    network.projections[0].weight.value = Tensor([1, 2], [1, 2])
    let batch = TrainingBatch(
      values: (0..<100).map { UInt8($0) }, labels: .init(repeating: 0, count: 100))
    return (network, batch)
  }

  @Test func thresholdIsThePercentileOfTheChannelsCurrentTimesTheScale() throws {
    let (network, batch) = try network(.channel)
    let reports = try ThresholdCalibration(percentile: 90, scale: 0.5, shardSize: 7)
      .run(network, on: batch)
    // The 90th of 0…99 is 89, of 0, 2…198 it is 178.
    #expect(network.populations[0].threshold?.value.elements == [44.5, 89])
    #expect(reports.count == 1 && reports[0].thresholds == 44.5...89 && !reports[0].isRescaled)
    // Above 44.5 are 45…99, in each of two steps without leak; the same for the other neuron.
    #expect(abs(reports[0].rate - 0.55) < 1e-6)
  }

  @Test func oneThresholdTakesAllCurrents() throws {
    let (network, batch) = try network(.layer)
    _ = try ThresholdCalibration(percentile: 100, scale: 0.5).run(network, on: batch)
    #expect(network.populations[0].threshold?.value.elements == [99])
  }

  @Test func silentLayersAreRescaledOnce() throws {
    let (network, batch) = try network(.channel)
    // Twice the largest current silences every neuron.
    let reports = try ThresholdCalibration(percentile: 100, scale: 2).run(network, on: batch)
    // The 99th percentile, 98: one sample of a hundred exceeds it.
    #expect(network.populations[0].threshold?.value.elements == [98, 196])
    #expect(reports[0].isRescaled && !reports[0].isSilent && abs(reports[0].rate - 0.01) < 1e-6)
  }

  @Test func layersWithoutPositiveCurrentAreReported() throws {
    let (network, batch) = try network(.channel)
    network.projections[0].weight.value = Tensor([1, 2], [-1, -1])
    let reports = try ThresholdCalibration().run(network, on: batch)
    #expect(reports[0].isRescaled && reports[0].isSilent && reports[0].rate == 0)
    #expect(
      network.populations[0].threshold?.value.elements
        == [Network.leastThreshold, Network.leastThreshold])
  }

  @Test func currentsThatAreNotNumbersAreRefused() throws {
    let (network, batch) = try network(.channel)
    network.projections[0].weight.value[0] = .nan
    #expect {
      _ = try ThresholdCalibration().run(network, on: batch)
    } throws: { "\($0)".contains("dense1") }
  }

  @Test func resultDoesNotDependOnShardsOrThreads() throws {
    let recipe = try ToyTask.recipe()
    let batch = ToyTask().trainingBatch(epoch: 0, index: 0)
    let thresholds = try [(1, 1), (5, 2), (16, 2)].map { shardSize, threads in
      let network = try ToyTask.network(recipe)
      _ = try ThresholdCalibration(shardSize: shardSize, threads: threads).run(network, on: batch)
      return network.populations.compactMap { $0.threshold?.value.elements }
    }
    #expect(thresholds[0] == thresholds[1] && thresholds[0] == thresholds[2])
  }
}
