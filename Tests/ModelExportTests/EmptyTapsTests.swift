import ModelExport
import ModelFixtures
import ModelFormat
import Testing
import Wiring

/// Removing taps without weights changes nothing that is computed.
@Suite struct EmptyTapsTests {
  /// Of the four taps of the first projection those in `used` have weights.
  private func model(delay: Int = 1, tapStep: Int = 3, used: Set<Int>) -> Model {
    TinyModels.chain(
      input: InputPort(name: "in", shape: Shape(channels: 2), kind: .events(.once)),
      hidden: Population(
        name: "hidden", shape: Shape(channels: 2), kind: .lif(Population.LIF(threshold: 2))),
      first: Projection(
        name: "late", from: .input(0), to: 0, delay: delay, taps: 4, tapStep: tapStep,
        topology: .dense,
        weights: WeightMatrix(
          rows: 8, columns: 2,
          values: (0..<4).flatMap { tap -> [Int8] in
            used.contains(tap) ? [3, -1, 1, Int8(tap)] : [0, 0, 0, 0]
          })))
  }

  @Test(arguments: [
    ([0, 1, 2, 3], 1, 4, 3), ([1, 2], 4, 2, 3), ([0, 2], 1, 3, 3), ([3], 10, 1, 1), ([], 1, 1, 1),
  ])
  func outerTapsGo(_ used: [Int], _ delay: Int, _ taps: Int, _ tapStep: Int) throws {
    let whole = model(used: Set(used))
    let shorter = removingEmptyTaps(from: whole)
    try shorter.validate()
    let late = shorter.projections[0]
    #expect(late.delay == delay && late.taps == taps && late.tapStep == tapStep)
    var (before, after) = (try ReferenceSimulator(whole), try ReferenceSimulator(shorter))
    for seed in 0..<4 as Range<UInt64> {
      let input = RandomModels.input(for: whole, seed: seed)
      var (expected, found) = ([StepRecord](), [StepRecord]())
      let scores = try before.run(input) { expected.append($0) }.scores
      #expect(try after.run(input) { found.append($0) }.scores == scores)
      #expect(found == expected)
    }
  }

  @Test func aDelayStaysWritable() throws {
    let shorter = removingEmptyTaps(from: model(delay: 250, tapStep: 4, used: [3]))
    try shorter.validate()
    #expect(shorter.projections[0].delay == 254)
    #expect(shorter.projections[0].taps == 3)
  }
}
