import Foundation
import ModelFixtures
import ModelFormat
import Testing

@testable import ModelExport

/// The training-time forward pass on random models of the format: every topology, delay, port, reset and
/// parameter. Its integers are the reference simulator's, or the model is refused by name.
///
/// `SNN_LONG_TESTS=1` runs 10,000 models in place of 2,000.
@Suite struct RandomGraphTests {
  private static let count: UInt64 =
    ProcessInfo.processInfo.environment["SNN_LONG_TESTS"] == "1" ? 10_000 : 2_000

  @Test func theForwardPassEqualsTheReferenceOnEveryGraph() throws {
    var refused = 0
    var recurrent = 0
    var severalPorts = 0
    for seed in 0..<Self.count {
      let model = RandomModels.model(seed: seed)
      let engine: TrainingEngine
      do {
        engine = try TrainingEngine(model)
      } catch is TrainingEngineError {
        refused += 1
        continue
      }
      let input = RandomModels.input(for: model, seed: seed)
      var reference = try ReferenceSimulator(model)
      var expected: [StepRecord] = []
      var found: [StepRecord] = []
      let answer = try reference.run(input) { expected.append($0) }
      let given = engine.run(input) { found.append($0) }
      let difference = FirstDifference.between(
        expected: expected, found: found, sample: Int(seed))
      #expect(difference == nil, "seed \(seed): \(difference.map { "\($0)" } ?? "")")
      #expect(given.scores == answer.scores, "seed \(seed)")
      #expect(given.counters.populations == answer.counters.populations, "seed \(seed)")
      let graph = model.graph
      recurrent += graph.components().contains(where: graph.isRecurrent) ? 1 : 0
      severalPorts += model.inputs.count > 1 ? 1 : 0
    }
    print(
      "\(Self.count) random graphs: \(recurrent) recurrent, \(severalPorts) of several ports, "
        + "\(refused) refused")
    // A case that never came up was not tested.
    #expect(recurrent > Int(Self.count) / 20)
    #expect(severalPorts > Int(Self.count) / 20)
    #expect(refused < Int(Self.count) / 20)
  }
}
