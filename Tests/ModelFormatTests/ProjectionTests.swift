import ModelFixtures
import ModelFormat
import Testing
import Wiring

/// What reaches a target through one projection, worked by hand (FORMAT.md §3).
@Suite struct ProjectionTests {
  /// The membranes of the target after the sources `events` have spiked once, in 1 step.
  private func arriving(
    at target: Shape, from source: Shape, events: [UInt32], topology: Topology,
    weights: WeightMatrix, pool: Int = 1, shift: Int = 0
  ) throws -> (membranes: [Int32], counters: Counters.Projection) {
    let model = TinyModels.chain(
      input: InputPort(name: "in", shape: source, kind: .events(.once)),
      hidden: Population(name: "target", shape: target, kind: .lif(.init(threshold: 30000))),
      first: Projection(
        name: "tested", from: .input(0), to: 0, topology: topology, pool: pool, shift: shift,
        weights: weights))
    var simulator = try ReferenceSimulator(model)
    let record = simulator.step([.events(events)])
    return (record.membranes[0], simulator.counters.projections[0])
  }

  @Test func denseEntryGoesFromRowToColumn() throws {
    let result = try arriving(
      at: Shape(channels: 3), from: Shape(channels: 2), events: [1], topology: .dense,
      weights: WeightMatrix(rows: 2, columns: 3, values: [1, 2, 3, 4, 0, 6]), shift: 2)
    #expect(result.membranes == [16, 0, 24])
    #expect(result.counters == .init(spikesIn: 1, synops: 2, macs: 0))
  }

  /// Cross-correlation: the output left of a spike sees it through a tap right of the centre.
  @Test func convolutionIsCrossCorrelation() throws {
    let weights = WeightMatrix(rows: 1, columns: 3, values: [1, 2, 3])
    let axis = Convolution.Axis(kernel: 3, padding: 1)
    let line = Shape(channels: 1, height: 1, width: 5)
    let geometry = Convolution(y: .init(kernel: 1), x: axis)
    func membranes(_ spike: UInt32) throws -> [Int32] {
      try arriving(
        at: line, from: line, events: [spike], topology: .convolution(geometry), weights: weights
      ).membranes
    }
    #expect(try membranes(2) == [0, 3, 2, 1, 0])
    #expect(try membranes(0) == [2, 1, 0, 0, 0])
    #expect(try membranes(4) == [0, 0, 0, 3, 2])
  }

  /// A 2 × 3 kernel over 3 × 3 with one row of padding above: rows are kernel rows.
  @Test func asymmetricKernelKeepsRowsAndColumnsApart() throws {
    let weights = WeightMatrix(rows: 1, columns: 6, values: [1, 2, 3, 4, 5, 6])
    let geometry = Convolution(y: .init(kernel: 2), x: .init(kernel: 3, padding: 1))
    let result = try arriving(
      at: Shape(channels: 1, height: 2, width: 3), from: Shape(channels: 1, height: 3, width: 3),
      events: [4], topology: .convolution(geometry), weights: weights)
    // Source (1, 1): output (0, x) sees it in kernel row 1, output (1, x) in row 0.
    #expect(result.membranes == [6, 5, 4, 3, 2, 1])
  }

  @Test func strideAndDilationSkip() throws {
    let weights = WeightMatrix(rows: 1, columns: 2, values: [10, 20])
    let axis = Convolution.Axis(kernel: 2, stride: 2, dilation: 3)
    let geometry = Convolution(y: .init(kernel: 1), x: axis)
    let source = Shape(channels: 1, height: 1, width: 8)
    // Outputs 0, 1, 2 see sources (0, 3), (2, 5), (4, 7).
    #expect(axis.outputLength(of: 8) == 3)
    for (spike, expected) in [
      (0, [10, 0, 0]), (3, [20, 0, 0]), (5, [0, 20, 0]), (7, [0, 0, 20]),
      (4, [0, 0, 10]), (1, [0, 0, 0]), (6, [0, 0, 0]),
    ] {
      let result = try arriving(
        at: Shape(channels: 1, height: 1, width: 3), from: source, events: [UInt32(spike)],
        topology: .convolution(geometry), weights: weights)
      #expect(result.membranes == expected.map { Int32($0) }, "spike \(spike)")
    }
  }

