import Tensors

/// What the machine's matrix product reaches, measured beside everything that is held against it.
enum MachineLimits {
  static let side = 1024

  /// Operations (two per multiply-add) a second of a `side`³ product on each of `threads` threads at once.
  static func matrixProductRate(threads: Int) -> Double {
    let clock = Stopwatch()
    Parallel.forEach(threads, threads: threads) { _ in
      let factor = Variable(Tensor([side, side], filledWith: 1))
      _ = linear(factor, weight: factor, rows: side, on: Tape())
    }
    return 2 * Double(threads * side * side * side) / clock.duration(threads: threads)
  }
}
