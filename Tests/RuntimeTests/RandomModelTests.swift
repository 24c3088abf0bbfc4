import Evaluation
import Foundation
import ModelFixtures
import ModelFormat
import Testing

/// The reference simulator and the C runtime on random models: every spike, membrane and counter.
@Suite struct RandomModelTests {
  /// How many models are drawn; `SNN_LONG_TESTS=1` raises it.
  static let count =
    ProcessInfo.processInfo.environment["SNN_LONG_TESTS"] == "1" ? 10_000 : 2_000
  static let inputsPerModel = 3

  static let seeds: [Range<Int>] = {
    let part = count / 8
    return (0..<8).map { $0 * part..<($0 + 1) * part }
  }()

  @Test(arguments: seeds) func everyEngineComputesTheSameIntegers(_ seeds: Range<Int>) throws {
    for seed in seeds {
      let model = RandomModels.model(seed: UInt64(seed))
      let loaded = try SessionModel(model)
      let report = try EngineCheck(loaded).run(count: Self.inputsPerModel, threads: 1) {
        RandomModels.input(for: model, seed: UInt64(seed * Self.inputsPerModel + $0))
      }
      #expect(report.isEqual, "seed \(seed): \(report.text)")
      if !report.isEqual { return }
    }
  }

  @Test(arguments: seeds) func forecastIsWhatTheRuntimeCounts(_ seeds: Range<Int>) throws {
    for seed in seeds {
      let model = RandomModels.model(seed: UInt64(seed))
      let session = try Session(SessionModel(model))
      let forecast = Forecast(for: model)
      let input = RandomModels.input(for: model, seed: UInt64(seed))
      let (inference, history) = try session.runKeepingSpikes(input)
      var counted = inference.counters
      for index in counted.populations.indices { counted.populations[index].saturations = 0 }
      #expect(forecast.counters(of: history) == counted, "seed \(seed)")
      if forecast.counters(of: history) != counted { return }
    }
  }

  @Test(arguments: seeds) func theRuntimeTakesThePathTheBoundsAllow(_ seeds: Range<Int>) throws {
    var taken: [ModelBounds.Path: Int] = [:]
    for seed in seeds {
      let model = RandomModels.model(seed: UInt64(seed))
      let session = try Session(SessionModel(model))
      for (index, population) in try model.validate().populations.enumerated() {
        #expect(session.path(of: index) == population.path, "seed \(seed), population \(index)")
        taken[population.path, default: 0] += 1
      }
    }
    for path in [ModelBounds.Path.membrane16, .accumulator16, .accumulator32, .membrane32] {
      #expect(taken[path, default: 0] >= 10, "\(path) came up \(taken[path, default: 0]) times")
    }
  }
}
