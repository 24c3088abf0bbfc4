import Testing

@testable import Tensors

@Suite struct RandomSourceTests {
  @Test func sameSeedGivesSameSequence() {
    var first = RandomSource(seed: 7)
    var second = RandomSource(seed: 7)
    for _ in 0..<100 { #expect(first.next() == second.next()) }
  }

  /// The first outputs for seed 0, computed with the authors' published C code of both generators.
  @Test func sequenceIsTheSpecifiedOne() {
    var source = RandomSource(seed: 0)
    #expect(source.next() == 0x99EC_5F36_CB75_F2B4)
    #expect(source.next() == 0xBF6E_1F78_4956_452A)
  }

  @Test func splitsDifferByKeyAndLeaveTheSourceAlone() {
    let source = RandomSource(seed: 1)
    var a = source.split(0)
    var b = source.split(1)
    var again = source.split(0)
    let first = a.next()
    #expect(first != b.next())
    #expect(first == again.next())
  }

  @Test func uniformStaysInsideTheUnitInterval() {
    var source = RandomSource(seed: 2)
    var mean = 0.0
    for _ in 0..<10_000 {
      let value = source.uniform()
      #expect(value >= 0 && value < 1)
      mean += value / 10_000
    }
    // Standard error of the mean is 0.0029; six of them.
    #expect(abs(mean - 0.5) < 0.018)
  }

  @Test func normalHasUnitVariance() {
    var source = RandomSource(seed: 3)
    var square = 0.0
    for _ in 0..<10_000 {
      let value = source.normal()
      square += value * value / 10_000
    }
    // The variance of the square is 2, so its standard error is 0.0141; six of them.
    #expect(abs(square - 1) < 0.085)
  }
}
