import Tensors
import TestMathematics
import Testing
import Wiring

@testable import ModelCompression

/// Codes and gradients of learned step sizes.
@Suite struct QuantizeTests {
  private func codes(_ weights: [Float], step: [Float], _ bits: WeightBits) -> [Float] {
    let columns = step.count
    let shape = [weights.count / columns, columns]
    return quantize(
      Variable(Tensor(shape, weights)), step: Variable(Tensor([columns], step)),
      layout: layout(shape, channels: columns), bits: bits, on: Tape()
    ).value.elements
  }

  // MARK: Codes

  @Test func halvesGoToTheEvenCode() {
    #expect(
      codes([0.25, 0.75, 1.25, 1.75, -0.25, -0.75, -1.25, -1.75], step: [0.5], .four)
        == [0, 2, 2, 4, 0, -2, -2, -4])
  }

  @Test func codesAreClampedSymmetrically() {
    #expect(codes([3.4, 3.6, 99, -3.6, -99], step: [0.5], .four) == [7, 7, 7, -7, -7])
    #expect(
      codes([126, 127.4, 128, -128, -1e9], step: [1], .eight) == [126, 127, 127, -127, -127])
  }

  @Test func ternaryCodesAreMinusOneZeroAndOne() {
    #expect(
      codes([-9, -0.6, -0.5, -0.4, 0, 0.5, 0.51, 2], step: [1], .ternary)
        == [-1, -1, 0, 0, 0, 0, 1, 1])
  }

  @Test func everyChannelHasItsStep() {
    #expect(codes([1, 1, 1, -3, -3, -3], step: [1, 0.5, 4], .four) == [1, 2, 0, -3, -6, -1])
  }

  @Test(arguments: 2...8)
  func everyWidthHasItsLargestCode(width: Int) throws {
    let bits = try #require(WeightBits(rawValue: width))
    let limit = Float([1, 3, 7, 15, 31, 63, 127][width - 2])
    #expect(Float(bits.limit) == limit)
    #expect(
      codes([1e6, -1e6, limit, -limit - 1], step: [1], bits) == [limit, -limit, limit, -limit])
  }

  @Test func otherWidthsDoNotExist() {
    for width in [-1, 0, 1, 9, 64] { #expect(WeightBits(rawValue: width) == nil) }
    #expect([WeightBits.eight, .four, .ternary].map(\.rawValue) == [8, 4, 2])
  }

  /// The rounding of the kernel, by adding and taking away 1.5 · 2^23, on every quarter of its
  /// range.
  @Test func roundingIsToNearestEven() {
    for quarter in -600...600 {
      let value = Float(quarter) / 4
      let found = QuantizeKernel.rounded(value)
      #expect(found == value.rounded(.toNearestOrEven), "\(value)")
    }
    #expect(QuantizeKernel.rounded(0.499_999_97) == 0)
    #expect(QuantizeKernel.rounded(Float(126.5).nextUp) == 127)
  }

  // MARK: Gradients

  /// Esser et al., equations 1 to 3, of one weight: ∂ŵ/∂w and ∂ŵ/∂Δ.
  private func slopes(_ weight: Double, _ step: Double, limit: Double) -> (Double, Double) {
    let scaled = weight / step
    if scaled < -limit { return (0, -limit) }
    if scaled > limit { return (0, limit) }
    return (1, scaled.rounded(.toNearestOrEven) - scaled)
  }

  @Test(arguments: 2...8, [true, false])
  func gradientsAreThoseOfThePaper(width: Int, perChannel: Bool) throws {
    let bits = try #require(WeightBits(rawValue: width))
    let (rows, columns) = (37, 5)
    var random = RandomSource(seed: UInt64(width))
    let weight = Tensor.random([rows, columns], in: -2...2, using: &random)
    let reach = 1.5 / Double(bits.limit)
    let step = Tensor.random([perChannel ? columns : 1], in: reach...1.5 * reach, using: &random)
    let arriving = Tensor.random([rows, columns], in: -1...1, using: &random)
    let tape = Tape()
    let weights = Variable(weight, needsGradient: true)
    let steps = Variable(step, needsGradient: true)
    let output = quantize(
      weights, step: steps, layout: layout([rows, columns], channels: step.count), bits: bits,
      on: tape)
    tape.backward(from: output, seed: arriving)

    let limit = Double(bits.limit)
    var weightGradients: [Double] = []
    var stepGradients = [Double](repeating: 0, count: step.count)
    for index in 0..<rows * columns {
      let channel = index % step.count
      // What arrives is the gradient of the code; over Δ it is that of ŵ.
      let real = Double(arriving[index]) / Double(step[channel])
      let slope = slopes(Double(weight[index]), Double(step[channel]), limit: limit)
      weightGradients.append(real * slope.0)
      stepGradients[channel] += real * slope.1
    }
    let scale = 1 / (Double(rows * columns / step.count) * limit).squareRoot()
    // A few roundings each; a step's is a sum of up to 185 terms of like size.
    #expect(relativeDifference(weights.gradient?.elements ?? [], weightGradients) < 1e-6)
    #expect(
      relativeDifference(steps.gradient?.elements ?? [], stepGradients.map { $0 * scale }) < 2e-5)
  }

  @Test func gradientsByHand() {
    let tape = Tape()
    let weight = Variable(Tensor([4, 1], [0.6, -0.4, 5, -5]), needsGradient: true)
    let step = Variable(Tensor([1], [0.5]), needsGradient: true)
    let output = quantize(
      weight, step: step, layout: layout([4, 1], channels: 1), bits: .four, on: tape)
    #expect(output.value.elements == [1, -1, 7, -7])
    tape.backward(from: output, seed: Tensor([4, 1], [1, 1, 1, 2]))
    #expect(weight.gradient?.elements == [2, 2, 0, 0])
    // 2·((1 − 1.2) + (−1 + 0.8) + 7 − 2·7) / √(4·7)
    let expected = 2 * (-0.2 - 0.2 + 7 - 14) / 28.0.squareRoot()
    #expect(relativeDifference(step.gradient?.elements ?? [], [expected]) < 1e-6)
  }

  @Test func constantsRecordNothing() {
    let output = quantize(
      Variable(Tensor([1, 1], [1])), step: Variable(Tensor([1], [1])),
      layout: layout([1, 1], channels: 1), bits: .four, on: Tape())
    #expect(!output.needsGradient)
  }

  // MARK: Initial steps

  /// The steps of dense weights, by channel or one in all.
  private func steps(_ weight: Tensor, _ bits: WeightBits, perChannel: Bool) -> [Float] {
    let count = perChannel ? weight.shape[1] : 1
    return initialSteps(
      weight, layout: layout(weight.shape, channels: count), count: count, bits: bits
    ).elements
  }

  @Test func stepsStartAtTwiceTheMeanOverTheRootOfTheLimit() {
    let weight = Tensor([2, 2], [1, -3, -2, 0])
    // Q = 7; the 0 is taken as pruned: means 1.5 and 3 by channel, 2 over all.
    let root = 7.0.squareRoot()
    #expect(
      relativeDifference(
        steps(weight, .four, perChannel: true), [3 / root, 6 / root]) < 1e-6)
    #expect(relativeDifference(steps(weight, .four, perChannel: false), [4 / root]) < 1e-6)
    #expect(steps(weight, .ternary, perChannel: true) == [3, 6])
  }

  @Test func aChannelWithoutWeightsTakesTheMeanOfTheLayer() {
    let steps = steps(Tensor([2, 3], [1, 0, 4, 3, 0, 0]), .ternary, perChannel: true)
    #expect(relativeDifference(steps, [4, 16.0 / 3, 8]) < 1e-6)
  }

  @Test func aLayerWithoutWeightsHasALeastStep() {
    for perChannel in [true, false] {
      let steps = steps(Tensor([2, 2]), .eight, perChannel: perChannel)
      #expect(steps.allSatisfy { $0 == QuantizedArithmetic.leastStep })
    }
  }

  // MARK: Grouped convolutions

  /// Two taps of a convolution in three groups, 2 × 3 kernel, 3 sources and 6 targets: by plain
  /// loops over tap, source, row, column of the kernel and target of the group.
  private let grouped = (
    topology: Topology.convolution(
      Convolution(y: .init(kernel: 2), x: .init(kernel: 3), groups: 3)), shape: [2, 3, 2, 3, 2]
  )

  private func groupedChannels() -> [Int] {
    var channels: [Int] = []
    for _ in 0..<2 {
      for source in 0..<3 {
        for _ in 0..<2 * 3 { for column in 0..<2 { channels.append(source * 2 + column) } }
      }
    }
    return channels
  }

  @Test func aGroupedConvolutionHasStepsByChannel() {
    var random = RandomSource(seed: 11)
    let weight = Tensor.random(grouped.shape, in: -1...1, using: &random)
    let layout = layout(grouped.shape, grouped.topology, taps: 2, channels: 6)
    let channels = groupedChannels()
    let found = initialSteps(weight, layout: layout, count: 6, bits: .four)
    let expected = (0..<6).map { channel in
      let own = weight.elements.indices.filter { channels[$0] == channel }
      #expect(own.count == 12)
      return 2 * own.map { Double(abs(weight[$0])) }.reduce(0, +) / 12 / 7.0.squareRoot()
    }
    #expect(relativeDifference(found.elements, expected) < 1e-6)
  }

  @Test func aGroupedConvolutionIsQuantisedByChannel() {
    var random = RandomSource(seed: 12)
    let weight = Tensor.random(grouped.shape, in: -2...2, using: &random)
    let arriving = Tensor.random(grouped.shape, in: -1...1, using: &random)
    let steps: [Float] = [0.125, 0.25, 0.5, 0.0625, 1, 0.375]
    let channels = groupedChannels()
    let tape = Tape()
    let weights = Variable(weight, needsGradient: true)
    let step = Variable(Tensor([6], steps), needsGradient: true)
    let output = quantize(
      weights, step: step, layout: layout(grouped.shape, grouped.topology, taps: 2, channels: 6),
      bits: .four, on: tape)
    var weightGradients: [Double] = []
    var stepGradients = [Double](repeating: 0, count: 6)
    for (index, channel) in channels.enumerated() {
      let scaled = weight[index] / steps[channel]
      #expect(output.value[index] == min(max(scaled.rounded(.toNearestOrEven), -7), 7))
      let slope = slopes(Double(weight[index]), Double(steps[channel]), limit: 7)
      let real = Double(arriving[index]) / Double(steps[channel])
      weightGradients.append(real * slope.0)
      stepGradients[channel] += real * slope.1
    }
    tape.backward(from: output, seed: arriving)
    let scale = 1 / (12 * 7.0).squareRoot()
    #expect(relativeDifference(weights.gradient?.elements ?? [], weightGradients) < 1e-6)
    #expect(
      relativeDifference(step.gradient?.elements ?? [], stepGradients.map { $0 * scale }) < 2e-5)
  }
}