  @Test func groupsKeepChannelsApart() throws {
    // 4 channels in 2 groups onto 2 channels: 0, 1 → 0 and 2, 3 → 1.
    let weights = WeightMatrix(rows: 4, columns: 1, values: [1, 2, 3, 4])
    let geometry = Convolution(kernel: 1, groups: 2)
    for (spike, expected) in [(0, [1, 0]), (1, [2, 0]), (2, [0, 3]), (3, [0, 4])] {
      let result = try arriving(
        at: Shape(channels: 2), from: Shape(channels: 4), events: [UInt32(spike)],
        topology: .convolution(geometry), weights: weights)
      #expect(result.membranes == expected.map { Int32($0) }, "spike \(spike)")
    }
  }

  @Test func poolDropsSourcesOutsideAFullWindow() throws {
    // 3 × 5 pooled by 2: 1 × 2 cells; the last row and the last column feed nothing.
    let weights = WeightMatrix(rows: 2, columns: 2, values: [1, 0, 0, 10])
    let result = try arriving(
      at: Shape(channels: 2), from: Shape(channels: 1, height: 3, width: 5),
      events: [0, 6, 2, 4, 9, 10, 14], topology: .dense, weights: weights, pool: 2)
    #expect(result.membranes == [2, 10])
    #expect(result.counters == .init(spikesIn: 3, synops: 3, macs: 0))
  }

  @Test func oneToOneWeighsByPopulationChannelOrNeuron() throws {
    let shape = Shape(channels: 2, height: 1, width: 2)
    for (weights, expected) in [
      ([5], [5, 5, 0, 5]), ([5, 6], [5, 6, 0, 6]), ([5, 6, 7, 0], [5, 6, 0, 0]),
    ] {
      let result = try arriving(
        at: shape, from: shape, events: [0, 1, 3], topology: .oneToOne,
        weights: WeightMatrix(rows: 1, columns: weights.count, values: weights.map { Int8($0) }))
      #expect(result.membranes == expected.map { Int32($0) })
      #expect(result.counters.synops == (weights.last == 0 ? 2 : 3))
    }
  }

  @Test func lateralReachesAllOthers() throws {
    let shape = Shape(channels: 4)
    let result = try arriving(
      at: shape, from: shape, events: [1, 3], topology: .lateral,
      weights: WeightMatrix(rows: 1, columns: 1, values: [-3]))
    #expect(result.membranes == [-6, -3, -6, -3])
    #expect(result.counters == .init(spikesIn: 2, synops: 6, macs: 0))
  }

  /// A neuron that excites itself with delay 1 rings once a step; delay-1 spikes of the last step
  /// are never delivered.
  @Test func delayedSpikesArriveOneStepLater() throws {
    var model = TinyModels.neuron(weight: 2, lif: .init(threshold: 1, reset: .zero))
    model.projections.append(
      Projection(
        name: "echo", from: .population(0), to: 0, delay: 1, topology: .dense,
        weights: WeightMatrix(rows: 1, columns: 1, values: [2])))
    model.projections.append(
      Projection(
        name: "late copy", from: .population(0), to: 1, delay: 1, topology: .dense,
        weights: WeightMatrix(rows: 1, columns: 1, values: [10])))
    var simulator = try ReferenceSimulator(model)
    let answer = try simulator.run(InferenceInput(steps: 3, ports: [.events([[0], [], []])]))
    #expect(answer.scores == [1 + 11 + 11])
    #expect(answer.counters.populations[0].spikesOut == 3)
    #expect(answer.counters.projections[2].spikesIn == 2)
    let again = try simulator.run(InferenceInput(steps: 3, ports: [.events([[], [], []])]))
    #expect(again.scores == [0], "no spike is under way after a reset")
  }

