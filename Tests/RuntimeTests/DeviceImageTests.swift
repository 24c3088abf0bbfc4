import Foundation
import ModelExport
import ModelFixtures
import ModelFormat
import Testing

/// Device images in the firmware engine against the reference simulator: every spike, membrane and
/// operation.
@Suite struct DeviceImageTests {
  static let inputsPerModel = 3

  /// A random model with events that merge, and in every second one few enough steps to go layer
  /// by layer; nil where that breaks a bound or the engine does not run it.
  static func model(seed: Int) throws -> Model? {
    var model = RandomModels.model(seed: UInt64(seed))
    for index in model.inputs.indices {
      if case .events = model.inputs[index].kind { model.inputs[index].kind = .events(.once) }
    }
    if seed % 2 == 0 { model.maximumSteps = min(model.maximumSteps, 12) }
    return (try? model.validate()) == nil ? nil : model
  }

  @Test(arguments: RandomModelTests.seeds)
  func imagesComputeTheSameIntegers(_ seeds: Range<Int>) throws {
    var images = 0
    for seed in seeds {
      guard let model = try Self.model(seed: seed) else { continue }
      do {
        let preference = DevicePreference.allCases[seed / 2 % 2]
        let image = try DeviceImage(model, preferring: preference)
        images += 1
        try Self.compare(image, of: model, seed: seed)
      } catch is DeviceImageError {
        continue
      }
    }
    #expect(images > seeds.count / 10, "\(images) of \(seeds.count)")
  }

  static func compare(_ image: DeviceImage, of model: Model, seed: Int) throws {
    let engine = try DeviceEngine(image, of: model)
    var reference = try ReferenceSimulator(model)
    for sample in 0..<inputsPerModel {
      let input = RandomModels.input(for: model, seed: UInt64(seed * inputsPerModel + sample))
      var expected = DeviceEngine.Answer()
      let inference = try reference.run(input) { expected.steps.append($0) }
      expected.scores = inference.scores
      expected.saturations = inference.counters.populations.map(\.saturations)
      expected.operations = inference.counters.projections.map { $0.synops + $0.macs }
      let found = try engine.observe(input)
      #expect(found.scores == expected.scores, "seed \(seed), sample \(sample)")
      #expect(found.steps == expected.steps, "seed \(seed), sample \(sample)")
      #expect(found.saturations == expected.saturations, "seed \(seed), sample \(sample)")
      #expect(found.operations == expected.operations, "seed \(seed), sample \(sample)")
      #expect(try engine.run(input) == expected.scores, "seed \(seed), sample \(sample), alone")
      #expect(engine.isInsideArena, "seed \(seed), sample \(sample)")
    }
  }
}
