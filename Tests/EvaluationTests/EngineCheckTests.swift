import ModelFixtures
import ModelFormat
import Testing

@testable import Evaluation

@Suite struct EngineCheckTests {
  private static let model = Models.camera(side: 6, steps: 5)
  private static let inputs = (0..<6).map { RandomModels.input(for: model, seed: $0) }

  @Test func enginesOfOneModelAreEqual() throws {
    let report = try EngineCheck(SessionModel(Self.model)).run(Self.inputs)
    #expect(report.isEqual, "\(report.text)")
    #expect(report.samples == 6 && report.engines.count == 3)
    #expect(report.steps == Self.inputs.reduce(0) { $0 + $1.steps })
  }

  @Test func oneWrongWeightIsFoundAtItsPopulation() throws {
    var wrong = Self.model
    wrong.projections[1].weights[5, 3] += 1
    let loaded = try SessionModel(wrong)
    let check = EngineCheck(model: Self.model, engines: [.runtimeByStep(loaded)])
    let difference = try #require(check.run(Self.inputs).difference)
    #expect(difference.population == "dense" && difference.neuron == 3)
    #expect(difference.what == "membrane" || difference.what == "spike")
    #expect(difference.expected != difference.found)
    let fast = EngineCheck(model: Self.model, engines: [.runtime(loaded)])
    #expect(try !fast.run(Self.inputs).isEqual)
  }

  @Test func oneFlippedMembraneIsFoundWhereItIs() throws {
    let loaded = try SessionModel(Self.model)
    let flipping = CheckedEngine(name: "flipping") {
      let session = try Session(loaded)
      var samples = 0
      return { input, observe in
        var step = 0
        let inference = try session.run(input) { record in
          var record = record
          if samples == 2 && step == 1 { record.membranes[0][17] ^= 1 }
          step += 1
          try observe(record)
        }
        samples += 1
        return EngineAnswer(scores: inference.scores)
      }
    }
    let check = try EngineCheck(model: Self.model, engines: [flipping])
      .run(Self.longInputs, threads: 1)
    let difference = try #require(check.difference)
    #expect(difference.sample == 2 && difference.step == 1)
    #expect(difference.population == "conv" && difference.neuron == 17)
    #expect(difference.expected ^ difference.found == 1)
    #expect(check.samples == 2)
    #expect(check.text.contains("flipping: sample 2, step 1, population \"conv\", neuron 17"))
  }

  /// Inputs of the model's five steps.
  private static let longInputs = (0..<4).map { seed in
    InferenceInput(
      steps: 5,
      ports: [.events((0..<5).map { step in [UInt32((seed + step) % 72), UInt32(step * 9)] })])
  }

  @Test func lowestSampleIsReportedWhateverTheThreads() throws {
    let loaded = try SessionModel(Self.model)
    let wrong = CheckedEngine(name: "wrong", showsSteps: false) {
      let session = try Session(loaded)
      return { input, _ in
        var scores = try session.run(input).scores
        scores[4] &+= 1
        return EngineAnswer(scores: scores)
      }
    }
    let check = EngineCheck(model: Self.model, engines: [wrong])
    let difference = try #require(check.run(Self.longInputs, threads: 3).difference)
    #expect(difference.sample == 0 && difference.what == "score" && difference.neuron == 4)
    #expect(difference.population == "answer")
  }

  @Test func goldenTraceReplaysAndShowsAFault() throws {
    let trace = try GoldenTrace(
      of: Self.model, inputs: Self.inputs.map { (label: nil, input: $0) })
    #expect(try EngineCheck(SessionModel(Self.model)).replay(trace).isEqual)
    var wrong = trace
    wrong.samples[3].hashes[1] ^= 1
    let difference = try #require(EngineCheck(SessionModel(Self.model)).replay(wrong).difference)
    #expect(difference.sample == 3 && difference.population == "dense")
    #expect(difference.what == "hash")
    var stamped = Self.model
    stamped.goldenDigest = trace.digest &+ 1
    #expect(try !EngineCheck(SessionModel(stamped)).replay(trace).isEqual)
  }

  @Test func shufflingKeepsWhatOverflows() {
    let lif = Population.LIF(threshold: 5)
    let model = TinyModels.neuron(lif: lif)
    let input = InferenceInput(
      steps: 2, ports: [.events([Array(0..<9), [1, 0, 0]])])
    let shuffled = input.shuffled(for: model, seed: 3)
    guard case .events(let events) = shuffled.ports[0] else { return }
    #expect(events[0] == Array(0..<9) && events[1].sorted() == [0, 0, 1])
  }
}
