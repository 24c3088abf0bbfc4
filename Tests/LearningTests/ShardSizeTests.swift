import Spiking
import Tensors
import Testing
import Wiring

@testable import Learning

@Suite struct ShardSizeTests {
  private func network(_ architecture: String, side: Int, steps: Int) throws -> Network {
    try Network(
      name: "test", architecture: Architecture(architecture),
      input: .bytes(Shape(channels: 1, height: side, width: side), scale: 1), classes: 10,
      steps: steps, neurons: NeuronConfiguration(), random: RandomSource(seed: 1))
  }

  /// 16·28² neurons over 5 steps are 245 KiB, over 20 steps 980 KiB, over 80 steps 3.8 MiB.
  @Test(arguments: [(5, 8), (20, 2), (80, 1)])
  func theLargestLayerStaysInCache(steps: Int, expected: Int) throws {
    let network = try network("16C3-P2-8C3-10", side: 28, steps: steps)
    #expect(network.shardSize(batchSize: 64) == expected)
  }

  @Test(arguments: [(1, 1), (7, 1), (8, 2), (16, 4), (64, 16), (1000, 16)])
  func smallNetworksShareABatchAmongFour(batch: Int, expected: Int) throws {
    #expect(try network("32-10", side: 4, steps: 4).shardSize(batchSize: batch) == expected)
  }

  @Test func aStepWithoutASizeTakesTheRules() throws {
    let network = try network("32-10", side: 4, steps: 4)
    let batch = TrainingBatch(
      values: (0..<16 * 16).map { UInt8($0 % 7) }, labels: (0..<16).map { $0 % 10 })
    let ruled = GradientStep(loss: Loss()).gradients(network, batch).gradients
    let named = GradientStep(loss: Loss(), shardSize: 4).gradients(network, batch).gradients
    #expect(ruled == named)
  }
}
