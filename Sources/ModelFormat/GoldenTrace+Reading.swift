extension GoldenTrace {
  /// Reads the text of a `.snntrace` file that belongs to `model` (FORMAT.md §8).
  ///
  /// The lines of a sample stand in the order of that page, those of populations and projections
  /// in order of index; inputs must suit the model. Throws ``GoldenTraceError`` with the line of
  /// the first fault.
  public init(text: String, for model: Model) throws(GoldenTraceError) {
    var reader = GoldenTraceReader(text: text, model: model)
    try reader.readHeader()
    modelName = model.name
    samples = []
    while !reader.isAtEnd { samples.append(try reader.readSample()) }
  }
}

/// Reads one line after the other.
private struct GoldenTraceReader {
  let model: Model
  let lines: [Substring]
  /// The index of the current line; its number is one more.
  var position = 0

  init(text: String, model: Model) {
    self.model = model
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The text ends with a line feed, behind which an empty line remains.
  var isAtEnd: Bool { position == lines.count - 1 && lines[position].isEmpty }

  func fault(_ expected: String) -> GoldenTraceError {
    let found = position < lines.count ? String(lines[position].prefix(60)) : "the end of the text"
    return .unexpected(
      line: position + 1, expected: expected,
      found: found.isEmpty ? "an empty line" : found.debugDescription)
  }

  mutating func readHeader() throws(GoldenTraceError) {
    guard lines[0] == "snntrace 1 \(model.name)" else {
      throw fault("\"snntrace 1\" and the model's name \(model.name.debugDescription)")
    }
    position += 1
  }

  // MARK: Lines

  /// Whether the current line begins with `word`.
  func isAt(_ word: String) -> Bool {
    position < lines.count && (lines[position] == word || lines[position].hasPrefix(word + " "))
  }

  /// The fields behind `word` of the current line, which must begin so; moves no further.
  func fields(after word: String, _ expected: String) throws(GoldenTraceError) -> [Substring] {
    guard isAt(word) else { throw fault(expected) }
    return lines[position].split(separator: " ", omittingEmptySubsequences: false).dropFirst()
      .map { $0 }
  }

  /// The decimal number of a field, which must be written the one way `\(number)` writes it.
  func number(
    _ field: Substring, in limits: ClosedRange<Int>, _ expected: String
  ) throws(GoldenTraceError) -> Int {
    guard let number = Int(field), limits.contains(number), field == "\(number)" else {
      throw fault("\(expected) in \(limits)")
    }
    return number
  }

  func numbers(
    _ fields: some Collection<Substring>, in limits: ClosedRange<Int>, _ expected: String
  ) throws(GoldenTraceError) -> [Int] {
    var numbers: [Int] = []
    for field in fields { numbers.append(try number(field, in: limits, expected)) }
    return numbers
  }

  // MARK: A sample

  mutating func readSample() throws(GoldenTraceError) -> GoldenTrace.Sample {
    let header = try fields(after: "sample", "\"sample <label or -1> <steps>\"")
    guard header.count == 2 else { throw fault("\"sample <label or -1> <steps>\"") }
    let label = try number(header[0], in: -1...Int(Int32.max), "a label")
    let steps = try number(header[1], in: 1...model.maximumSteps, "steps")
    position += 1
    let seed = try readSeed()
    var ports: [InferenceInput.Port] = []
    for index in model.inputs.indices { ports.append(try readPort(index, steps: steps)) }

    var hashes: [UInt32] = []
    var populations: [Counters.Population] = []
    for index in model.populations.indices {
      let (hash, counts) = try readPopulation(index)
      hashes.append(hash)
      populations.append(
        Counters.Population(spikesOut: counts[0], updates: counts[1], saturations: counts[2]))
    }
    var projections: [Counters.Projection] = []
    for index in model.projections.indices {
      let counts = try readProjection(index)
      projections.append(
        Counters.Projection(spikesIn: counts[0], synops: counts[1], macs: counts[2]))
    }
    let scores = try readScores()
    guard isAt("end"), lines[position] == "end" else { throw fault("\"end\"") }
    position += 1
    guard position < lines.count else { throw fault("a line feed behind \"end\"") }
    return GoldenTrace.Sample(
      label: label == -1 ? nil : label,
      input: InferenceInput(steps: steps, ports: ports, seed: seed),
      hashes: hashes, populations: populations, projections: projections, scores: scores)
  }

  /// The sample's seed, 0 where no line states it.
  mutating func readSeed() throws(GoldenTraceError) -> UInt32 {
    guard isAt("seed") else { return 0 }
    let fields = try fields(after: "seed", "\"seed <s>\"")
    guard fields.count == 1 else { throw fault("\"seed <s>\"") }
    let seed = try number(fields[0], in: 1...Int(UInt32.max), "a seed")
    position += 1
    return UInt32(seed)
  }

  mutating func readPort(_ index: Int, steps: Int) throws(GoldenTraceError) -> InferenceInput.Port {
    switch model.inputs[index].kind {
    case .values(let minimum, let maximum, let framePerStep):
      var frames: [[Int16]] = []
      for _ in 0..<(framePerStep ? steps : 1) {
        frames.append(try readFrame(index, in: minimum...maximum))
      }
      return framePerStep ? .frames(frames) : .held(frames[0])
    case .events:
      return .events(try readEvents(index, steps: steps))
    }
  }

  mutating func readFrame(
    _ index: Int, in limits: ClosedRange<Int>
  ) throws(GoldenTraceError) -> [Int16] {
    let count = model.inputs[index].shape.count
    let expected = "\"values \(index)\" and \(count) numbers"
    let fields = try fields(after: "values \(index)", expected).dropFirst()
    guard fields.count == count else { throw fault(expected) }
    let frame = try numbers(fields, in: limits, "a value").map { Int16($0) }
    position += 1
    return frame
  }

  mutating func readEvents(_ index: Int, steps: Int) throws(GoldenTraceError) -> [[UInt32]] {
    var events = [[UInt32]](repeating: [], count: steps)
    var next = 0
    while isAt("events \(index)") {
      let expected = "\"events \(index) <step> <index> …\""
      let fields = try fields(after: "events \(index)", expected).dropFirst()
      guard let first = fields.first, fields.count >= 2 else { throw fault(expected) }
      guard next < steps else { throw fault("no more steps of port \(index)") }
      let step = try number(first, in: next...steps - 1, "a step")
      let limits = 0...Int(UInt32.max)
      events[step] = try numbers(fields.dropFirst(), in: limits, "an index").map { UInt32($0) }
      next = step + 1
      position += 1
    }
    return events
  }

  mutating func readPopulation(_ index: Int) throws(GoldenTraceError) -> (UInt32, [Int]) {
    let expected = "\"population \(index) <hash hex8> <spikes_out> <updates> <saturations>\""
    let fields = Array(try fields(after: "population \(index)", expected).dropFirst())
    guard fields.count == 4, fields[0].utf8.count == 8, fields[0].allSatisfy(\.isHexDigit),
      let hash = UInt32(fields[0], radix: 16)
    else { throw fault(expected) }
    let counts = try numbers(fields[1...], in: 0...Int.max, "a count")
    position += 1
    return (hash, counts)
  }

  mutating func readProjection(_ index: Int) throws(GoldenTraceError) -> [Int] {
    let expected = "\"projection \(index) <spikes_in> <synops> <macs>\""
    let fields = try fields(after: "projection \(index)", expected).dropFirst()
    guard fields.count == 3 else { throw fault(expected) }
    let counts = try numbers(fields, in: 0...Int.max, "a count")
    position += 1
    return counts
  }

  mutating func readScores() throws(GoldenTraceError) -> [Int32] {
    let count = model.populations[model.readout].shape.count
    let expected = "\"scores\" and \(count) numbers"
    let fields = try fields(after: "scores", expected)
    guard fields.count == count else { throw fault(expected) }
    let limits = Int(Int32.min)...Int(Int32.max)
    let scores = try numbers(fields, in: limits, "a score").map { Int32($0) }
    position += 1
    return scores
  }
}
