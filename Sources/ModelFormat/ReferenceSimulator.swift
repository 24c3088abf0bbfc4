import Wiring

/// The normative engine: FORMAT.md §4 to §6 as plain loops.
///
/// Every other engine must yield the same integers. It is written to be read beside that page;
/// integers are `Int`, and the machine limits of §5 are preconditions. Work goes with the spikes:
/// 3 ns per synaptic operation in a release build (5.3 ms for 1.75 million operations of a
/// 28 × 28 convolutional model over 8 steps, one core of a 2-core x86-64 machine).
public struct ReferenceSimulator: Sendable {
  /// What a port receives in one step.
  public enum StepInput: Equatable, Sendable {
    /// The linear indices of the step's events, in order of arrival.
    case events([UInt32])
    /// A frame of values by linear index.
    case values([Int16])
    /// Nothing: no events, no frame in this step, or the frame already presented is held.
    case none
  }

  /// The model that is simulated.
  public let model: Model
  /// Per population: every membrane after the last step, or before step 0.
  public private(set) var membranes: [[Int32]]
  /// What has been counted since the last ``reset()``.
  public private(set) var counters: Counters

  /// Per population: the synaptic current of every neuron; unused where there is none.
  private var currents: [[Int]]
  /// Per population: steps in which a neuron's input is still lost.
  private var refractory: [[Int]]
  /// The seed of encoders since the last ``reset()``.
  private var seed: UInt32 = 0
  /// Per port with an encoder: the frame that is held.
  private var heldFrames: [[Int16]]
  /// Steps taken since the last ``reset()``: those of the input, or fewer where the model's exit rule
  /// held.
  public private(set) var steps = 0
  /// What each source emitted, by step, as far back as a projection reaches.
  private var history: [Source: [Int: Emission]]
  /// Per projection from a held frame: its scaled sum per target neuron.
  private var heldSums: [[Int]]

  /// What a source emitted in one step.
  private enum Emission {
    /// Indices of neurons that spiked or of events that count.
    case spikes([UInt32])
    /// A frame of values.
    case values([Int16])
  }

  private let synapses: [Synapses]
  private let order: [Int]
  /// Per population: its projections.
  private let incoming: [[Int]]
  /// How many steps back any projection reaches for what a source emitted.
  private let reach: [Source: Int]

  /// A simulator of `model` before step 0; throws ``ModelError`` where the model is invalid.
  public init(_ model: Model) throws(ModelError) {
    try model.validate()
    self.model = model
    order = try model.evaluationOrder()
    synapses = model.projections.map { Synapses(of: $0, in: model) }
    incoming = model.populations.indices.map { population in
      model.projections.indices.filter { model.projections[$0].target == population }
    }
    reach = Dictionary(
      model.projections.map { ($0.source, $0.reach) }, uniquingKeysWith: { max($0, $1) })
    membranes = []
    currents = []
    refractory = []
    history = [:]
    heldSums = []
    heldFrames = []
    counters = Counters(zeroFor: model)
    reset()
  }

  /// Returns to the state before step 0: initial membranes, no spike under way, counters 0.
  ///
  /// `seed`: the sample's, from which encoders draw (FORMAT.md §2).
  public mutating func reset(seed: UInt32 = 0) {
    self.seed = seed
    heldFrames = model.inputs.map { _ in [] }
    membranes = model.populations.map { population in
      population.initial.expanded(to: population.shape, default: 0).map { Int32($0) }
    }
    currents = model.populations.map { [Int](repeating: 0, count: $0.shape.count) }
    refractory = model.populations.map { [Int](repeating: 0, count: $0.shape.count) }
    history = [:]
    steps = 0
    heldSums = model.projections.map { _ in [] }
    counters = Counters(zeroFor: model)
  }

  /// Resets, runs all steps of `input` and reads the answer; `observe` receives every step.
  ///
  /// Throws ``InferenceError`` where the input does not suit the model.
  public mutating func run(
    _ input: InferenceInput, observe: (StepRecord) -> Void = { _ in }
  ) throws(InferenceError) -> Inference {
    try input.check(for: model)
    reset(seed: input.seed)
    for step in 0..<input.steps {
      let record = self.step(
        input.ports.map { port in
          switch port {
          case .held(let frame): step == 0 ? .values(frame) : .none
          case .frames(let frames): .values(frames[step])
          case .events(let events): .events(events[step])
          }
        })
      observe(record)
      if isDecided(record) { break }
    }
    return Inference(scores: membranes[model.readout], counters: counters)
  }

