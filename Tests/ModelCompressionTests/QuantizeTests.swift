import Tensors
import TestMathematics
import Testing

@testable import ModelCompression

/// Codes and gradients of learned step sizes.
@Suite struct QuantizeTests {
  private func codes(_ weights: [Float], step: [Float], _ bits: WeightBits) -> [Float] {
    let columns = step.count
    return quantize(
      Variable(Tensor([weights.count / columns, columns], weights)),
      step: Variable(Tensor([columns], step)), bits: bits, on: Tape()
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
    let output = quantize(weights, step: steps, bits: bits, on: tape)
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
    let output = quantize(weight, step: step, bits: .four, on: tape)
    #expect(output.value.elements == [1, -1, 7, -7])
    tape.backward(from: output, seed: Tensor([4, 1], [1, 1, 1, 2]))
    #expect(weight.gradient?.elements == [2, 2, 0, 0])
    // 2·((1 − 1.2) + (−1 + 0.8) + 7 − 2·7) / √(4·7)
    let expected = 2 * (-0.2 - 0.2 + 7 - 14) / 28.0.squareRoot()
    #expect(relativeDifference(step.gradient?.elements ?? [], [expected]) < 1e-6)
  }

  @Test func constantsRecordNothing() {
    let output = quantize(
      Variable(Tensor([1, 1], [1])), step: Variable(Tensor([1], [1])), bits: .four, on: Tape())
    #expect(!output.needsGradient)
  }

  // MARK: Initial steps

  @Test func stepsStartAtTwiceTheMeanOverTheRootOfTheLimit() {
    let weight = Tensor([2, 2], [1, -3, -2, 0])
    // Q = 7; the 0 is taken as pruned: means 1.5 and 3 by channel, 2 over all.
    let root = 7.0.squareRoot()
    #expect(
      relativeDifference(
        initialSteps(weight, bits: .four, perChannel: true).elements, [3 / root, 6 / root]) < 1e-6)
    #expect(
      relativeDifference(
        initialSteps(weight, bits: .four, perChannel: false).elements, [4 / root]) < 1e-6)
    #expect(initialSteps(weight, bits: .ternary, perChannel: true).elements == [3, 6])
  }

  @Test func aChannelWithoutWeightsTakesTheMeanOfTheLayer() {
    let steps = initialSteps(Tensor([2, 3], [1, 0, 4, 3, 0, 0]), bits: .ternary, perChannel: true)
    #expect(relativeDifference(steps.elements, [4, 16.0 / 3, 8]) < 1e-6)
  }

  @Test func aLayerWithoutWeightsHasALeastStep() {
    for perChannel in [true, false] {
      let steps = initialSteps(Tensor([2, 2]), bits: .eight, perChannel: perChannel)
      #expect(steps.elements.allSatisfy { $0 == Quantizer.leastStep })
    }
  }
}
