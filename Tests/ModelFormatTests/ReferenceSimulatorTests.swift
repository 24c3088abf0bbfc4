import ModelFixtures
import ModelFormat
import Testing

/// Trajectories worked by hand, one rule of FORMAT.md §4 each.
@Suite struct ReferenceSimulatorTests {
  /// The membranes and spike counts (as read-out) of neuron 0 behind `counts[t]` events at step t.
  private func trajectory(
    _ model: Model, events counts: [Int]
  ) throws -> (membranes: [Int], spikes: [Int], counters: Counters) {
    var simulator = try ReferenceSimulator(model)
    var (membranes, spikes) = ([Int](), [Int]())
    for count in counts {
      let record = simulator.step([.events([UInt32](repeating: 0, count: count))])
      membranes.append(Int(record.membranes[0][0]))
      spikes.append(record.spikes[0].count)
    }
    return (membranes, spikes, simulator.counters)
  }

  @Test func leakTruncatesTowardZero() throws {
    // Leak 1/2: 7 → 3.5 → 3 → 1.5 → 1 → 0.5 → 0, and its mirror image.
    let lif = Population.LIF(threshold: 100)
    let up = TinyModels.neuron(weight: 7, lif: lif, leak: 16384)
    #expect(try trajectory(up, events: [1, 0, 0, 0]).membranes == [7, 3, 1, 0])
    let down = TinyModels.neuron(weight: -7, lif: lif, leak: 16384)
    #expect(try trajectory(down, events: [1, 0, 0, 0]).membranes == [-7, -3, -1, 0])
    // 32767/32768 of ±1 is 0; leak 32768 keeps it, leak 0 forgets it.
    for (leak, after) in [(32767, 0), (32768, 1), (0, 0)] {
      let model = TinyModels.neuron(weight: 1, lif: lif, leak: Parameter([leak]))
      #expect(try trajectory(model, events: [1, 0]).membranes == [1, after], "leak \(leak)")
    }
  }

  @Test func leakComesBeforeInput() throws {
    // trunc0(5/2) + 5 = 7, trunc0(7/2) + 5 = 8.
    let model = TinyModels.neuron(weight: 5, lif: .init(threshold: 100), leak: 16384)
    #expect(try trajectory(model, events: [1, 1, 1]).membranes == [5, 7, 8])
  }

  @Test func membraneSaturatesOncePerStep() throws {
    // 8 events of 20 at once and bias −30: 130 is clamped to 100; later −50 − 30 to −50.
    let lif = Population.LIF(threshold: 1000, floor: -50, ceiling: 100)
    let model = TinyModels.neuron(weight: 20, lif: lif, bias: -30)
    let result = try trajectory(model, events: [8, 0, 0, 0, 0, 0])
    #expect(result.membranes == [100, 70, 40, 10, -20, -50])
    #expect(result.counters.populations[0].saturations == 1)
    let further = try trajectory(model, events: [8, 0, 0, 0, 0, 0, 0, 0])
    #expect(further.membranes.suffix(2) == [-50, -50])
    #expect(further.counters.populations[0].saturations == 3)
    #expect(further.counters.populations[0].updates == 8)
  }

  @Test func resetsDiffer() throws {
    // Weight 7, threshold 5: v = 7 fires in the first step.
    func membranes(_ reset: Population.LIF.Reset) throws -> [Int] {
      let model = TinyModels.neuron(weight: 7, lif: .init(threshold: 5, reset: reset))
      return try trajectory(model, events: [1, 0]).membranes
    }
    #expect(try membranes(.subtract) == [2, 2])
    #expect(try membranes(.zero) == [0, 0])
    #expect(try membranes(.value(-3)) == [-3, -3])
  }

  @Test func subtractResetLeavesANeuronHot() throws {
    // 17 − 5 = 12 > 5 fires without input, then 7 > 5, then 2.
    let model = TinyModels.neuron(weight: 17, lif: .init(threshold: 5))
    let result = try trajectory(model, events: [1, 0, 0, 0])
    #expect(result.membranes == [12, 7, 2, 2])
    #expect(result.spikes == [1, 1, 1, 0])
  }

  @Test func greaterAndGreaterEqualDifferAtTheThreshold() throws {
    let above = TinyModels.neuron(weight: 5, lif: .init(threshold: 5, compare: .greater))
    #expect(try trajectory(above, events: [1, 0]).spikes == [0, 0])
    let at = TinyModels.neuron(weight: 5, lif: .init(threshold: 5, compare: .greaterEqual))
    #expect(try trajectory(at, events: [1, 0]).spikes == [1, 0])
  }

  @Test func refractoryNeuronKeepsItsMembraneAndLosesItsInput() throws {
    // 9 fires, 4 remains; two steps of input are lost and nothing leaks; then 4·½ + 9 = 11 fires.
    let model = TinyModels.neuron(
      weight: 9, lif: .init(threshold: 5, refractorySteps: 2), leak: 16384)
    let result = try trajectory(model, events: [1, 1, 1, 1, 0])
    #expect(result.membranes == [4, 4, 4, 6, 6])
    #expect(result.spikes == [1, 0, 0, 1, 0])
    // The lost events still are synaptic operations.
    #expect(result.counters.projections[0] == .init(spikesIn: 4, synops: 4, macs: 0))
  }

