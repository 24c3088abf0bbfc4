import Tensors

extension RandomSource {
  /// The numbers 0..<count in a random order (Fisher-Yates, from the end), every order equally
  /// likely.
  mutating func permutation(of count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, integer(below: last + 1))
    }
    return order
  }
}
