import Tensors

extension Tensor {
  /// Numbers drawn uniformly from `range`.
  public static func random(
    _ shape: [Int], in range: ClosedRange<Double>, using random: inout RandomSource
  ) -> Tensor {
    Tensor(shape, (0..<shape.reduce(1, *)).map { _ in Float(random.uniform(range)) })
  }

  /// Whole multiples of `unit` drawn uniformly from `range`. With `unit` a power of two, sums and
  /// products of few of them are exact.
  public static func randomIntegers(
    _ shape: [Int], in range: ClosedRange<Int>, unit: Float = 1, using random: inout RandomSource
  ) -> Tensor {
    let width = range.upperBound - range.lowerBound + 1
    return Tensor(
      shape,
      (0..<shape.reduce(1, *)).map { _ in
        Float(range.lowerBound + random.integer(below: width)) * unit
      })
  }
}