  @Test func initialMembraneAndBiasActInStepZero() throws {
    let model = TinyModels.neuron(lif: .init(threshold: 10), bias: 3, initial: 4)
    #expect(try trajectory(model, events: [0, 0, 0]).membranes == [7, 10, 3])
  }

  @Test func everyEventCountsUpToItsLimit() throws {
    let model = TinyModels.neuron(weight: 1, lif: .init(threshold: 100))
    var simulator = try ReferenceSimulator(model)
    let events = [UInt32](repeating: 0, count: 5) + [1] + [UInt32](repeating: 0, count: 6)
    #expect(simulator.step([.events(events)]).membranes[0] == [8])
    #expect(
      simulator.counters.ports[0] == .init(events: 8, droppedOutside: 1, droppedOverflow: 3))
  }

  @Test func onceMergesRepetitions() throws {
    var model = TinyModels.neuron(weight: 1, lif: .init(threshold: 100))
    model.inputs[0].kind = .events(.once)
    var simulator = try ReferenceSimulator(model)
    #expect(simulator.step([.events([0, 0, 0])]).membranes[0] == [1])
    #expect(simulator.counters.ports[0] == .init(events: 1))
  }

  // MARK: Values

  private func valueModel(
    weight: Int8, shift: Int, framePerStep: Bool, range: ClosedRange<Int> = -100...100
  ) -> Model {
    var model = TinyModels.neuron(
      weight: weight, lif: .init(threshold: 30000, floor: -32768, ceiling: 32767))
    model.inputs[0].kind = .values(
      minimum: range.lowerBound, maximum: range.upperBound, framePerStep: framePerStep)
    model.projections[0].shift = shift
    return model
  }

  @Test func valuesAreRoundedByTheirShift() throws {
    // (a + 2) >> 2, floor: halves round up, on both sides of 0.
    let expected = [(5, 1), (6, 2), (7, 2), (-5, -1), (-6, -1), (-7, -2), (2, 1), (-2, 0), (1, 0)]
    for (value, scaled) in expected {
      var simulator = try ReferenceSimulator(valueModel(weight: 1, shift: 2, framePerStep: true))
      #expect(simulator.step([.values([Int16(value)])]).membranes[0] == [Int32(scaled)], "\(value)")
    }
  }

  @Test func heldFrameContributesEveryStepAndIsPresentedOnce() throws {
    var simulator = try ReferenceSimulator(valueModel(weight: 3, shift: 1, framePerStep: false))
    // (3·5 + 1) >> 1 = 8 in every step.
    let answer = try simulator.run(InferenceInput(steps: 3, ports: [.held([5])]))
    #expect(simulator.membranes[0] == [24])
    #expect(answer.counters.projections[0] == .init(spikesIn: 0, synops: 0, macs: 1))
    #expect(answer.counters.ports[0] == .init())
  }

  @Test func zeroValuesAreNoOperations() throws {
    var simulator = try ReferenceSimulator(valueModel(weight: 3, shift: 0, framePerStep: true))
    let answer = try simulator.run(InferenceInput(steps: 3, ports: [.frames([[5], [0], [-2]])]))
    #expect(simulator.membranes[0] == [9])
    #expect(answer.counters.projections[0].macs == 2)
  }

  @Test func valueOutsideItsRangeIsRefused() throws {
    var simulator = try ReferenceSimulator(valueModel(weight: 3, shift: 0, framePerStep: false))
    #expect(
      throws: InferenceError.unsuitable(
        place: "ports[0] \"in\"[0]", expected: "-100...100", found: "101")
    ) { try simulator.run(InferenceInput(steps: 1, ports: [.held([101])])) }
  }

  // MARK: Read-out

  @Test func readoutLeaksTowardZeroAndNeverClamps() throws {
    var model = TinyModels.neuron(weight: 127, lif: .init(threshold: 0))
    model.populations[1].leak = 16384
    model.populations[1].initial = -100_001
    model.populations[1].bias = 1
    var simulator = try ReferenceSimulator(model)
    // −100001/2 → −50000, + 1; −49999/2 → −24999, + 1.
    #expect(simulator.step([.none]).membranes[1] == [-49999])
    #expect(simulator.step([.none]).membranes[1] == [-24998])
  }

  @Test func tiesGoToTheLowestIndex() {
    let counters = Counters(populations: [], projections: [], ports: [])
    #expect(Inference(scores: [1, 3, 3, -2], counters: counters).classIndex == 1)
    #expect(Inference(scores: [0, 0], counters: counters).classIndex == 0)
    #expect(Inference(scores: [-5, -7, -5], counters: counters).classIndex == 0)
  }
}
