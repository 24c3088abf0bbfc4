import Wiring

/// The input of one inference: its number of steps and what every port receives (FORMAT.md §2).
public struct InferenceInput: Equatable, Sendable {
  /// What one port receives over the sample.
  public enum Port: Equatable, Sendable {
    /// One frame of N values by linear index, held over the sample; presented at step 0.
    case held([Int16])
    /// One frame of N values a step, `steps` of them.
    case frames([[Int16]])
    /// The linear indices of the events of each step in order of arrival, `steps` lists.
    case events([[UInt32]])
  }

  /// T, 1...``Model/maximumSteps``.
  public var steps: Int
  /// One element per port, in order.
  public var ports: [Port]
  /// The sample's seed, from which encoders draw.
  public var seed: UInt32

  /// An input of `steps` steps.
  public init(steps: Int, ports: [Port], seed: UInt32 = 0) {
    self.steps = steps
    self.ports = ports
    self.seed = seed
  }

  /// The first steps of this input.
  ///
  /// Precondition: it has so many.
  public func prefix(_ steps: Int) -> InferenceInput {
    precondition(steps <= self.steps, "\(steps) of \(self.steps) steps")
    return InferenceInput(
      steps: steps,
      ports: ports.map { port in
        switch port {
        case .held: port
        case .frames(let frames): .frames(Array(frames.prefix(steps)))
        case .events(let events): .events(Array(events.prefix(steps)))
        }
      }, seed: seed)
  }

  /// This input with the spikes of encoders in place of the values that they read, as projections see it
  /// (FORMAT.md §2); `encoders`: one element per port, nil where a port has none.
  public func encoded(by encoders: [PoissonEncoder?]) -> InferenceInput {
    var input = self
    for (port, encoder) in encoders.enumerated() {
      guard let encoder else { continue }
      let frames: [[Int16]]
      switch ports[port] {
      case .held(let frame): frames = [[Int16]](repeating: frame, count: steps)
      case .frames(let presented): frames = presented
      case .events: continue
      }
      input.ports[port] = .events(
        frames.enumerated().map { step, frame in
          encoder.spikes(of: frame, seed: seed, port: port, step: step)
        })
    }
    return input
  }

  /// Throws ``InferenceError`` unless this input suits `model`.
  ///
  /// Event indices are free: one outside its port is dropped and counted.
  public func check(for model: Model) throws(InferenceError) {
    guard (1...model.maximumSteps).contains(steps) else {
      throw .unsuitable(place: "steps", expected: "1...\(model.maximumSteps)", found: "\(steps)")
    }
    guard ports.count == model.inputs.count else {
      throw .unsuitable(
        place: "ports", expected: "\(model.inputs.count)", found: "\(ports.count)")
    }
    for (index, port) in ports.enumerated() {
      let place = "ports[\(index)] \(model.inputs[index].name.debugDescription)"
      switch (port, model.inputs[index].kind) {
      case (.events(let events), .events):
        try Self.checkCount(events.count, is: steps, of: "steps", at: place)
      case (.held(let frame), .values(_, _, framePerStep: false)):
        try Self.check(frame, for: model.inputs[index], at: place)
      case (.frames(let frames), .values(_, _, framePerStep: true)):
        try Self.checkCount(frames.count, is: steps, of: "frames", at: place)
        for frame in frames { try Self.check(frame, for: model.inputs[index], at: place) }
      default:
        throw .unsuitable(
          place: place, expected: "what the port's kind accepts", found: "another kind of input")
      }
    }
  }

  private static func checkCount(
    _ found: Int, is expected: Int, of what: String, at place: String
  ) throws(InferenceError) {
    guard found == expected else {
      throw .unsuitable(place: place, expected: "\(expected) \(what)", found: "\(found)")
    }
  }

  private static func check(
    _ frame: [Int16], for port: InputPort, at place: String
  ) throws(InferenceError) {
    guard case .values(let minimum, let maximum, _) = port.kind else { return }
    try checkCount(frame.count, is: port.shape.count, of: "values", at: place)
    for (index, value) in frame.enumerated() where !(minimum...maximum).contains(Int(value)) {
      throw .unsuitable(
        place: "\(place)[\(index)]", expected: "\(minimum)...\(maximum)", found: "\(value)")
    }
  }
}

/// Why an input cannot be presented to a model.
public enum InferenceError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The input does not suit the model at `place`.
  case unsuitable(place: String, expected: String, found: String)

  /// The place, what was expected and what was found, in one line.
  public var description: String {
    switch self {
    case .unsuitable(let place, let expected, let found):
      "\(place): expected \(expected), found \(found)"
    }
  }
}

/// What one inference yields (FORMAT.md §4, READOUT, and §6).
public struct Inference: Equatable, Sendable {
  /// The read-out's membranes after the last step taken.
  public var scores: [Int32]
  /// What was counted on the way.
  public var counters: Counters

  /// An answer of these scores and counters.
  public init(scores: [Int32], counters: Counters) {
    self.scores = scores
    self.counters = counters
  }

  /// The index of the highest score, the lowest on ties. Precondition: there is a score.
  public var classIndex: Int { Self.classIndex(of: scores) }

  /// The index of the highest of some scores, the lowest on ties. Precondition: there is a score.
  public static func classIndex(of scores: [Int32]) -> Int {
    scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
  }
}
