import ModelFormat
import Testing
import Wiring

@testable import Evaluation

@Suite struct CostTests {
  @Test func fanOutIsSmallerAtTheBorder() {
    var model = Models.camera(side: 4, steps: 1)
    model.projections[0].weights = WeightMatrix(
      rows: 2, columns: 36, values: [Int8](repeating: 1, count: 72))
    let fanOut = FanOut(of: model.projections[0], tap: 0, in: model)
    let shape = Shape(channels: 2, height: 4, width: 4)
    func synapses(_ y: Int, _ x: Int) -> Int {
      fanOut.synapses[shape.index(channel: 1, y: y, x: x)]
    }
    // 2 × 2, 2 × 3 and 3 × 3 taps of 4 channels.
    #expect(synapses(0, 0) == 16 && synapses(0, 1) == 24 && synapses(1, 1) == 36)
    #expect(fanOut.synapses == fanOut.connections)
    // A 3 × 3 convolution over 4 × 4 has (4 + 3 + 3)² = 100 pairs of places per pair of channels.
    #expect(fanOut.totalConnections == 100 * 2 * 4)
  }

  @Test func neuroBenchCountsAHeldFrameInEveryStep() {
    let history = SpikeHistory(
      input: Models.frameInput, spikes: [[[0], []], [[0], []], [[0], []]])
    let operations = Forecast(for: Models.frame).neuroBench(of: history)
    #expect(operations[0] == NeuroBenchOperations(effectiveMACs: 12, dense: 24))
    #expect(operations[1] == NeuroBenchOperations(effectiveACs: 3, dense: 12))
  }

  @Test func neuroBenchMultipliesWherePooledSpikesMeet() {
    let model = Models.camera(side: 4, steps: 2)
    let shape = model.populations[0].shape
    let neighbours = [0, 1].map { UInt32(shape.index(channel: 0, y: 0, x: $0)) }
    let history = SpikeHistory(
      input: InferenceInput(steps: 2, ports: [.events([[], []])]),
      spikes: [[[neighbours[0]], [], []], [neighbours, [], []]])
    let synapses = (0..<12).count { model.projections[1].weights[0, $0] != 0 }
    let forecast = Forecast(for: model)
    let operations = forecast.neuroBench(of: history)[1]
    #expect(operations.effectiveACs == Double(synapses))
    #expect(operations.effectiveMACs == Double(synapses))
    // Executed are three additions per synapse: one, then two.
    #expect(forecast.counters(of: history).projections[1].synops == 3 * synapses)
  }

  @Test func aSynapticCurrentIsStateToo() {
    func bytes(_ change: (inout Population.LIF) -> Void) -> [Int] {
      var model = Models.frame
      guard case .lif(var neurons) = model.populations[0].kind else { return [] }
      change(&neurons)
      model.populations[0].kind = .lif(neurons)
      return Cost(of: ScoreTotals(zeroFor: model), model: model).populations.map(\.membraneBytes)
    }
    let shapes = Models.frame.populations.map(\.shape.count)
    #expect(bytes { _ in } == [2 * shapes[0], 4 * shapes[1]])
    #expect(bytes { $0.currentLeak = [100] } == [6 * shapes[0], 4 * shapes[1]])
  }

  @Test func delayedSpikesAreCountedWhenTheyArrive() {
    var model = Models.frame
    model.projections[1].delay = 1
    let history = SpikeHistory(
      input: Models.frameInput, spikes: [[[0], []], [[0, 1], []], [[1], []]])
    let counters = Forecast(for: model).counters(of: history)
    #expect(counters.projections[1].spikesIn == 3)
    #expect(counters.populations[0].spikesOut == 4)
  }

  @Test func everyTapIsCountedWhenItDelivers() {
    var model = Models.frame
    let weights = model.projections[1].weights
    model.projections[1].taps = 2
    model.projections[1].tapStep = 2
    model.projections[1].weights = WeightMatrix(
      rows: 2 * weights.rows, columns: weights.columns, values: weights.values + weights.values)
    let history = SpikeHistory(
      input: Models.frameInput, spikes: [[[0], []], [[0, 1], []], [[1], []]])
    // Four spikes by the first tap; those of step 0 by the second, in step 2.
    #expect(Forecast(for: model).counters(of: history).projections[1].spikesIn == 5)
  }

  @Test func meansAndEnergyAreAsWorkedByHand() throws {
    let loaded = try SessionModel(Models.frame)
    let session = try Session(loaded)
    var totals = ScoreTotals(zeroFor: Models.frame)
    for label in [0, 1] {
      totals.add(
        try session.run(Models.frameInput), steps: 4, label: label,
        engine: EngineCounters(populationStepsSkipped: 0, weightBytesRead: 20))
    }
    let cost = Cost(of: totals, model: Models.frame)
    #expect(cost.populations[0].spikes == 3 && cost.populations[0].spikesPerNeuron == 1.5)
    #expect(cost.populations[0].activationSparsity == 0.5)
    #expect(cost.projections[0].connectionSparsity == 3 / 8.0)
    #expect(cost.projections.map(\.denseMACs) == [8, 4])

    let float = EnergyEstimate(of: cost, in: .float32)
    // 4 MACs and 3 additions against 12 MACs.
    #expect(abs(float.totalNanojoules - (4 * 4.6 + 3 * 0.9) / 1000) < 1e-12)
    #expect(abs(float.denseNanojoules - 12 * 4.6 / 1000) < 1e-12)
    #expect(decimal(float.breakEven, 1) == "5.1" && float.additionsPerConnection == 0.75)
    let integer = EnergyEstimate(of: cost, in: .integer)
    // 20 bytes of weights; 6 updates of 2 bytes and 6 of 4, read and written.
    #expect(abs(integer.memoryNanojoules - 1.25 * (20 + 24 + 48) / 1000) < 1e-12)
    // 12 weights and 4 outputs, written and read.
    #expect(abs(integer.denseNanojoules - (12 * 0.3 + 1.25 * 20) / 1000) < 1e-12)
    #expect(decimal(integer.breakEven, 1) == "3.0")
  }
}
