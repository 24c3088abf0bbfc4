import ModelFixtures
import ModelFormat
import Testing

@Suite struct TraceTests {
  // MARK: Hash

  @Test func hashIsTheWorkedOne() {
    var hash = TraceHash()
    #expect(hash.value == 0x811C_9DC5)
    // rotl(0x811C9DC5, 5) = 0x2393B8B0; xor 1 = 0x2393B8B1; · 0x9E3779B1 mod 2^32.
    hash.add(1)
    #expect(hash.value == UInt32(0x2393_B8B1 * 0x9E37_79B1 % (1 << 32)))
    var words = TraceHash()
    for word in [3, 0xFFFF_FFFF, 0xFFFF_FFFE, 7] as [UInt32] { words.add(word) }
    var step = TraceHash()
    step.add(spikes: [3], membranes: [-2, 7])
    #expect(step == words)
  }

  // MARK: Golden trace

  private func trace(seed: UInt64) throws -> (Model, GoldenTrace) {
    let model = RandomModels.model(seed: seed)
    let inputs = (0..<3).map { index -> (label: Int?, input: InferenceInput) in
      (index == 0 ? nil : index, RandomModels.input(for: model, seed: seed + UInt64(index)))
    }
    return (model, try GoldenTrace(of: model, inputs: inputs))
  }

  @Test func readingAWrittenTraceGivesTheTrace() throws {
    for seed in 0..<150 as Range<UInt64> {
      let (model, trace) = try trace(seed: seed)
      let read = try GoldenTrace(text: trace.text(), for: model)
      #expect(read == trace, "seed \(seed)")
      #expect(read.digest == trace.digest)
      let again = try GoldenTrace(of: model, inputs: read.samples.map { ($0.label, $0.input) })
      #expect(again == trace, "seed \(seed)")
    }
  }

  @Test func textIsTheWorkedOne() throws {
    let model = TinyModels.neuron(weight: 7, lif: .init(threshold: 5))
    let input = InferenceInput(steps: 2, ports: [.events([[], [0, 0]])])
    let trace = try GoldenTrace(of: model, inputs: [(label: 0, input: input)])
    var (neuron, readout) = (TraceHash(), TraceHash())
    // Step 0: nothing. Step 1: 14 − 5 = 9 and a spike, which the read-out counts.
    neuron.add(spikes: [], membranes: [0])
    neuron.add(spikes: [0], membranes: [9])
    readout.add(spikes: [], membranes: [0])
    readout.add(spikes: [], membranes: [1])
    func hex(_ hash: TraceHash) -> String {
      let digits = String(hash.value, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }
    #expect(
      try trace.text() == """
        snntrace 1 chain
        sample 0 2
        events 0 1 0 0
        population 0 \(hex(neuron)) 1 2 0
        population 1 \(hex(readout)) 0 2 0
        projection 0 2 2 0
        projection 1 1 1 0
        scores 1
        end

        """)
  }

  @Test func damagedLinesAreRefusedWithTheirNumber() throws {
    let model = TinyModels.neuron(weight: 7, lif: .init(threshold: 5))
    let input = InferenceInput(steps: 2, ports: [.events([[0], [0, 0]])])
    let text = try GoldenTrace(of: model, inputs: [(label: 0, input: input)]).text()
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines.count == 11)
    let damages: [(line: Int, text: String)] = [
      (1, "snntrace 2 chain"), (1, "snntrace 1 other"), (2, "sample 0"), (2, "sample -2 2"),
      (2, "sample 0 0"), (2, "sample 0 9"), (2, "sample 0 +2"), (2, "sample 0  2"),
      (3, "events 0 0"), (3, "events 0 2 0"), (3, "events 0 0 -1"), (3, "events 0 0 x"),
      (3, "events 0 0 4294967296"), (3, "values 0 1"), (3, "events 1 0 0"), (4, "events 0 0 0"),
      (5, "population 0 123 1 2 0"), (5, "population 0 1234567g 1 2 0"),
      (5, "population 1 12345678 1 2 0"), (5, "population 0 12345678 1 2"),
      (7, "projection 0 1 2"), (7, "projection 0 1 2 -3"), (9, "scores"), (9, "scores 1 2"),
      (9, "scores 2147483648"), (10, "end "), (10, ""), (11, "x"), (2, ""),
    ]
    for damage in damages {
      var damaged = lines
      damaged[damage.line - 1] = damage.text
      do {
        _ = try GoldenTrace(text: damaged.joined(separator: "\n"), for: model)
        Issue.record("accepted line \(damage.line): \(damage.text)")
      } catch .unexpected(let line, _, _) {
        #expect(line == damage.line, "\(damage)")
      }
    }
    // Cut off anywhere but between samples, a trace is refused.
    for length in 0..<text.utf8.count where length != lines[0].utf8.count + 1 {
      #expect(throws: GoldenTraceError.self) {
        try GoldenTrace(text: String(text.prefix(length)), for: model)
      }
    }
  }

  @Test func nameThatIsNotPrintableASCIIIsRefused() {
    for name in ["two\nlines", "Prüfstand"] {
      #expect(throws: GoldenTraceError.self) {
        try GoldenTrace(modelName: name, samples: []).text()
      }
    }
  }

  // MARK: First difference

  private func record(_ spikes: [[UInt32]], _ membranes: [[Int32]]) -> StepRecord {
    StepRecord(spikes: spikes, membranes: membranes)
  }

  @Test func firstDifferenceIsByStepOrderNeuronAndSpikeFirst() throws {
    let expected = [record([[0], []], [[1, 2], [3]]), record([[], []], [[1, 2], [3]])]
    var found = expected
    #expect(FirstDifference.between(expected: expected, found: found) == nil)
    found[1].membranes = [[1, 5], [4]]
    var difference = try #require(FirstDifference.between(expected: expected, found: found))
    #expect(
      difference.description
        == "sample 0 step 1 population 0 neuron 1: membrane expected 2, found 5")
    difference = try #require(
      FirstDifference.between(expected: expected, found: found, sample: 4, order: [1, 0]))
    #expect(
      difference.description
        == "sample 4 step 1 population 1 neuron 0: membrane expected 3, found 4")
    found[0].spikes[0] = [1]
    found[0].membranes[0] = [9, 9]
    difference = try #require(FirstDifference.between(expected: expected, found: found))
    #expect(difference.what == .spike)
    #expect((difference.neuron, difference.expected, difference.found) == (0, 1, 0))
    #expect(
      FirstDifference.between(expected: expected, found: [expected[0]])?.what == .count("steps"))
    found = expected
    found[0].spikes[0] = [0, 0]
    #expect(
      FirstDifference.between(expected: expected, found: found)?.what == .count("spikes"))
  }

  @Test func answersDifferByScoreThenCounter() throws {
    let model = TinyModels.neuron(lif: .init(threshold: 5))
    let expected = Inference(scores: [1], counters: Counters(zeroFor: model))
    var found = expected
    #expect(FirstDifference.between(expected: expected, found: found) == nil)
    found.counters.projections[1].synops = 3
    #expect(
      FirstDifference.between(expected: expected, found: found)?.description
        == "sample 0: counter(\"projections[1].synops\") expected 0, found 3")
    found.scores = [2]
    #expect(FirstDifference.between(expected: expected, found: found)?.what == .score)
  }
}
