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
/// `SNN_LONG_TESTS=1` takes all boards of `targets/boards`, 200 models each: twenty minutes of two
/// cores.
@Suite struct RandomBoardTests {
  static let isLong = ProcessInfo.processInfo.environment["SNN_LONG_TESTS"] == "1"
  /// Of each board in the long test.
  static let manyModels = 200
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

  /// Seeds of few models, each of which brings a word that came less than twice before.
  static let fewSeeds = Result {
    var missing = words.mapValues { _ in 2 }
    var seeds: [Int] = []
    for seed in 0... {
      guard !missing.isEmpty else { break }
      guard let check = try check(seed: seed) else { continue }
      let brought = try missing.filter { try words[$0.key]!(check) }
      guard !brought.isEmpty else { continue }
      for (word, count) in brought { missing[word] = count > 1 ? count - 1 : nil }
      seeds.append(seed)
    }
    return seeds
  }

  @Test func theMachineItselfIsABoard() throws {
    #expect(Self.boards.filter { $0.name == "host" }.count == 2)
    #expect(Self.boards.count == (Self.isLong ? try Self.emulator.get().boards().count + 1 : 2))
  }

  @Test(arguments: boards) func boardsComputeTheHostsIntegers(_ board: Emulator.Board) throws {
    let seeds = Self.isLong ? Array(0..<10 * Self.manyModels) : try Self.fewSeeds.get()
    let wanted = Self.isLong ? Self.manyModels : seeds.count
    var checked = 0
    for seed in seeds where checked < wanted {
      guard let check = try Self.check(seed: seed) else { continue }
      let report = try check.run(on: board, of: Self.emulator.get(), countingInstructions: false)
      if case .tooSmall = report.skipped { continue }
      try #require(report.skipped == nil, "\(board.name): \(report.text)")
      try #require(report.identical == true, "\(board.name), seed \(seed): \(report.text)")
      checked += 1
    }
    #expect(checked == wanted, "\(board.name)")
  }

  /// The last model has an exit rule and no ring, which few random ones have.
  @Test func theOptionsThatAnExportNamesSuffice() throws {
    var early = TinyModels.neuron(lif: Population.LIF(threshold: 1))
    early.inputs[0].kind = .events(.once)
    early.exit = .firstSpike(of: 0)
    let input = InferenceInput(steps: 4, ports: [.events([[], [0], [0], []])])
    let last = try Self.check(early, inputs: [input])
    #expect(try Self.exitsEarly(#require(last)))
    let checks = try Self.fewSeeds.get().map { try Self.check(seed: $0) } + [last]
    for check in checks.compactMap(\.self) {
      let options = try DeviceImage(check.loaded.model).report.engineOptions
      let report = try check.run(
        on: Emulator.Board(name: "host", runsImages: true), of: Self.emulator.get(),
        countingInstructions: false, engineOptions: options)
      #expect(report.identical == true, "\(check.loaded.model.name), \(options): \(report.text)")
    }
  }

  /// A random model with its inputs; nil where no image can hold the model.
  private static func check(seed: Int) throws -> BoardCheck? {
    guard let model = try DeviceImageTests.model(seed: seed) else { return nil }
    return try check(
      model,
      inputs: (0..<inputsPerModel).map { sample in
        RandomModels.input(for: model, seed: UInt64(seed * inputsPerModel + sample))
      })
  }

  private static func check(_ model: Model, inputs: [InferenceInput]) throws -> BoardCheck? {
    let image: DeviceImage
    do {
      image = try DeviceImage(model)
    } catch is DeviceImageError {
      return nil
    }
    let file = try ModelFile.encode(model).bytes
    return try BoardCheck(
      SessionModel(file), samples: inputs.map { (input: onSensor($0, of: model), label: 0) },
      image: image.bytes, layers: image.layers, file: file)
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
