import Foundation
import ModelExport
import ModelFixtures
import ModelFormat
import Testing
import Wiring

@testable import Evaluation

/// Random models in firmware on boards: every prediction, score, counter and digest is the host's.
///
/// The machine itself, as a board that loads model files and as one that runs images, gets few
/// models, among which every word of the format that a board sees comes twice.
/// `SNN_LONG_TESTS=1` takes all boards of `targets/boards`, 200 models each: about an hour.
@Suite struct RandomBoardTests {
  static let isLong = ProcessInfo.processInfo.environment["SNN_LONG_TESTS"] == "1"
  static let modelCount = 200
  static let inputsPerModel = 3

  /// What reaches a board's wire, its rings or its clock, and which checks make it count.
  static let words: [String: @Sendable (BoardCheck) throws -> Bool] = [
    "encoder": { draws($0.loaded.model) },
    "every": {
      $0.loaded.model.inputs.contains {
        if case .events(.every) = $0.kind { true } else { false }
      }
    },
    "exit": { try exitsEarly($0) },
    "taps": { $0.loaded.model.projections.contains { $0.taps > 1 } },
    "delay": { $0.loaded.model.projections.contains { $0.delay > 1 } },
    "current leak": {
      $0.loaded.model.populations.contains {
        if case .lif(let neurons) = $0.kind { neurons.currentLeak != .none } else { false }
      }
    },
  ]

  /// Whether some projection gets spikes of an encoder that neither always nor hardly ever come.
  private static func draws(_ model: Model) -> Bool {
    model.projections.contains { projection in
      guard case .input(let index) = projection.source, let encoder = model.inputs[index].encoder,
        case .values(_, let maximum, _) = model.inputs[index].kind
      else { return false }
      return (2..<PoissonEncoder.certain(at: maximum)).contains(encoder.gain)
    }
  }

  /// Whether the network decides on a sample while later steps are still to be asked for.
  private static func exitsEarly(_ check: BoardCheck) throws -> Bool {
    guard check.loaded.model.exit != nil else { return false }
    let session = try Session(check.loaded)
    return try check.samples.contains { sample in
      let isAskedByStep = sample.input.ports.contains { if case .held = $0 { false } else { true } }
      _ = try session.run(sample.input)
      return isAskedByStep && session.steps < sample.input.steps
    }
  }

  static let emulator = Result { try Emulator(near: URL(fileURLWithPath: #filePath)) }

  /// The boards to run on. The machine itself loads files as `snn-check` runs it, and images too.
  static let boards: [Emulator.Board] = {
    let all = (try? emulator.get().boards()) ?? []
    return all.filter { isLong || $0.name == "host" } + [.init(name: "host", runsImages: true)]
  }()

  @Test(arguments: boards) func boardsComputeTheHostsIntegers(_ board: Emulator.Board) throws {
    var (checked, seed) = (0, 0)
    var missing = Self.words.mapValues { _ in 2 }
    while Self.isLong ? checked < Self.modelCount : !missing.isEmpty {
      defer { seed += 1 }
      guard let check = try Self.check(seed: seed) else { continue }
      let brought = try missing.keys.filter { try Self.words[$0]!(check) }
      if !Self.isLong && brought.isEmpty { continue }
      for word in brought { missing[word] = missing[word]! > 1 ? missing[word]! - 1 : nil }
      let report = try check.run(on: board, of: Self.emulator.get(), countingInstructions: false)
      if case .tooSmall = report.skipped { continue }
      try #require(report.skipped == nil, "\(board.name): \(report.text)")
      try #require(report.identical == true, "\(board.name), seed \(seed): \(report.text)")
      checked += 1
    }
  }

  /// A random model with its inputs; nil where no image can hold the model.
  private static func check(seed: Int) throws -> BoardCheck? {
    guard let model = try DeviceImageTests.model(seed: seed) else { return nil }
    let image: DeviceImage
    do {
      image = try DeviceImage(model)
    } catch is DeviceImageError {
      return nil
    }
    let samples = (0..<inputsPerModel).map { sample in
      let seed = UInt64(seed * inputsPerModel + sample)
      return (input: onSensor(RandomModels.input(for: model, seed: seed), of: model), label: 0)
    }
    let file = try ModelFile.encode(model).bytes
    return try BoardCheck(
      SessionModel(file), samples: samples, image: image.bytes, layers: image.layers, file: file)
  }

  /// The input without addresses that its ports do not have: a firmware refuses them, where the host
  /// drops them.
  private static func onSensor(_ input: InferenceInput, of model: Model) -> InferenceInput {
    var input = input
    for (port, presented) in input.ports.enumerated() {
      guard case .events(let steps) = presented else { continue }
      let count = model.inputs[port].shape.count
      input.ports[port] = .events(steps.map { $0.filter { $0 < count } })
    }
    return input
  }
}