  /// Whether the model's exit rule holds after a step (FORMAT.md §4).
  private func isDecided(_ record: StepRecord) -> Bool {
    model.exit?.holds(after: record, scores: membranes[model.readout]) ?? false
  }

  /// One step (FORMAT.md §4). Precondition: one input per port, suiting its kind.
  public mutating func step(_ inputs: [StepInput]) -> StepRecord {
    precondition(
      inputs.count == model.inputs.count,
      "\(inputs.count) inputs for a model of \(model.inputs.count) ports")
    for port in inputs.indices {
      if let encoder = model.inputs[port].encoder {
        emit(.spikes(encode(inputs[port], by: encoder, at: port)), from: .input(port))
      } else if model.inputs[port].carriesValues {
        if case .values(let frame) = inputs[port] { emit(.values(frame), from: .input(port)) }
      } else {
        emit(.spikes(accept(inputs[port], at: port)), from: .input(port))
      }
    }
    var spikes = [[UInt32]](repeating: [], count: model.populations.count)

    for population in order {
      var sums = [Int](repeating: 0, count: model.populations[population].shape.count)
      for projection in incoming[population] {
        if case .input(let port) = model.projections[projection].source,
          model.isHeld(model.projections[projection])
        {
          addHeld(inputs[port], through: projection, to: &sums)
        } else {
          addArriving(through: projection, to: &sums)
        }
      }
      switch model.populations[population].kind {
      case .lif(let lif): spikes[population] = update(population, lif, with: sums)
      case .readout: updateReadout(population, with: sums)
      }
      counters.populations[population].updates += sums.count
      counters.populations[population].spikesOut += spikes[population].count
      emit(.spikes(spikes[population]), from: .population(population))
    }
    steps += 1
    return StepRecord(spikes: spikes, membranes: membranes)
  }

  // MARK: Input ports, FORMAT.md §2

  /// The spikes that an encoder makes in this step.
  private mutating func encode(
    _ input: StepInput, by encoder: PoissonEncoder, at port: Int
  ) -> [UInt32] {
    guard case .values(_, _, let framePerStep) = model.inputs[port].kind else {
      preconditionFailure("port \(port) has an encoder and takes events")
    }
    if framePerStep { heldFrames[port] = [] }
    if case .values(let frame) = input { heldFrames[port] = frame }
    let spikes = encoder.spikes(of: heldFrames[port], seed: seed, port: port, step: steps)
    counters.ports[port].events += spikes.count
    return spikes
  }

  /// The events of a step that count, in order of arrival.
  private mutating func accept(_ input: StepInput, at port: Int) -> [UInt32] {
    guard case .events(let events) = input else { return [] }
    guard case .events(let multiplicity) = model.inputs[port].kind else {
      preconditionFailure("events presented to port \(port), which takes values")
    }
    let inside = events.filter { $0 < model.inputs[port].shape.count }
    counters.ports[port].droppedOutside += events.count - inside.count
    var accepted: [UInt32]
    switch multiplicity {
    case .once:
      var seen: Set<UInt32> = []
      accepted = inside.filter { seen.insert($0).inserted }
    case .every(let maximum):
      accepted = Array(inside.prefix(maximum))
      counters.ports[port].droppedOverflow += inside.count - accepted.count
    }
    counters.ports[port].events += accepted.count
    return accepted
  }

  // MARK: Projections, FORMAT.md §3 and §4

  /// Keeps what a source emits in this step as long as a projection reaches back for it.
  private mutating func emit(_ emission: Emission, from source: Source) {
    history[source, default: [:]][steps] = emission
    history[source]?[steps - (reach[source] ?? 0) - 1] = nil
  }

