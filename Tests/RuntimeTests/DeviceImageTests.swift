import Foundation
import ModelExport
import ModelFixtures
import ModelFormat
import SNNDevice
import Testing
import Wiring

/// Device images in the firmware engine against the reference simulator: every spike, membrane and
/// operation.
@Suite struct DeviceImageTests {
  static let inputsPerModel = 3

  /// A random model, every second one of few enough steps to go layer by layer; nil where that breaks
  /// a bound.
  static func model(seed: Int) throws -> Model? {
    var model = RandomModels.model(seed: UInt64(seed))
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
        try Self.compare(image, of: model, "seed \(seed)") { sample in
          RandomModels.input(for: model, seed: UInt64(seed * Self.inputsPerModel + sample))
        }
      } catch is DeviceImageError {
        continue
      }
    }
    #expect(images > seeds.count / 5, "\(images) of \(seeds.count)")
  }

  @Test(arguments: WideModelTests.widths) func widthsComputeTheSameIntegers(_ width: Int) throws {
    for path in [ModelBounds.Path.membrane16, .accumulator16, .accumulator32] {
      for hasValues in [false, true] {
        let seed = UInt64(width * 10) + (hasValues ? 1 : 0)
        let model = WideModelTests.model(width: width, path: path, hasValues: hasValues, seed: seed)
        for preference in DevicePreference.allCases {
          let image = try DeviceImage(model, preferring: preference)
          try Self.compare(image, of: model, "width \(width), \(path), \(hasValues)") { sample in
            WideModelTests.input(for: model, seed: seed + UInt64(sample))
          }
        }
      }
    }
  }

  @Test func refractoryStepsPassWhileNothingArrives() throws {
    // A spike resets to 0, and the next events come when three steps have passed.
    let model = TinyModels.chain(
      input: InputPort(name: "in", shape: Shape(channels: 1), kind: .events(.once)),
      hidden: Population(
        name: "hidden", shape: Shape(channels: 1),
        kind: .lif(Population.LIF(threshold: 1, reset: .zero, refractorySteps: 3))),
      first: Projection(
        name: "first", from: .input(0), to: 0, topology: .dense,
        weights: WeightMatrix(rows: 1, columns: 1, values: [2])))
    let events: [[UInt32]] = [[0], [], [], [], [0], [], [0], [0]]
    try Self.compare(try DeviceImage(model), of: model, "quiet") { _ in
      InferenceInput(steps: 8, ports: [.events(events)])
    }
  }

  @Test func windowsHave65536RowsAtMost() throws {
    func model(height: Int) -> Model {
      TinyModels.chain(
        input: InputPort(
          name: "in", shape: Shape(channels: 1, height: height, width: 256), kind: .events(.once)),
        hidden: Population(
          name: "hidden", shape: Shape(channels: 1), kind: .lif(Population.LIF(threshold: 4))),
        first: Projection(
          name: "first", from: .input(0), to: 0, topology: .dense,
          weights: WeightMatrix(
            rows: 256 * height, columns: 1,
            values: (0..<256 * height).map { $0 % 4096 == 4095 ? 3 : $0 == 0 ? 2 : 0 })))
    }
    let largest = model(height: 256)
    try Self.compare(try DeviceImage(largest), of: largest, "65536 rows") { sample in
      InferenceInput(steps: 2, ports: [.events([[0, 65_535], [65_534 - UInt32(sample)]])])
    }
    #expect(throws: DeviceImageError.self) { try DeviceImage(model(height: 257)) }
  }

  @Test(arguments: [(7, 9), (0, 254), (-1, 254)])
  func valuesOutsideThePortsRangeAreRefused(_ range: (Int, Int)) throws {
    let model = TinyModels.chain(
      input: InputPort(
        name: "in", shape: Shape(channels: 2),
        kind: .values(minimum: range.0, maximum: range.1, framePerStep: false)),
      hidden: Population(
        name: "hidden", shape: Shape(channels: 1), kind: .lif(Population.LIF(threshold: 1))),
      first: Projection(
        name: "first", from: .input(0), to: 0, topology: .dense,
        weights: WeightMatrix(rows: 2, columns: 1, values: [1, 1])))
    let engine = try DeviceEngine(DeviceImage(model), of: model)
    func held(_ value: Int) -> InferenceInput {
      InferenceInput(steps: 1, ports: [.held([Int16(range.1), Int16(value)])])
    }
    #expect(try engine.run(held(range.0)).count == 1)
    let failure = #expect(throws: DeviceEngine.Failure.self) { try engine.run(held(range.1 + 1)) }
    #expect(failure?.status == SNN_ERROR_VALUE)
  }

  /// Holds an image against the reference on samples 0..<inputsPerModel.
  static func compare(
    _ image: DeviceImage, of model: Model, _ name: String, input: (Int) -> InferenceInput
  ) throws {
    let engine = try DeviceEngine(image, of: model)
    var reference = try ReferenceSimulator(model)
    for sample in 0..<inputsPerModel {
      let input = input(sample)
      var expected = DeviceEngine.Answer()
      let inference = try reference.run(input) { expected.steps.append($0) }
      expected.scores = inference.scores
      expected.saturations = inference.counters.populations.map(\.saturations)
      expected.operations = inference.counters.projections.map { $0.synops + $0.macs }
      let found = try engine.observe(input)
      #expect(found.scores == expected.scores, "\(name), sample \(sample)")
      #expect(found.steps == expected.steps, "\(name), sample \(sample)")
      #expect(found.saturations == expected.saturations, "\(name), sample \(sample)")
      #expect(found.operations == expected.operations, "\(name), sample \(sample)")
      #expect(try engine.run(input) == expected.scores, "\(name), sample \(sample), unobserved")
      #expect(engine.isInsideArena, "\(name), sample \(sample)")
    }
  }
}
