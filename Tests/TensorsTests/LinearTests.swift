import TestMathematics
import Testing

@testable import Tensors

@Suite struct LinearTests {
  private func product(_ input: Tensor, _ weight: Tensor, rows: Int) -> Tensor {
    linear(Variable(input), weight: Variable(weight), rows: rows, on: Tape()).value
  }

  @Test func rowsOfTheWeightBelongToTheInputs() {
    let weight = Tensor([2, 3], [1, 2, 3, 10, 20, 30])
    let result = product(Tensor([2, 2], [1, 0, 2, 1]), weight, rows: 2)
    #expect(result == Tensor([2, 3], [1, 2, 3, 12, 24, 36]))
  }

  @Test func imagesAreReadAsFlatRows() {
    let image = Tensor([1, 2, 2, 1], [1, 2, 3, 4])
    let result = product(image, Tensor([4, 1], [1, 10, 100, 1000]), rows: 1)
    #expect(result.elements == [4321])
  }

  @Test func oneByOneByOneIsAProduct() {
    #expect(product(Tensor([1], [3]), Tensor([1, 1], [-2]), rows: 1).elements == [-6])
  }

  /// Sums below 2^24 of integers are exact in any order of summation.
  @Test(arguments: [(1, 1, 7), (5, 33, 1), (3, 17, 19), (64, 100, 10)])
  func equalsPlainLoopsOnIntegers(rows: Int, inner: Int, columns: Int) {
    var random = RandomSource(seed: 1)
    let input = Tensor.randomIntegers([rows, inner], in: -100...100, using: &random)
    let weight = Tensor.randomIntegers([inner, columns], in: -127...127, using: &random)
    let expected = (0..<rows).flatMap { row in
      NaiveLayers.dense(
        Array(input.elements[row * inner..<(row + 1) * inner]), weight: weight.elements,
        outputs: columns)
    }
    #expect(product(input, weight, rows: rows).elements == expected)
  }

  @Test func isLinearInItsInput() {
    var random = RandomSource(seed: 2)
    let weight = Tensor.randomIntegers([6, 4], in: -9...9, using: &random)
    let a = Tensor.randomIntegers([3, 6], in: -9...9, using: &random)
    let b = Tensor.randomIntegers([3, 6], in: -9...9, using: &random)
    var sum = a.map { 2 * $0 }
    sum.add(b)
    var expected = product(a, weight, rows: 3).map { 2 * $0 }
    expected.add(product(b, weight, rows: 3))
    #expect(product(sum, weight, rows: 3) == expected)
  }

  @Test func gradientsEqualDifferences() {
    var random = RandomSource(seed: 3)
    let input = Tensor.random([3, 5], in: -1...1, using: &random)
    let weight = Tensor.random([5, 4], in: -1...1, using: &random)
    let error = gradientError(of: [input, weight], step: 1) {
      linear($0[0], weight: $0[1], rows: 3, on: $1)
    }
    // Sums of five float products: a few roundings of 6e-8.
    #expect(error < 1e-6)
  }

  @Test func inputsWithoutNeedGetNoGradient() {
    let tape = Tape()
    let input = Variable(Tensor([1, 2], [1, 2]))
    let weight = Variable(Tensor([2, 1], [3, 4]), needsGradient: true)
    tape.backward(from: linear(input, weight: weight, rows: 1, on: tape))
    #expect(input.gradient == nil)
    #expect(weight.gradient == Tensor([2, 1], [1, 2]))
  }
}
