import ModelFormat

import struct Tensors.RandomSource

/// What an engine says of a sample, for comparison.
public struct EngineAnswer: Equatable, Sendable {
  /// The read-out's membranes after the last step.
  public var scores: [Int32]
  /// What was counted; nil where the engine counts nothing.
  public var counters: Counters?

  /// An answer.
  public init(scores: [Int32], counters: Counters? = nil) {
    self.scores = scores
    self.counters = counters
  }
}

/// An engine to be held against the reference.
public struct CheckedEngine: Sendable {
  /// How reports call it.
  public let name: String
  /// Whether it shows every step; if not, its answers alone are compared.
  public let showsSteps: Bool
  /// A runner for one thread: presents an input, hands every step to the observer, and answers.
  public let makeRunner:
    @Sendable () throws -> (InferenceInput, (StepRecord) throws -> Void) throws -> EngineAnswer

  /// An engine called `name`, whose runners `makeRunner` makes, one for each thread.
  public init(
    name: String, showsSteps: Bool = true,
    makeRunner:
      @escaping @Sendable () throws -> (InferenceInput, (StepRecord) throws -> Void) throws ->
      EngineAnswer
  ) {
    self.name = name
    self.showsSteps = showsSteps
    self.makeRunner = makeRunner
  }

  /// The C runtime, a step at a time.
  public static func runtimeByStep(_ loaded: SessionModel) -> CheckedEngine {
    CheckedEngine(name: "runtime, step by step") {
      let session = try Session(loaded)
      return { input, observe in
        let inference = try session.run(input, observe: observe)
        return EngineAnswer(scores: inference.scores, counters: inference.counters)
      }
    }
  }

  /// The C runtime by its fastest way.
  public static func runtime(_ loaded: SessionModel) -> CheckedEngine {
    CheckedEngine(name: "runtime, whole samples", showsSteps: false) {
      let session = try Session(loaded)
      return { input, _ in
        let inference = try session.run(input)
        return EngineAnswer(scores: inference.scores, counters: inference.counters)
      }
    }
  }

  /// The C runtime, the events of every step in another order.
  ///
  /// An EVERY port that overflows keeps other events in another order, so on such a sample the
  /// order is left as it is.
  public static func runtimeShuffled(_ loaded: SessionModel, seed: UInt64 = 1) -> CheckedEngine {
    CheckedEngine(name: "runtime, events shuffled") {
      let session = try Session(loaded)
      return { input, observe in
        let inference = try session.run(
          input.shuffled(for: loaded.model, seed: seed), observe: observe)
        return EngineAnswer(scores: inference.scores, counters: inference.counters)
      }
    }
  }
}

/// Proves engines equal to the reference simulator, integer for integer, on given inputs.
public struct EngineCheck: Sendable {
  /// The model that the reference simulates.
  public let model: Model
  /// The engines held against it.
  public let engines: [CheckedEngine]

  /// A check of `engines` against the reference simulator of `model`.
  public init(model: Model, engines: [CheckedEngine]) {
    self.model = model
    self.engines = engines
  }

  /// A check of the C runtime, in all its ways, and of `others` against the reference.
  public init(_ loaded: SessionModel, others: [CheckedEngine] = []) {
    self.init(
      model: loaded.model,
      engines: [.runtimeByStep(loaded), .runtime(loaded), .runtimeShuffled(loaded)] + others)
  }

  /// Compares all engines on samples 0..<count, which `input` yields, and stops at the first
  /// difference of the lowest sample that has one.
  ///
  /// Throws what `input` or an engine throws.
  public func run(
    count: Int, threads: Int = 2, input: @Sendable (Int) throws -> InferenceInput
  ) throws -> CheckReport {
    let order = try model.evaluationOrder()
    let parts = try inShards(count: count, threads: threads) { range in
      [try check(range, order: order, input: input)]
    }
    var report = CheckReport(
      model: model.name, engines: engines.map(\.name),
      neurons: model.populations.reduce(0) { $0 + $1.shape.count })
    for part in parts {
      report.samples += part.samples
      report.steps += part.steps
      if let difference = part.difference {
        report.difference = difference
        return report
      }
    }
    return report
  }

  /// Compares on the given inputs; throws and stops as ``run(count:threads:input:)`` does.
  public func run(_ inputs: [InferenceInput], threads: Int = 2) throws -> CheckReport {
    try run(count: inputs.count, threads: threads) { inputs[$0] }
  }

  private struct Part: Sendable {
    var samples = 0
    var steps = 0
    var difference: CheckReport.Difference?
  }

  private func check(
    _ range: Range<Int>, order: [Int], input: (Int) throws -> InferenceInput
  ) throws -> Part {
    var part = Part()
    var reference = try ReferenceSimulator(model)
    let runners = try engines.map { try $0.makeRunner() }
    for sample in range {
      let presented = try input(sample)
      var expected: [StepRecord] = []
      let answer = try reference.run(presented) { expected.append($0) }
      for (engine, run) in zip(engines, runners) {
        let difference = try Self.difference(
          from: expected, answer, of: engine, run, on: presented, sample: sample, order: order)
        if let difference {
          part.difference = CheckReport.Difference(difference, engine: engine.name, in: model)
          return part
        }
      }
      part.samples += 1
      part.steps += presented.steps
    }
    return part
  }

  private static func difference(
    from expected: [StepRecord], _ answer: Inference, of engine: CheckedEngine,
    _ run: (InferenceInput, (StepRecord) throws -> Void) throws -> EngineAnswer,
    on input: InferenceInput, sample: Int, order: [Int]
  ) throws -> FirstDifference? {
    var found: [StepRecord] = []
    let given = try run(input) { found.append($0) }
    if engine.showsSteps,
      let difference = FirstDifference.between(
        expected: expected, found: found, sample: sample, order: order)
    {
      return difference
    }
    return FirstDifference.between(
      expected: answer,
      found: Inference(scores: given.scores, counters: given.counters ?? answer.counters),
      sample: sample)
  }
}

extension InferenceInput {
  /// The same input with the events of every step in another order, the same for the same seed.
  ///
  /// A step that overflows an EVERY port of `model` keeps its order.
  public func shuffled(for model: Model, seed: UInt64) -> InferenceInput {
    var random = RandomSource(seed: seed)
    var shuffled = self
    for (index, port) in ports.enumerated() {
      guard case .events(let steps) = port else { continue }
      shuffled.ports[index] = .events(
        steps.map { events in
          if case .events(.every(let maximum)) = model.inputs[index].kind, events.count > maximum {
            return events
          }
          return events.shuffled(using: &random)
        })
    }
    return shuffled
  }
}
