import ModelExport
import ModelFormat
import Testing
import Wiring

/// Expects the training-time forward pass to do step by step what the reference does; returns the
/// latter's answer.
@discardableResult
func expectEqualEngines(
  _ model: Model, _ input: InferenceInput, _ comment: Comment? = nil
) throws -> Inference {
  var simulator = try ReferenceSimulator(model)
  var expected: [StepRecord] = []
  var found: [StepRecord] = []
  let answer = try simulator.run(input) { expected.append($0) }
  let given = try TrainingEngine(model).run(input) { found.append($0) }
  let difference = FirstDifference.between(expected: expected, found: found)
  #expect(difference == nil, comment)
  #expect(given.scores == answer.scores, comment)
  #expect(given.counters.populations == answer.counters.populations, comment)
  return answer
}

/// The training-time forward pass as an engine of model files.
@Suite struct TrainingEngineTests {
  @Test func aChainRunsAsTheReferenceDoes() throws {
    for steps in 1...4 {
      var model = RaisingTests.chain
      model.maximumSteps = 4
      try expectEqualEngines(
        model, InferenceInput(steps: steps, ports: [.held([9, 0, 3, 7])]), "\(steps) steps")
    }
  }

  /// Leak 1 by channel is no leak.
  @Test func aReadoutWhoseLeaksAllKeepTheMembraneRuns() throws {
    var model = RaisingTests.chain
    model.populations[2].leak = [32768, 32768]
    try expectEqualEngines(model, InferenceInput(steps: 2, ports: [.held([9, 0, 3, 7])]))
  }

  // MARK: Limits

  /// Read-out membranes go to 2^31; float32 is exact to 2^24 only.
  @Test func readoutMembranesBeyondFloatsAreExact() throws {
    let hidden = 600
    // Every neuron fires in every step: 224 · (599 · 127 + 126) = 17 068 576 > 2^24, odd on the
    // way.
    let lif = Population.LIF(threshold: 1, compare: .greaterEqual)
    let model = Model(
      name: "large", steps: 224,
      inputs: [InputPort(name: "in", shape: Shape(channels: 1), kind: .events(.once))],
      populations: [
        Population(name: "on", shape: Shape(channels: hidden), kind: .lif(lif), bias: 1),
        Population(name: "out", shape: Shape(channels: 1), kind: .readout),
      ],
      projections: [
        Projection(
          name: "none", from: .input(0), to: 0, topology: .dense,
          weights: WeightMatrix(
            rows: 1, columns: hidden, values: [Int8](repeating: 0, count: hidden))),
        Projection(
          name: "all", from: .population(0), to: 1, topology: .dense,
          weights: WeightMatrix(
            rows: hidden, columns: 1, values: [126] + [Int8](repeating: 127, count: hidden - 1))),
      ],
      readout: 1)
    try expectEqualEngines(
      model, InferenceInput(steps: 224, ports: [.events([[UInt32]](repeating: [], count: 224))]))
  }

  /// The shift of a read-out's spikes is no part of what float32 must hold.
  @Test func shiftedSumsOfAReadoutBeyondFloatsAreExact() throws {
    var model = RaisingTests.chain
    model.populations[1].bias = [4, 5]
    model.projections[2].shift = 15
    model.projections[2].weights = WeightMatrix(rows: 2, columns: 2, values: [127, 1, 126, -1])
    model.maximumSteps = 100
    let input = InferenceInput(steps: 100, ports: [.held([9, 0, 3, 7])])
    #expect(try expectEqualEngines(model, input).scores[0] > 1 << 24)
  }

  /// The reference drops them; they once became spikes of the next step.
  @Test func eventsOutsideThePortAreDropped() throws {
    var model = RaisingTests.chain
    model.inputs[0].kind = .events(.once)
    model.projections[0].shift = 3
    try expectEqualEngines(
      model, InferenceInput(steps: 2, ports: [.events([[0, 4, 5, 7], [3, 6, 1_000_000]])]))
  }
}
