import ModelFormat

/// What a firmware says of a sample.
struct BoardAnswer: Equatable, Sendable {
  /// Counters of a population, and the digest of all its membranes and spikes.
  struct Population: Equatable, Sendable {
    var spikesOut: Int
    var saturations: Int
    var digest: UInt32
  }

  /// The class it found.
  var classIndex: Int
  var scores: [Int32]
  /// By index in the model; empty where counting was off.
  var populations: [Int: Population] = [:]
  var projections: [Int: Counters.Projection] = [:]
  /// Bytes of stack used so far.
  var stackBytes: Int = 0
}

extension BoardAnswer {
  init(_ reader: inout BoardWire.Reader) throws(BoardError) {
    classIndex = Int(try reader.number(UInt32.self))
    let scoreCount = try reader.number(UInt32.self)
    let populationCount = try reader.number(UInt32.self)
    let projectionCount = try reader.number(UInt32.self)
    _ = try reader.number(UInt32.self)
    stackBytes = Int(try reader.number(UInt32.self))
    scores = []
    for _ in 0..<scoreCount { scores.append(try reader.number(Int32.self)) }
    for _ in 0..<populationCount {
      let index = Int(try reader.number(UInt32.self))
      populations[index] = Population(
        spikesOut: Int(try reader.number(UInt64.self)),
        saturations: Int(try reader.number(UInt64.self)), digest: try reader.number(UInt32.self))
    }
    for _ in 0..<projectionCount {
      let index = Int(try reader.number(UInt32.self))
      // A projection with several taps is several on the board.
      var counted = projections[index] ?? Counters.Projection()
      counted.spikesIn += Int(try reader.number(UInt64.self))
      counted.synops += Int(try reader.number(UInt64.self))
      counted.macs += Int(try reader.number(UInt64.self))
      projections[index] = counted
    }
  }

  /// What the host says of `input`: the answer every device must give, its stack aside.
  init(expectedOf session: Session, for input: InferenceInput) throws {
    var digests = session.model.populations.map { StateDigest(neurons: $0.shape.count) }
    let inference = try session.run(input) { record in
      for index in digests.indices {
        digests[index].add(spikes: record.spikes[index], membranes: record.membranes[index])
      }
    }
    classIndex = inference.classIndex
    scores = inference.scores
    for (index, counters) in inference.counters.populations.enumerated() {
      populations[index] = Population(
        spikesOut: counters.spikesOut, saturations: counters.saturations,
        digest: digests[index].value)
    }
    for (index, counters) in inference.counters.projections.enumerated() {
      projections[index] = counters
    }
  }
}
