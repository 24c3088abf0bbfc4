import Evaluation
import Foundation
import ModelFormat
import Testing
import Wiring

import struct Tensors.RandomSource

/// Models whose rows fill and overfill vector registers, in each of the three ways to sum.
///
/// The models of `RandomModels` have few channels, so that they visit many shapes; here lie the
/// widths at which vector kernels switch between whole registers, halves and single lanes.
@Suite struct WideModelTests {
  static let widths = [1, 7, 15, 16, 31, 32, 33, 48, 63, 64, 65, 96, 129]
  static let inputsPerModel = 2

  @Test(arguments: widths) func widthsComputeTheSameIntegers(_ width: Int) throws {
    for path in [ModelBounds.Path.membrane16, .accumulator16, .accumulator32] {
      for hasValues in [false, true] {
        let seed = UInt64(width * 10) + (hasValues ? 1 : 0)
        let model = Self.model(width: width, path: path, hasValues: hasValues, seed: seed)
        #expect(try model.validate().populations[0].path == path)
        let loaded = try SessionModel(model)
        let report = try EngineCheck(loaded).run(count: Self.inputsPerModel, threads: 1) {
          Self.input(for: model, seed: seed + UInt64($0))
        }
        #expect(report.isEqual, "width \(width), \(path), values \(hasValues): \(report.text)")
      }
    }
  }

  /// A convolution of `width` channels, a recurrent dense layer and a read-out, whose first
  /// population needs `path`.
  static func model(
    width: Int, path: ModelBounds.Path, hasValues: Bool, seed: UInt64
  ) -> Model {
    var random = RandomSource(seed: seed)
    func weights(_ rows: Int, _ columns: Int, _ largest: Int, _ density: Double) -> WeightMatrix {
      WeightMatrix(
        rows: rows, columns: columns,
        values: (0..<rows * columns).map { _ in
          random.uniform() < density ? Int8(random.integer(below: 2 * largest + 1) - largest) : 0
        })
    }
    // Membranes of the full range need an accumulator of their own; larger sums a wider one.
    let isWide = path == .accumulator32
    let range = path == .membrane16 ? -3000...3000 : -32768...32767
    let largest = isWide ? 127 : 20
    let hidden = Shape(channels: width, height: 2, width: 3)
    let source = Shape(channels: 3, height: 2, width: 3)
    let port = InputPort(
      name: "in", shape: source,
      kind: hasValues
        ? .values(minimum: -largest, maximum: largest, framePerStep: true) : .events(.once))
    func lif(_ threshold: [Int], _ range: ClosedRange<Int>) -> Population.Kind {
      .lif(
        Population.LIF(
          threshold: Parameter(threshold), floor: range.lowerBound, ceiling: range.upperBound))
    }
    let thresholds = (0..<width).map { (20 + $0 % 50) * (isWide ? 100 : 1) }
    return Model(
      name: "wide \(width)", steps: 4, inputs: [port],
      populations: [
        Population(
          name: "hidden", shape: hidden, kind: lif(thresholds, range),
          leak: Parameter((0..<width).map { 20_000 + 60 * $0 })),
        Population(
          name: "dense", shape: Shape(channels: width), kind: lif([40], -32768...32767),
          leak: 31_000),
        Population(name: "answer", shape: Shape(channels: 10), kind: .readout, leak: 32_000),
      ],
      projections: [
        Projection(
          name: "first", from: .input(0), to: 0,
          topology: .convolution(Convolution(kernel: 3, padding: 1)),
          shift: isWide ? (hasValues ? 0 : 7) : (hasValues ? 3 : 0),
          weights: weights(3, 9 * width, 40, 0.9)),
        Projection(
          name: "second", from: .population(0), to: 1, topology: .dense, pool: 2,
          weights: weights(width, width, 15, 0.9)),
        Projection(
          name: "recurrent", from: .population(1), to: 1, delay: 1, topology: .dense,
          weights: weights(width, width, 90, 0.04)),
        Projection(
          name: "last", from: .population(1), to: 2, topology: .dense, shift: 2,
          weights: weights(width, 10, 127, 1)),
      ], readout: 2)
  }

  static func input(for model: Model, seed: UInt64) -> InferenceInput {
    var random = RandomSource(seed: seed)
    let count = model.inputs[0].shape.count
    if model.inputs[0].carriesValues {
      let frames = (0..<model.steps).map { _ in
        (0..<count).map { _ in Int16(random.integer(below: 41) - 20) }
      }
      return InferenceInput(steps: model.steps, ports: [.frames(frames)])
    }
    let events = (0..<model.steps).map { _ in
      (0..<6).map { _ in UInt32(random.integer(below: count)) }
    }
    return InferenceInput(steps: model.steps, ports: [.events(events)])
  }
}
