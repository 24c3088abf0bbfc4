import TestMathematics
import Testing
import Wiring

@testable import Tensors

@Suite struct ConvolutionTests {
  private func result(_ input: Tensor, _ weight: Tensor, _ geometry: Convolution) -> Tensor {
    convolution(Variable(input), weight: Variable(weight), geometry: geometry, on: Tape()).value
  }

  /// The kernel is laid on the image as it is written, neither flipped nor transposed.
  @Test func kernelKeepsItsOrientation() {
    var image = Tensor([1, 3, 3, 1])
    image[1 * 3 + 1] = 1
    let kernel = Tensor([1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9])
    let response = result(image, kernel, Convolution(kernel: 3, padding: 1))
    #expect(response == Tensor([1, 3, 3, 1], [9, 8, 7, 6, 5, 4, 3, 2, 1]))
  }

  @Test func strideTwoStartsInThePadding() {
    let image = Tensor([1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9])
    let ones = Tensor([1, 3, 3, 1], filledWith: 1)
    let sums = result(image, ones, Convolution(kernel: 3, stride: 2, padding: 1))
    #expect(sums == Tensor([1, 2, 2, 1], [12, 16, 24, 28]))
  }

  @Test func kernelOfOneMixesChannels() {
    let image = Tensor([1, 1, 2, 2], [1, 2, 3, 4])
    let weight = Tensor([2, 1, 1, 2], [1, 10, 100, 1000])
    #expect(
      result(image, weight, Convolution(kernel: 1))
        == Tensor([1, 1, 2, 2], [201, 2010, 403, 4030]))
  }

  struct Case: CustomTestStringConvertible {
    var images: Int
    var shape: Shape
    var outputs: Int
    var geometry: Convolution
    var testDescription: String { "\(images) of \(shape) onto \(outputs): \(geometry)" }

    init(
      images: Int, height: Int, width: Int, inputs: Int, outputs: Int, _ geometry: Convolution
    ) {
      self.images = images
      shape = Shape(channels: inputs, height: height, width: width)
      self.outputs = outputs
      self.geometry = geometry
    }

    init(
      images: Int, height: Int, width: Int, inputs: Int, outputs: Int, kernel: Int, stride: Int,
      padding: Int
    ) {
      self.init(
        images: images, height: height, width: width, inputs: inputs, outputs: outputs,
        Convolution(kernel: kernel, stride: stride, padding: padding))
    }
  }

  /// Channel counts around the library's blocks of 8 and 16, one input channel, extents that the stride
  /// does not divide, a kernel as large as the padded image, a height of 1, more padding than kernel,
  /// the limits of models/FORMAT.md, section 3, then other numbers by direction, dilation and groups.
  static let cases = [
    Case(images: 2, height: 5, width: 7, inputs: 1, outputs: 16, kernel: 3, stride: 1, padding: 1),
    Case(images: 3, height: 6, width: 5, inputs: 1, outputs: 5, kernel: 3, stride: 2, padding: 1),
    Case(images: 1, height: 8, width: 8, inputs: 16, outputs: 32, kernel: 3, stride: 1, padding: 1),
    Case(images: 2, height: 5, width: 5, inputs: 17, outputs: 3, kernel: 3, stride: 1, padding: 0),
    Case(images: 2, height: 7, width: 6, inputs: 3, outputs: 20, kernel: 5, stride: 2, padding: 2),
    Case(images: 1, height: 1, width: 9, inputs: 12, outputs: 24, kernel: 3, stride: 1, padding: 1),
    Case(images: 2, height: 3, width: 3, inputs: 2, outputs: 7, kernel: 5, stride: 1, padding: 1),
    Case(images: 1, height: 9, width: 9, inputs: 8, outputs: 8, kernel: 2, stride: 3, padding: 0),
    Case(images: 4, height: 4, width: 4, inputs: 33, outputs: 31, kernel: 1, stride: 1, padding: 0),
    Case(images: 2, height: 4, width: 3, inputs: 2, outputs: 8, kernel: 1, stride: 2, padding: 2),
    Case(images: 1, height: 4, width: 5, inputs: 3, outputs: 4, kernel: 3, stride: 1, padding: 5),
    Case(
      images: 1, height: 40, width: 33, inputs: 1, outputs: 2, kernel: 31, stride: 16, padding: 30),
    Case(
      images: 2, height: 1, width: 9, inputs: 3, outputs: 5,
      Convolution(y: .init(kernel: 1), x: .init(kernel: 5, padding: 2))),
    Case(
      images: 1, height: 7, width: 6, inputs: 2, outputs: 9,
      Convolution(
        y: .init(kernel: 3, stride: 2, padding: 1), x: .init(kernel: 2, padding: 3, dilation: 2))),
    Case(
      images: 2, height: 6, width: 5, inputs: 8, outputs: 8,
      Convolution(kernel: 3, padding: 2, dilation: 2, groups: 8)),
    Case(
      images: 2, height: 1, width: 12, inputs: 3, outputs: 6,
      Convolution(y: .init(kernel: 1), x: .init(kernel: 3, stride: 2, padding: 1), groups: 3)),
    Case(
      images: 1, height: 5, width: 5, inputs: 12, outputs: 18,
      Convolution(kernel: 3, padding: 1, groups: 2)),
    Case(
      images: 1, height: 9, width: 40, inputs: 4, outputs: 6,
      Convolution(
        y: .init(kernel: 2, dilation: 8), x: .init(kernel: 3, stride: 3, dilation: 16), groups: 2)),
  ]

  private func operands(
    _ c: Case, in range: ClosedRange<Int>, unit: Float = 1
  ) -> (image: Tensor, weight: Tensor) {
    var random = RandomSource(seed: 4)
    return (
      .randomIntegers(
        [c.images] + c.shape.extents, in: range, unit: unit, using: &random),
      .randomIntegers(
        [
          c.shape.channels, c.geometry.y.kernel, c.geometry.x.kernel,
          c.outputs / c.geometry.groups,
        ], in: range, unit: unit, using: &random)
    )
  }

  @Test(arguments: cases) func equalsPlainLoopsOnIntegers(_ c: Case) {
    let (image, weight) = operands(c, in: -127...127)
    let sample = c.shape.count
    let expected = (0..<c.images).flatMap { index in
      NaiveLayers.convolution(
        Array(image.elements[index * sample..<(index + 1) * sample]), c.shape,
        weight: weight.elements, outputs: c.outputs, c.geometry)
    }
    let found = result(image, weight, c.geometry)
    #expect(found.elements == expected)
  }

  /// The three passes of a bilinear map are one form: Σ g·(x∗w) = Σ x·∂x = Σ w·∂w, exact on integers.
  @Test(arguments: cases) func passesAreAdjoint(_ c: Case) {
    let (image, weight) = operands(c, in: -9...9)
    let tape = Tape()
    let input = Variable(image, needsGradient: true)
    let kernel = Variable(weight, needsGradient: true)
    let output = convolution(
      input, weight: kernel, geometry: c.geometry,
      on: tape)
    var random = RandomSource(seed: 5)
    let seed = Tensor.randomIntegers(output.shape, in: -9...9, using: &random)
    func dot(_ a: Tensor, _ b: Tensor?) -> Double? {
      b.map { zip(a.elements, $0.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
    }
    let form = dot(seed, output.value)
    tape.backward(from: output, seed: seed)
    #expect(dot(image, input.gradient) == form)
    #expect(dot(weight, kernel.gradient) == form)
  }

  @Test(arguments: [
    Case(images: 2, height: 4, width: 5, inputs: 1, outputs: 3, kernel: 3, stride: 1, padding: 1),
    Case(images: 1, height: 5, width: 4, inputs: 2, outputs: 3, kernel: 3, stride: 2, padding: 1),
    Case(images: 2, height: 3, width: 3, inputs: 3, outputs: 2, kernel: 2, stride: 1, padding: 0),
  ])
  func gradientsEqualDifferences(_ c: Case) {
    let (image, weight) = operands(c, in: -100...100, unit: 0.01)
    let geometry = c.geometry
    let error = gradientError(of: [image, weight], step: 1) {
      convolution($0[0], weight: $0[1], geometry: geometry, on: $1)
    }
    // Bilinear: only rounding of sums of up to 60 float products.
    #expect(error < 2e-6)
  }

  @Test func permutingOutputChannelsPermutesTheResult() {
    let c = Case(
      images: 1, height: 4, width: 4, inputs: 3, outputs: 6, kernel: 3, stride: 1, padding: 1)
    let (image, weight) = operands(c, in: -9...9)
    let order = [3, 0, 5, 1, 4, 2]
    func permuted(_ tensor: Tensor) -> Tensor {
      Tensor(tensor.shape, tensor.elements.indices.map { tensor[$0 / 6 * 6 + order[$0 % 6]] })
    }
    let geometry = Convolution(kernel: 3, padding: 1)
    #expect(
      result(image, permuted(weight), geometry) == permuted(result(image, weight, geometry)))
  }
}
