import Tensors
import Wiring

extension PreparedNetwork {
  /// Runs a batch through all populations and steps.
  ///
  /// - Parameter inputs: by port, integers as the port accepts them: `[B, H, W, C]` for held values,
  ///   `[T·B, H, W, C]` for values per step and for events (1 where an address spikes, or how often).
  public func forward(
    _ inputs: [Tensor], batch: Int, _ options: ForwardOptions = ForwardOptions(), on tape: Tape
  ) -> NetworkOutput {
    let pass = ForwardPass(self, inputs, batch: batch, options, tape)
    for component in network.schedule.components {
      if component.isRecurrent {
        pass.loop(component.populations)
      } else {
        pass.scan(component.populations[0])
      }
    }
    return pass.output
  }
}

/// One forward pass under way.
final class ForwardPass {
  let network: Network
  let numbers: Numbers
  let steps: Int
  let batch: Int
  let options: ForwardOptions
  let tape: Tape
  var output: NetworkOutput

  /// By port: `[B, …]` where held, else `[T·B, …]`; real values off the grid.
  private let ports: [Variable]
  /// By population whose component has run: what its projections see, `[T·B, …]`.
  private var spikes: [Int: Variable] = [:]

  init(
    _ prepared: PreparedNetwork, _ inputs: [Tensor], batch: Int, _ options: ForwardOptions,
    _ tape: Tape
  ) {
    network = prepared.network
    numbers = prepared.numbers
    steps = network.steps
    self.batch = batch
    self.options = options
    self.tape = tape
    output = NetworkOutput(network)
    let isOnGrid = numbers.isOnGrid
    precondition(
      inputs.count == network.ports.count,
      "\(inputs.count) inputs for a network of \(network.ports.count) ports")
    ports = zip(network.ports, inputs).map { port, input in
      // On the integer grid the unit of the target holds the scale.
      if let scale = port.scale, !isOnGrid { return Variable(input.map { $0 * scale }) }
      return Variable(input)
    }
  }

  // MARK: Currents

  /// What arrives at a population from projections that need no other step of their own component.
  struct Currents {
    /// With a step axis, each with the factor it counts with.
    var stepped: [(weight: Float, term: Variable)] = []
    /// The same in every step; scaled already.
    var held: [(weight: Float, term: Variable)] = []
  }

  /// The currents of the projections into a population whose sources have run.
  private func currents(into population: Int, except inner: Set<Int> = []) -> Currents {
    var currents = Currents()
    for index in network.incoming[population] where !inner.contains(index) {
      let projection = network.projections[index]
      switch projection.source {
      case .input(let port) where network.ports[port].isHeld:
        let current = project(ports[port], index, rows: batch)
        currents.held.append((1, shiftedRight(current, index)))
      case .input(let port):
        let current = tapped(ports[port], index)
        if network.ports[port].carriesValues {
          currents.stepped.append((1, shiftedRight(current, index)))
        } else {
          currents.stepped.append((factor(of: index), current))
        }
      case .population(let source):
        guard let spikes = spikes[source] else {
          preconditionFailure("\(network.populations[source].name) has not run")
        }
        currents.stepped.append((factor(of: index), tapped(spikes, index)))
      }
    }
    return currents
  }

  /// 2^shift of a projection from spikes.
  private func factor(of projection: Int) -> Float {
    Float(1 << numbers.projections[projection].shift)
  }

  private func shiftedRight(_ current: Variable, _ projection: Int) -> Variable {
    numbers.isOnGrid
      ? roundingShift(current, right: numbers.projections[projection].shift, on: tape) : current
  }

  /// The current of all steps through a projection, its taps' delays applied.
  private func tapped(_ signal: Variable, _ index: Int) -> Variable {
    let projection = network.projections[index]
    let terms = projection.delays.enumerated().map { tap, delay in
      project(
        delayed(signal, by: delay, steps: steps, on: tape), index, tap: tap, rows: steps * batch)
    }
    return terms.count == 1 ? terms[0] : weightedSum(terms.map { (1, $0) }, on: tape)
  }

  /// A signal of `rows` frames through the pool and the synapses of one tap.
  private func project(_ signal: Variable, _ index: Int, tap: Int = 0, rows: Int) -> Variable {
    let projection = network.projections[index]
    var weight = numbers.projections[index].weight
    if projection.taps > 1 {
      weight = part(
        tap, of: projection.taps, weight, shape: Array(weight.shape.dropFirst()), on: tape)
    }
    var signal = signal
    if projection.pool > 1 { signal = sumPool(signal, side: projection.pool, on: tape) }
    switch projection.topology {
    case .dense:
      // Events of a sensor are sparse, and nothing in front of them learns.
      if let port = network.port(of: projection), !port.carriesValues,
        let active = ActiveSources(signal.value, sources: signal.value.count / rows)
      {
        return linear(active, weight: weight, on: tape)
      }
      return linear(signal, weight: weight, rows: rows, on: tape)
    case .convolution(let geometry):
      return convolution(signal, weight: weight, geometry: geometry, on: tape)
    case .oneToOne: return oneToOne(signal, weight: weight, on: tape)
    case .lateral:
      return lateral(signal, weight: weight, neurons: signal.value.count / rows, on: tape)
    }
  }

