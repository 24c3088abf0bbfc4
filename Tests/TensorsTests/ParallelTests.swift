import Synchronization
import TestMathematics
import Testing
import Wiring

@testable import Tensors

@Suite struct ParallelTests {
  @Test(arguments: [1, 2, 3, 16], [0, 1, 2, 7, 100])
  func resultsStandInTheOrderOfThePieces(threads: Int, pieces: Int) {
    #expect(
      Parallel.map(pieces, threads: threads) { $0 * $0 } == (0..<pieces).map { $0 * $0 })
  }

  @Test func everyPieceIsVisitedOnce() {
    let visits = Mutex([Int](repeating: 0, count: 200))
    Parallel.forEach(200, threads: 4) { piece in visits.withLock { $0[piece] += 1 } }
    #expect(visits.withLock { $0.allSatisfy { $0 == 1 } })
  }

  @Test func piecesMayYieldOptionals() {
    #expect(Parallel.map(3, threads: 2) { $0 == 1 ? nil : $0 } == [0, nil, 2])
  }

  /// Products and convolutions of floats, where another order of summation would show.
  @Test func kernelsDoNotDependOnTheNumberOfThreads() {
    func results(threads: Int) -> [[Float]] {
      Parallel.map(6, threads: threads) { piece in
        var random = RandomSource(seed: UInt64(piece))
        let tape = Tape()
        let image = Variable(Tensor.random([4, 9, 9, 5], in: -1...1, using: &random))
        let kernel = Variable(
          Tensor.random([5, 3, 3, 16], in: -1...1, using: &random), needsGradient: true)
        let matrix = Variable(
          Tensor.random([9 * 9 * 16, 7], in: -1...1, using: &random), needsGradient: true)
        let maps = convolution(
          image, weight: kernel, geometry: Convolution(kernel: 3, padding: 1), on: tape)
        let output = linear(maps, weight: matrix, rows: 4, on: tape)
        tape.backward(from: output)
        return output.value.elements + (kernel.gradient?.elements ?? [])
          + (matrix.gradient?.elements ?? [])
      }
    }
    #expect(results(threads: 1) == results(threads: 3))
  }
}
