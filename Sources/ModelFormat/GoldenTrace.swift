/// Inputs of a model and what they must produce: the content of a `golden.snntrace`
/// (FORMAT.md §8).
public struct GoldenTrace: Equatable, Sendable {
  /// One input and what it must produce.
  public struct Sample: Equatable, Sendable {
    /// The class of the sample, or nil if it has none.
    public var label: Int?
    /// What is presented.
    public var input: InferenceInput
    /// Per population: the hash of its spikes and membranes.
    public var hashes: [UInt32]
    /// Per population.
    public var populations: [Counters.Population]
    /// Per projection.
    public var projections: [Counters.Projection]
    /// The read-out's membranes after the last step.
    public var scores: [Int32]

    /// A sample.
    public init(
      label: Int?, input: InferenceInput, hashes: [UInt32], populations: [Counters.Population],
      projections: [Counters.Projection], scores: [Int32]
    ) {
      self.label = label
      self.input = input
      self.hashes = hashes
      self.populations = populations
      self.projections = projections
      self.scores = scores
    }
  }

  /// The name of the model that the trace belongs to.
  public var modelName: String
  /// The samples, in file order.
  public var samples: [Sample]

  /// A trace of these samples.
  public init(modelName: String, samples: [Sample]) {
    self.modelName = modelName
    self.samples = samples
  }

  /// What the reference simulator produces for `inputs`.
  ///
  /// Throws ``ModelError`` where the model is invalid, ``InferenceError`` where an input does not
  /// suit it.
  public init(of model: Model, inputs: [(label: Int?, input: InferenceInput)]) throws {
    var simulator = try ReferenceSimulator(model)
    modelName = model.name
    samples = []
    for (label, input) in inputs {
      var hashes = model.populations.map { _ in TraceHash() }
      let inference = try simulator.run(input) { record in
        for population in hashes.indices {
          hashes[population].add(
            spikes: record.spikes[population], membranes: record.membranes[population])
        }
      }
      samples.append(
        Sample(
          label: label, input: input, hashes: hashes.map(\.value),
          populations: inference.counters.populations,
          projections: inference.counters.projections, scores: inference.scores))
    }
  }

  /// The digest that a model with this trace carries as ``Model/goldenDigest``.
  public var digest: UInt32 {
    var hash = TraceHash()
    for sample in samples {
      for value in sample.hashes { hash.add(value) }
    }
    return hash.value
  }

  // MARK: Text

  /// The trace as the lines of a `.snntrace` file.
  ///
  /// Throws ``GoldenTraceError`` at line 1 if the model's name is not printable ASCII.
  public func text() throws(GoldenTraceError) -> String {
    guard modelName.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
      throw .unexpected(
        line: 1, expected: "a model name of printable ASCII", found: modelName.debugDescription)
    }
    var lines = ["snntrace 1 \(modelName)"]
    for sample in samples { sample.append(to: &lines) }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension GoldenTrace.Sample {
  fileprivate func append(to lines: inout [String]) {
    func numbers(_ values: some Sequence<some BinaryInteger>) -> String {
      values.map { " \($0)" }.joined()
    }
    lines.append("sample \(label ?? -1) \(input.steps)")
    if input.seed != 0 { lines.append("seed \(input.seed)") }
    for (index, port) in input.ports.enumerated() {
      switch port {
      case .held(let frame): lines.append("values \(index)" + numbers(frame))
      case .frames(let frames):
        for frame in frames { lines.append("values \(index)" + numbers(frame)) }
      case .events(let steps):
        for (step, events) in steps.enumerated() where !events.isEmpty {
          lines.append("events \(index) \(step)" + numbers(events))
        }
      }
    }
    for (index, counted) in populations.enumerated() {
      let digits = String(hashes[index], radix: 16)
      let hash = String(repeating: "0", count: 8 - digits.count) + digits
      lines.append(
        "population \(index) \(hash)"
          + numbers([counted.spikesOut, counted.updates, counted.saturations]))
    }
    for (index, counted) in projections.enumerated() {
      lines.append(
        "projection \(index)" + numbers([counted.spikesIn, counted.synops, counted.macs]))
    }
    lines.append("scores" + numbers(scores))
    lines.append("end")
  }
}

/// Why a text is not a golden trace of a model.
public enum GoldenTraceError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A line, counted from 1, that says something else than expected.
  case unexpected(line: Int, expected: String, found: String)

  /// The line, what was expected and what was found, in one line.
  public var description: String {
    switch self {
    case .unexpected(let line, let expected, let found):
      "line \(line): expected \(expected), found \(found)"
    }
  }
}
