import Foundation
import ModelFormat

/// Proves that firmware on a board computes the integers of the host, and counts what it takes.
///
/// The host's integers are those of the C runtime's host engine, which ``EngineCheck`` holds
/// against the reference simulator.
public struct BoardCheck: Sendable {
  /// The model, loaded by the host engine.
  public let loaded: SessionModel
  /// The inputs and the class each belongs to.
  public let samples: [(input: InferenceInput, label: Int)]
  /// What the host says of each, and the steps that it took: fewer where the exit rule held.
  private let expected: [(answer: BoardAnswer, steps: Int)]
  /// The device image, for boards that run one.
  private let image: [UInt8]
  /// Populations in the image's order.
  private let layers: [Int]
  /// The content of the model file, for boards that load it.
  private let file: [UInt8]

  /// Samples whose instructions are counted: their number hardly differs from sample to sample.
  public static let countedSamples = 10

  /// Runs all samples on the host. `image`: the device image of the model; `layers`: its
  /// populations in the image's order; `file`: the model file. Throws what the runtime throws.
  public init(
    _ loaded: SessionModel, samples: [(input: InferenceInput, label: Int)], image: [UInt8],
    layers: [Int], file: [UInt8]
  ) throws {
    self.loaded = loaded
    self.samples = samples
    (self.image, self.layers, self.file) = (image, layers, file)
    expected = try inShards(count: samples.count, threads: 2) { range in
      let session = try Session(loaded)
      return try range.map { index in
        let answer = try BoardAnswer(expectedOf: session, for: samples[index].input)
        return (answer, session.steps)
      }
    }
  }

  /// Runs the samples on `board`, and the first ``countedSamples`` once more to count instructions
  /// where `countingInstructions` and the board runs images.
  ///
  /// `engineOptions`: what the engine is compiled with, `-DNAME=VALUE` each, such as an export says
  /// suffice for an image.
  ///
  /// A board that cannot hold the model gives a report with a ``BoardReport/Obstacle``. Throws
  /// ``BoardError`` where the firmware fails or its answers make no sense.
  public func run(
    on board: Emulator.Board, of emulator: Emulator, countingInstructions: Bool = true,
    engineOptions: [String] = []
  ) throws -> BoardReport {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("snn-check-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let model = folder.appendingPathComponent(board.runsImages ? "model.snnimg" : "model.snnpb")
    try Data(board.runsImages ? image : file).write(to: model)
    func ask(
      _ samples: ArraySlice<(input: InferenceInput, label: Int)>, _ options: BoardWire.Options
    ) throws -> Result<Emulator.Outcome, BoardReport.Obstacle> {
      let requests = samples.flatMap {
        BoardWire.requests(for: $0.input, of: loaded.model, options: options)
      }
      return try emulator.ask(
        board, model: model, requests: requests + BoardWire.quit,
        counting: options.contains(.marking), engineOptions: engineOptions, in: folder)
    }
    var report = BoardReport(target: board.name)
    let outcome: Emulator.Outcome
    switch try ask(samples[...], .counting) {
    case .failure(let obstacle):
      report.skipped = obstacle
      return report
    case .success(let answered): outcome = answered
    }
    compare(outcome.answers, in: &report)
    report.flashBytes = outcome.sizes.flash
    report.ramBytes = outcome.sizes.ram
    report.stackBytes = outcome.answers.map(\.stackBytes).max()
    report.runtimeBytes = outcome.sizes.runtime
    guard countingInstructions, board.runsImages else { return report }
    let counted = samples.prefix(Self.countedSamples)
    if case .success(let again) = try ask(counted, .marking), let counts = again.counts {
      add(counts, of: counted.count, to: &report)
    }
    return report
  }

  // MARK: Equality

  private func compare(_ answers: [BoardAnswer], in report: inout BoardReport) {
    report.samples = samples.count
    if answers.count != samples.count {
      report.difference = "expected \(samples.count) answers, found \(answers.count)"
    }
    var correct = 0
    for (index, (expected, found)) in zip(expected, answers).enumerated() {
      if found.classIndex == samples[index].label { correct += 1 }
      if report.difference == nil, let difference = difference(expected.answer, found) {
        report.difference = "sample \(index), \(difference)"
      }
    }
    report.accuracy = samples.isEmpty ? 0 : Double(correct) / Double(samples.count)
    report.identical = report.difference == nil
  }

  /// The first difference, populations in order of evaluation: what comes later follows from it.
  private func difference(_ expected: BoardAnswer, _ found: BoardAnswer) -> String? {
    func unequal(_ what: String, _ expected: Int?, _ found: Int?) -> String? {
      func text(_ value: Int?) -> String { value.map { "\($0)" } ?? "nothing" }
      guard expected != found else { return nil }
      return "\(what): expected \(text(expected)), found \(text(found))"
    }
    for index in layers {
      let name = "population \(loaded.model.populations[index].name.debugDescription)"
      let (wanted, got) = (expected.populations[index], found.populations[index])
      if let text = unequal("\(name): spikes", wanted?.spikesOut, got?.spikesOut)
        ?? unequal("\(name): saturations", wanted?.saturations, got?.saturations)
        ?? unequal(
          "\(name): digest of spikes and membranes", wanted.map { Int($0.digest) },
          got.map { Int($0.digest) })
      {
        return text
      }
    }
    for (index, projection) in loaded.model.projections.enumerated() {
      let name = "projection \(projection.name.debugDescription)"
      let (wanted, got) = (expected.projections[index], found.projections[index])
      if let text = unequal("\(name): spikes in", wanted?.spikesIn, got?.spikesIn)
        ?? unequal("\(name): synaptic operations", wanted?.synops, got?.synops)
        ?? unequal("\(name): MACs", wanted?.macs, got?.macs)
      {
        return text
      }
    }
    for (index, (wanted, got)) in zip(expected.scores, found.scores).enumerated() {
      if let text = unequal("score \(index)", Int(wanted), Int(got)) { return text }
    }
    return unequal("class", expected.classIndex, found.classIndex)
  }

  // MARK: Instructions

  private func add(_ counts: InstructionCounts, of count: Int, to report: inout BoardReport) {
    let counted = expected.prefix(count).map(\.answer)
    let steps = expected.prefix(count).reduce(0) { $0 + $1.steps }
    /// The mean of an inference, to a tenth.
    func mean(_ sum: Int) -> Double { (10 * Double(sum) / Double(count)).rounded() / 10 }
    func instructions(
      _ region: InstructionCounts.Region?, of part: InstructionCounts.Part? = nil
    ) -> Int {
      region?.functions.values.reduce(0) {
        part == nil || $1.part == part ? $0 + $1.insns : $0
      } ?? 0
    }
    report.regions = layers.enumerated().map { place, index in
      let region = counts.regions["\(place)"]
      let population = loaded.model.populations[index]
      let incoming = loaded.model.projections.indices.filter {
        loaded.model.projections[$0].target == index
      }
      let operations = counted.reduce(0) { sum, answer in
        incoming.reduce(sum) {
          $0 + (answer.projections[$1].map { $0.synops + $0.macs } ?? 0)
        }
      }
      return BoardReport.Region(
        population: population.name, instructions: mean(instructions(region)),
        synapticOperations: mean(operations),
        synapseInstructions: mean(instructions(region, of: .synapses)),
        updates: mean(steps * population.shape.count),
        neuronInstructions: mean(instructions(region, of: .neurons)))
    }
    let between = instructions(counts.regions[InstructionCounts.engine])
    report.instructionsPerInference = mean(
      layers.indices.reduce(between) { $0 + instructions(counts.regions["\($1)"]) })
  }
}
