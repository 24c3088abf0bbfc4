import TestMathematics
import Testing

@testable import Tensors

@Suite struct SumPoolTests {
  private func pooled(_ input: Tensor, _ side: Int) -> Tensor {
    sumPool(Variable(input), side: side, on: Tape()).value
  }

  @Test func addsWindowsChannelByChannel() {
    let image = Tensor([1, 2, 4, 2], (1...16).map(Float.init))
    // Channel 0 holds 1, 3, 5, … and channel 1 holds 2, 4, 6, …
    #expect(pooled(image, 2) == Tensor([1, 1, 2, 2], [1 + 3 + 9 + 11, 28, 40, 44]))
  }

  @Test func dropsRowsAndColumnsThatFillNoWindow() {
    let image = Tensor([1, 3, 5, 1], (1...15).map(Float.init))
    #expect(pooled(image, 2) == Tensor([1, 1, 2, 1], [1 + 2 + 6 + 7, 3 + 4 + 8 + 9]))
  }

  @Test func droppedCellsGetNoGradient() {
    let tape = Tape()
    let input = Variable(Tensor([1, 3, 3, 1]), needsGradient: true)
    tape.backward(from: sumPool(input, side: 2, on: tape))
    #expect(input.gradient?.elements == [1, 1, 0, 1, 1, 0, 0, 0, 0])
  }

  @Test func sideOneIsTheIdentity() {
    let image = Tensor([2, 2, 1, 3], (1...12).map(Float.init))
    #expect(pooled(image, 1) == image)
  }

  @Test(arguments: [(2, 6, 6, 3, 2), (3, 7, 8, 5, 3), (1, 4, 4, 17, 4), (2, 5, 9, 1, 2)])
  func equalsPlainLoops(images: Int, height: Int, width: Int, channels: Int, side: Int) {
    var random = RandomSource(seed: 1)
    let input = Tensor.randomIntegers(
      [images, height, width, channels], in: -255...255, using: &random)
    let sample = height * width * channels
    let expected = (0..<images).flatMap { image in
      NaiveLayers.sumPool(
        Array(input.elements[image * sample..<(image + 1) * sample]), height: height, width: width,
        channels: channels, side: side)
    }
    #expect(pooled(input, side).elements == expected)
  }

  @Test func stepsAndImagesAreMerged() {
    let sequence = Tensor([2, 3, 2, 2, 1], (0..<24).map(Float.init))
    #expect(pooled(sequence, 2) == Tensor([6, 1, 1, 1], [6, 22, 38, 54, 70, 86]))
  }

  @Test func isLinear() {
    var random = RandomSource(seed: 2)
    let a = Tensor.randomIntegers([1, 5, 4, 2], in: -9...9, using: &random)
    let b = Tensor.randomIntegers([1, 5, 4, 2], in: -9...9, using: &random)
    var sum = a
    sum.add(b)
    var expected = pooled(a, 2)
    expected.add(pooled(b, 2))
    #expect(pooled(sum, 2) == expected)
  }

  @Test func gradientEqualsDifferences() {
    var random = RandomSource(seed: 3)
    let input = Tensor.random([2, 5, 4, 3], in: -1...1, using: &random)
    // Linear: only rounding of sums of four.
    #expect(gradientError(of: [input], step: 1) { sumPool($0[0], side: 2, on: $1) } < 1e-6)
  }
}