  /// Adds the scaled sum of what all taps of a projection deliver in this step.
  private mutating func addArriving(through index: Int, to sums: inout [Int]) {
    let projection = model.projections[index]
    var arriving = [Int](repeating: 0, count: sums.count)
    for (tap, delay) in projection.delays.enumerated() {
      switch history[projection.source]?[steps - delay] {
      case nil: break
      case .spikes(let sources): deliver(sources, through: index, tap: tap, to: &arriving)
      case .values(let frame): deliver(frame, through: index, tap: tap, to: &arriving)
      }
    }
    for neuron in sums.indices { sums[neuron] += scaled(arriving[neuron], through: projection) }
  }

  private mutating func addHeld(_ input: StepInput, through index: Int, to sums: inout [Int]) {
    if case .values(let frame) = input {
      var arriving = [Int](repeating: 0, count: sums.count)
      deliver(frame, through: index, tap: 0, to: &arriving)
      heldSums[index] = arriving.map { scaled($0, through: model.projections[index]) }
    }
    precondition(
      heldSums[index].count == sums.count, "no frame was presented to projection \(index)")
    for neuron in sums.indices { sums[neuron] += heldSums[index][neuron] }
  }

  private mutating func deliver(
    _ sources: [UInt32], through index: Int, tap: Int, to arriving: inout [Int]
  ) {
    for source in sources {
      guard let cell = synapses[index].cell(of: Int(source)) else { continue }
      counters.projections[index].spikesIn += 1
      counters.projections[index].synops +=
        synapses[index].deliver(1, from: cell, tap: tap, to: &arriving)
    }
  }

  private mutating func deliver(
    _ frame: [Int16], through index: Int, tap: Int, to arriving: inout [Int]
  ) {
    for (cell, value) in synapses[index].pooled(frame).enumerated() where value != 0 {
      counters.projections[index].macs +=
        synapses[index].deliver(value, from: cell, tap: tap, to: &arriving)
    }
  }

  private func scaled(_ sum: Int, through projection: Projection) -> Int {
    guard model.carriesValues(projection) else { return sum << projection.shift }
    // Shifting an Int right is floor division.
    return projection.shift == 0 ? sum : (sum + 1 << (projection.shift - 1)) >> projection.shift
  }

  // MARK: Populations, FORMAT.md §4

  /// Updates a LIF population and returns the indices that spike, ascending.
  private mutating func update(
    _ index: Int, _ lif: Population.LIF, with sums: [Int]
  ) -> [UInt32] {
    let population = model.populations[index]
    var spikes: [UInt32] = []
    for neuron in sums.indices {
      var acc = sums[neuron]
      if !lif.currentLeak.values.isEmpty {
        let leak = lif.currentLeak.value(of: neuron, in: population.shape, default: 0)
        acc += currents[index][neuron] * leak / (1 << 15)
        currents[index][neuron] = acc
      }
      precondition(abs(acc) < 1 << 24, "|acc| of a validated model is below 2^24")
      if refractory[index][neuron] > 0 {
        refractory[index][neuron] -= 1
        continue
      }
      // Division of Int truncates toward zero.
      var v = Int(membranes[index][neuron]) * population.leak(of: neuron) / (1 << 15)
      let u = v + acc + population.bias(of: neuron)
      precondition(abs(u) < 1 << 24, "|u| of a validated model is below 2^24")
      v = min(max(u, lif.floor), lif.ceiling)
      if v != u { counters.populations[index].saturations += 1 }

      let threshold = lif.threshold.value(of: neuron, in: population.shape, default: 0)
      if lif.compare == .greater ? v > threshold : v >= threshold {
        spikes.append(UInt32(neuron))
        switch lif.reset {
        case .subtract: v -= threshold
        case .zero: v = 0
        case .value(let value): v = value
        }
        refractory[index][neuron] = lif.refractorySteps
      }
      membranes[index][neuron] = Int32(v)
    }
    return spikes
  }

  private mutating func updateReadout(_ index: Int, with sums: [Int]) {
    let population = model.populations[index]
    for neuron in sums.indices {
      let decayed = Int(membranes[index][neuron]) * population.leak(of: neuron) / (1 << 15)
      let v = decayed + sums[neuron] + population.bias(of: neuron)
      precondition(abs(v) < 1 << 31, "|v| of a validated read-out is below 2^31")
      membranes[index][neuron] = Int32(v)
    }
  }
}