  /// Events of steps 0 and 1 through taps of weight 1, 10 and 100, of delay 1, 3 and 5.
  @Test func tapsDeliverWhatTheirDelayAgoWas() throws {
    let unit = Shape(channels: 1)
    let model = Model(
      name: "taps", steps: 7,
      inputs: [InputPort(name: "in", shape: unit, kind: .events(.once))],
      populations: [Population(name: "sum", shape: unit, kind: .readout)],
      projections: [
        Projection(
          name: "late", from: .input(0), to: 0, delay: 1, taps: 3, tapStep: 2, topology: .dense,
          weights: WeightMatrix(rows: 3, columns: 1, values: [1, 10, 100]))
      ], readout: 0)
    var simulator = try ReferenceSimulator(model)
    var sums: [Int32] = []
    let events: [[UInt32]] = [[0], [0], [], [], [], [], []]
    let answer = try simulator.run(InferenceInput(steps: 7, ports: [.events(events)])) {
      sums.append($0.membranes[0][0])
    }
    #expect(sums == [0, 1, 2, 12, 22, 122, 222])
    #expect(answer.counters.projections[0] == .init(spikesIn: 6, synops: 6, macs: 0))
    // What is under way after the last step is not delivered.
    let short = try simulator.run(
      InferenceInput(steps: 3, ports: [.events(Array(events.prefix(3)))]))
    #expect(short.scores == [2])
  }

  /// The values of all taps are added before they are shifted: (3 + 3 + 2) >> 2, not twice (3 + 2) >> 2.
  @Test func valuesOfAllTapsAreRoundedOnce() throws {
    let unit = Shape(channels: 1)
    let model = Model(
      name: "values", steps: 2,
      inputs: [
        InputPort(
          name: "in", shape: unit, kind: .values(minimum: 0, maximum: 9, framePerStep: true))
      ],
      populations: [Population(name: "sum", shape: unit, kind: .readout)],
      projections: [
        Projection(
          name: "both", from: .input(0), to: 0, taps: 2, topology: .oneToOne, shift: 2,
          weights: WeightMatrix(rows: 2, columns: 1, values: [1, 1]))
      ], readout: 0)
    var simulator = try ReferenceSimulator(model)
    let answer = try simulator.run(InferenceInput(steps: 2, ports: [.frames([[3], [3]])]))
    #expect(answer.scores == [1 + 2])
    #expect(answer.counters.projections[0].macs == 3)
  }

  @Test func populationsAreEvaluatedAlongDelayZero() throws {
    // Index order is the reverse of evaluation order: 1 feeds 0.
    let one = WeightMatrix(rows: 1, columns: 1, values: [1])
    let lif = Population.Kind.lif(.init(threshold: 0))
    let unit = Shape(channels: 1)
    let model = Model(
      name: "reverse", steps: 1,
      inputs: [InputPort(name: "in", shape: unit, kind: .events(.once))],
      populations: [
        Population(name: "out", shape: unit, kind: .readout),
        Population(name: "b", shape: unit, kind: lif),
        Population(name: "a", shape: unit, kind: lif),
      ],
      projections: [
        Projection(name: "b-out", from: .population(1), to: 0, topology: .dense, weights: one),
        Projection(name: "a-b", from: .population(2), to: 1, topology: .dense, weights: one),
        Projection(name: "in-a", from: .input(0), to: 2, topology: .dense, weights: one),
      ], readout: 0)
    #expect(try model.evaluationOrder() == [2, 1, 0])
    var simulator = try ReferenceSimulator(model)
    let answer = try simulator.run(InferenceInput(steps: 1, ports: [.events([[0]])]))
    #expect(answer.scores == [1])
  }
}
