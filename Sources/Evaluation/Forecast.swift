import ModelFormat

/// The spikes of one inference: all that the cost of a network depends on.
public struct SpikeHistory: Equatable, Sendable {
  /// What was presented.
  public var input: InferenceInput
  /// Per step, per population: the linear indices of the neurons that spiked.
  public var spikes: [[[UInt32]]]

  /// The spikes of an inference, one element of `spikes` per step.
  public init(input: InferenceInput, spikes: [[[UInt32]]]) {
    self.input = input
    self.spikes = spikes
  }
}

/// Counts the operations of an inference from its spikes alone, without simulating anything.
///
/// The counts are those of FORMAT.md §6 and must equal an engine's: each arriving spike costs the
/// fan-out of its source. What only membranes can tell, the saturations, is left 0.
public struct Forecast: Sendable {
  /// The model whose operations are counted.
  public let model: Model
  /// Per projection and tap.
  let fanOuts: [[FanOut]]

  /// A forecast for a valid model. Holds three words per source neuron of every tap of
  /// every projection.
  public init(for model: Model) {
    self.model = model
    fanOuts = model.projections.map { projection in
      (0..<projection.taps).map { FanOut(of: projection, tap: $0, in: model) }
    }
  }

  /// The counters of one inference, saturations 0.
  ///
  /// Precondition: `history` has the model's populations, and as many steps as its input; fewer
  /// where the model's exit rule ended it.
  public func counters(of history: SpikeHistory) -> Counters {
    var counters = Counters(zeroFor: model)
    let arrivals = Arrivals(of: history, model: model)
    for (index, accepted) in arrivals.ports.enumerated() { counters.ports[index] = accepted }
    for (index, population) in model.populations.enumerated() {
      counters.populations[index].updates = population.shape.count * history.spikes.count
      counters.populations[index].spikesOut = history.spikes.reduce(0) { $0 + $1[index].count }
    }
    for index in model.projections.indices {
      for (tap, fanOut) in fanOuts[index].enumerated() {
        count(arrivals, through: fanOut, tap: tap, in: &counters.projections[index], of: index)
      }
    }
    return counters
  }

  /// Counts what one tap of projection `index` delivers over the sample.
  private func count(
    _ arrivals: Arrivals, through fanOut: FanOut, tap: Int,
    in counted: inout Counters.Projection, of index: Int
  ) {
    if let frames = arrivals.frames(into: index, tap: tap) {
      for frame in frames {
        for (cell, value) in pooled(frame, through: fanOut).enumerated() where value != 0 {
          counted.macs += fanOut.synapses[cell]
        }
      }
      return
    }
    for step in 0..<arrivals.steps {
      for source in arrivals.spikes(into: index, tap: tap, at: step) {
        guard let cell = fanOut.cells[Int(source)] else { continue }
        counted.spikesIn += 1
        counted.synops += fanOut.synapses[cell]
      }
    }
  }

  /// The values of the pooled cells of a frame.
  func pooled(_ frame: [Int16], through fanOut: FanOut) -> [Int] {
    var sums = [Int](repeating: 0, count: fanOut.synapses.count)
    for (source, value) in frame.enumerated() {
      if let cell = fanOut.cells[source] { sums[cell] += Int(value) }
    }
    return sums
  }
}

/// What arrives at the projections of a model: spikes by step, or presented frames.
struct Arrivals {
  /// Per port: what became of its events.
  private(set) var ports: [Counters.Port]
  /// Per port, per step: the events that count; empty for values.
  private var events: [[[UInt32]]]
  /// With the spikes of encoders as events.
  private let history: SpikeHistory
  private let model: Model

  init(of history: SpikeHistory, model: Model) {
    precondition(
      history.spikes.count <= history.input.steps,
      "\(history.spikes.count) steps of spikes for an input of \(history.input.steps)")
    let input = history.input.prefix(history.spikes.count)
      .encoded(by: model.inputs.map(\.encoder))
    self.history = SpikeHistory(input: input, spikes: history.spikes)
    self.model = model
    ports = model.inputs.map { _ in Counters.Port() }
    events = []
    for (index, port) in input.ports.enumerated() {
      guard case .events(let steps) = port else {
        events.append([])
        continue
      }
      events.append(steps.map { Self.accept($0, by: model.inputs[index], &ports[index]) })
    }
  }

  /// The events of a step that a port lets in (FORMAT.md §2).
  private static func accept(
    _ events: [UInt32], by port: InputPort, _ counted: inout Counters.Port
  ) -> [UInt32] {
    var accepted = events.filter { $0 < port.shape.count }
    counted.droppedOutside += events.count - accepted.count
    if case .events(.every(let maximum)) = port.kind {
      counted.droppedOverflow += max(0, accepted.count - maximum)
      accepted = Array(accepted.prefix(maximum))
    } else {
      accepted = Array(Set(accepted))
    }
    counted.events += accepted.count
    return accepted
  }

  /// Steps of the sample.
  var steps: Int { history.input.steps }

  /// The frames that a tap of a projection delivers over the sample; nil if it carries spikes.
  func frames(into projection: Int, tap: Int) -> [[Int16]]? {
    guard case .input(let port) = model.projections[projection].source else { return nil }
    switch history.input.ports[port] {
    case .held(let frame): return [frame]
    case .frames(let frames): return frames.dropLast(model.projections[projection].delays[tap])
    case .events: return nil
    }
  }

  /// Whether a projection's frame is held over the sample.
  func isHeld(into projection: Int) -> Bool {
    guard case .input(let port) = model.projections[projection].source,
      case .held = history.input.ports[port]
    else { return false }
    return true
  }

  /// The spikes that a tap of a projection of spikes delivers in a step.
  func spikes(into projection: Int, tap: Int, at step: Int) -> [UInt32] {
    let emitted = step - model.projections[projection].delays[tap]
    guard emitted >= 0 else { return [] }
    switch model.projections[projection].source {
    case .input(let port): return events[port][emitted]
    case .population(let population): return history.spikes[emitted][population]
    }
  }
}