  /// One current of all steps: the sum of all that arrive.
  private func combined(_ currents: Currents, at population: Int) -> Variable {
    let count = steps * batch * network.populations[population].shape.count
    let held = currents.held.isEmpty ? nil : weightedSum(currents.held, on: tape)
    if currents.stepped.isEmpty {
      let silence = Variable(Tensor([count]))
      return held.map { addedToSteps(silence, $0, steps: steps, on: tape) } ?? silence
    }
    let isPlain = currents.stepped.count == 1 && currents.stepped[0].weight == 1
    let sum = isPlain ? currents.stepped[0].term : weightedSum(currents.stepped, on: tape)
    return held.map { addedToSteps(sum, $0, steps: steps, on: tape) } ?? sum
  }

  // MARK: A population by itself

  /// Computes all steps of a population at once.
  func scan(_ index: Int) {
    let currents = currents(into: index)
    guard case .lif(let dynamics) = network.populations[index].neuron else {
      readout(index, currents)
      return
    }
    // A single current stays as it is: the neurons scale it, and one that is held has no step axis.
    var current: Variable
    var scale: Float = 1
    let hasCurrent = numbers.populations[index].currentLeak != nil
    let isHeld = currents.stepped.isEmpty && !currents.held.isEmpty && !hasCurrent
    if isHeld {
      current =
        currents.held.count == 1
        ? currents.held[0].term : weightedSum(currents.held, on: tape)
    } else if currents.stepped.count == 1 && currents.held.isEmpty && !hasCurrent {
      (scale, current) = currents.stepped[0]
    } else {
      current = combined(currents, at: index)
    }
    current = normalized(current, at: index)
    if let leak = numbers.populations[index].currentLeak {
      current = synapticCurrent(
        current, leak: leak, steps: steps, onGrid: numbers.isOnGrid, on: tape)
    }
    options.observer?(index, current.value)
    let pass = lifPass(
      index, dynamics, held: isHeld, scale: scale,
      current: isHeld ? nil : current.consumeValue(), inputs: current.needsGradient)
    let spikes = pass.run(current)
    finish(index, pass, spikes, mask: dropout(at: index))
  }

  private func lifPass(
    _ index: Int, _ dynamics: LIFDynamics, held: Bool, scale: Float, current: Tensor?, inputs: Bool
  ) -> LIFPass {
    var penalty = options.penalties[index]
    penalty?.strength *= options.share
    return LIFPass(
      network.populations[index], dynamics, numbers.populations[index], steps: steps,
      batch: batch, held: held, scale: scale, onGrid: numbers.isOnGrid, current: current,
      inputs: inputs, penalty: penalty, on: tape)
  }

  /// Notes what a population did and hands its spikes to later components.
  private func finish(_ index: Int, _ pass: LIFPass, _ spikes: Variable, mask: DropoutMask?) {
    self.spikes[index] = mask?.applied(to: spikes, on: tape) ?? spikes
    guard let place = network.spiking.firstIndex(of: index) else { return }
    output.rates[place] = pass.rate
    output.saturations[place] = pass.saturations
    output.penalty += pass.penalty
    if options.records {
      output.records[index] = .spiking(spikes: pass.spikes, potentials: pass.potentials)
    }
  }

  private func normalized(_ current: Variable, at index: Int) -> Variable {
    guard let normalization = network.populations[index].normalization, !numbers.isOnGrid,
      let scale = numbers.populations[index].normalizationScale
    else { return current }
    guard options.training != nil else {
      let running = CurrentStatistics(
        mean: normalization.mean.value.elements, variance: normalization.variance.value.elements)
      return normalize(current, scale: scale, running, isBatch: false, on: tape)
    }
    let statistics = CurrentStatistics(current.value, channels: scale.value.count)
    output.statistics[index] = statistics
    return normalize(current, scale: scale, statistics, isBatch: true, on: tape)
  }

  private func dropout(at index: Int) -> DropoutMask? {
    let population = network.populations[index]
    guard population.dropout > 0, let training = options.training else { return nil }
    return DropoutMask(
      probability: population.dropout, count: batch * population.shape.count,
      random: training.random.split(UInt64(index)))
  }

  private func readout(_ index: Int, _ currents: Currents) {
    let neuron = numbers.populations[index]
    let classes = network.populations[index].shape.count
    let sum = combined(currents, at: index)
    options.observer?(index, sum.value)
    if options.records {
      output.records[index] = .readout(exactMembranes(currents, neuron, classes: classes))
    }
    guard index == network.readout else { return }
    let unit = neuron.unit.first ?? 1
    let rows =
      sum.shape.last == classes
      ? sum : part(0, of: 1, sum, shape: [steps * batch, classes], on: tape)
    let membranes = integrate(rows, neuron, steps: steps, onGrid: numbers.isOnGrid, on: tape)
    output.currents = weightedSum([(unit, rows)], on: tape)
    output.membranes = weightedSum([(unit, membranes)], on: tape)
  }

  /// Membranes may pass 2^24, where float32 ends; single currents do not.
  private func exactMembranes(
    _ currents: Currents, _ neuron: PopulationNumbers, classes: Int
  ) -> [Double] {
    let row = batch * classes
    var result = [Double](repeating: 0, count: steps * row)
    ReadoutNumbers(neuron, row: row, onGrid: numbers.isOnGrid).run(
      steps: steps,
      current: { position in
        currents.stepped.reduce(0) { $0 + Double($1.weight) * Double($1.term.value[position]) }
          + currents.held.reduce(0) { $0 + Double($1.term.value[position % row]) }
      }, membrane: { result[$0] = $1 })
    return result
  }

  // MARK: Populations that hear each other

  /// Computes populations of one component step by step, in the order of a step.
  ///
  /// What comes from outside is projected for all steps beforehand. Inner spikes go through the same
  /// synapses and neurons as elsewhere, a step at a time.
  func loop(_ populations: [Int]) {
    let inside = Set(populations)
    let inner = Set(
      populations.flatMap { network.incoming[$0] }.filter { index in
        if case .population(let source) = network.projections[index].source {
          return inside.contains(source)
        }
        return false
      })
    var outside: [Int: Variable] = [:]
    var passes: [Int: LIFPass] = [:]
    var masks: [Int: DropoutMask] = [:]
    for index in populations {
      let current = combined(currents(into: index, except: inner), at: index)
      outside[index] = current
      guard case .lif(let dynamics) = network.populations[index].neuron else {
        preconditionFailure("a read-out hears itself")
      }
      // Weights of inner projections learn too, whatever comes from outside.
      let pass = lifPass(
        index, dynamics, held: false, scale: 1, current: nil,
        inputs: current.needsGradient
          || numbers.projections.contains { $0.weight.needsGradient })
      pass.begin()
      passes[index] = pass
      masks[index] = dropout(at: index)
    }
    // By population: each step's spikes, and those as projections see them.
    var spikes: [Int: [Variable]] = [:]
    var heard: [Int: [Variable]] = [:]
    var seen: [Int: [Variable]] = [:]
    var earlier: [Int: Variable] = [:]
    for step in 0..<steps {
      for index in populations {
        guard let whole = outside[index], let pass = passes[index] else { continue }
        let row = [batch] + network.populations[index].shape.extents
        var terms: [(weight: Float, term: Variable)] = [
          (1, part(step, of: steps, whole, shape: row, on: tape))
        ]
        for projection in network.incoming[index] where inner.contains(projection) {
          guard case .population(let source) = network.projections[projection].source else {
            continue
          }
          for (tap, delay) in network.projections[projection].delays.enumerated()
          where delay <= step {
            guard let signal = heard[source]?[step - delay] else { continue }
            terms.append(
              (factor(of: projection), project(signal, projection, tap: tap, rows: batch)))
          }
        }
        var current = terms.count == 1 ? terms[0].term : weightedSum(terms, on: tape)
        if let leak = numbers.populations[index].currentLeak {
          current = synapticCurrent(
            current, after: earlier[index], leak: leak, steps: 1, onGrid: numbers.isOnGrid,
            on: tape)
          earlier[index] = current
        }
        if options.observer != nil { seen[index, default: []].append(current) }
        let fired = pass.step(step, current)
        spikes[index, default: []].append(fired)
        heard[index, default: []].append(masks[index]?.applied(to: fired, on: tape) ?? fired)
      }
    }
    for index in populations {
      guard let pass = passes[index], let parts = spikes[index] else { continue }
      let shape = [steps * batch] + network.populations[index].shape.extents
      if let observer = options.observer, let currents = seen[index] {
        observer(index, joined(currents, shape: shape, on: Tape()).value)
      }
      finish(index, pass, joined(parts, shape: shape, on: tape), mask: masks[index])
    }
  }
}
