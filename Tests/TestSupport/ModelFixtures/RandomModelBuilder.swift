import ModelFormat
import Wiring

import struct Tensors.RandomSource

/// Draws one model; see ``RandomModels``.
struct RandomModelBuilder {
  var random: RandomSource
  private var inputs: [InputPort] = []
  private var populations: [Population] = []
  private var projections: [Projection] = []

  init(random: RandomSource) {
    self.random = random
  }

  mutating func build(name: String) -> Model {
    for index in 0..<pick([1, 1, 2, 3]) { inputs.append(port(index)) }
    for _ in 0..<pick([1, 2, 3, 4]) { addHidden() }
    for _ in 0..<pick([0, 0, 1, 2, 3]) { addRecurrent() }
    let readouts = pick([1, 1, 1, 2])
    for _ in 0..<readouts { addReadout() }
    let steps = pick([1, 2, 3, 4, 5, 8])
    var model = Model(
      name: name, producer: pick(["", "tests 1.0", "Prüfstand"]),
      stepMicroseconds: pick([0, 1000, 0x7FFF_FFFF]), steps: steps,
      maximumSteps: pick([steps, steps + 7, 1000, 65535]), inputs: inputs,
      populations: populations, projections: projections, readout: populations.count - 1,
      goldenDigest: chance(3) ? UInt32(truncatingIfNeeded: random.next()) : nil)
    renumber(&model)
    addExit(to: &model)
    addTask(to: &model)
    shrinkUntilValid(&model)
    return model
  }

  // MARK: Choices

  mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[random.integer(below: choices.count)]
  }

  mutating func chance(_ oneIn: Int) -> Bool { random.integer(below: oneIn) == 0 }

  mutating func integer(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + random.integer(below: range.count)
  }

  // MARK: Ports

  /// The shape of a source before its pool.
  func shape(of source: Source) -> Shape {
    switch source {
    case .input(let port): inputs[port].shape
    case .population(let population): populations[population].shape
    }
  }

  /// The shape of a population that already exists.
  func targetShape(_ population: Int) -> Shape { populations[population].shape }

  private mutating func shape() -> Shape {
    switch integer(0...3) {
    case 0: Shape(channels: integer(1...12))
    case 1: Shape(channels: integer(1...3), height: 1, width: integer(1...9))
    default:
      Shape(channels: integer(1...4), height: integer(1...6), width: integer(1...6))
    }
  }

  private mutating func port(_ index: Int) -> InputPort {
    let kind: InputPort.Kind
    switch integer(0...3) {
    case 0: kind = .events(.once)
    case 1: kind = .events(.every(maximumPerStep: pick([1, 2, 5, 30, 65535])))
    default:
      let range = pick([
        (0, 1), (0, 255), (-128, 127), (-32768, 32767), (7, 7), (-9, -3), (0, 32767),
      ])
      kind = .values(minimum: range.0, maximum: range.1, framePerStep: chance(2))
    }
    var port = InputPort(
      name: "port \(index)", shape: shape(), kind: kind, origin: pick(["", "uint8 image"]))
    guard chance(3) else { return port }
    switch kind {
    case .values(let minimum, let maximum, _) where minimum >= 0:
      let certain = PoissonEncoder.certain(at: maximum)
      port.encoder = PoissonEncoder(gain: pick([1, certain, certain / 3 + 1]))
    case .events where port.shape.channels <= 2:
      let coarsening = integer(0...2)
      port.sensor = Sensor(
        width: port.shape.width << coarsening, height: port.shape.height << coarsening,
        coarsening: coarsening, polarity: pick([.offOn, .onOff]))
    default: break
    }
    return port
  }

  // MARK: Populations

  /// Adds a population fed by one projection that decides its shape, and perhaps others.
  private mutating func addHidden() {
    let first = source()
    let draft = projection(from: first)
    let target = populations.count
    populations.append(population(named: "hidden \(target)", of: draft.target))
    add(draft, from: first, to: target, delay: delay(of: first))
    for _ in 0..<pick([0, 0, 1, 2]) {
      let other = source(below: target)
      add(joining(other, target), from: other, to: target, delay: delay(of: other))
    }
  }

  /// Adds a delay-1 projection between any two populations, or from one to itself.
  private mutating func addRecurrent() {
    let target = integer(0...populations.count - 1)
    let source = Source.population(
      chance(2) ? target : integer(0...populations.count - 1))
    add(joining(source, target), from: source, to: target, delay: pick([1, 1, 1, 2, 5]))
  }

  private mutating func addReadout() {
    let first = source(below: populations.filter { !$0.isReadout }.count)
    let draft = chance(4) ? projection(from: first) : dense(from: first, to: shape())
    let target = populations.count
    populations.append(readout(of: draft.target))
    add(draft, from: first, to: target, delay: delay(of: first))
    if chance(3) {
      let other = source(below: populations.filter { !$0.isReadout }.count)
      add(joining(other, target), from: other, to: target, delay: delay(of: other))
    }
  }

  private mutating func source(below limit: Int? = nil) -> Source {
    let limit = limit ?? populations.count
    // A port is never left out for good: the first population has no other source.
    if limit == 0 || chance(3) { return .input(integer(0...inputs.count - 1)) }
    return .population(integer(0...limit - 1))
  }

  private mutating func delay(of source: Source) -> Int {
    guard chance(5) else { return 0 }
    return pick([1, 1, 2, 3, 7, 255])
  }

  private mutating func parameter(
    of shape: Shape, _ draw: (inout RandomModelBuilder) -> Int
  ) -> Parameter {
    Parameter((0..<pick([1, 1, shape.channels, shape.count])).map { _ in draw(&self) })
  }

  private mutating func leak(of shape: Shape) -> Parameter {
    if chance(3) { return .none }
    return parameter(of: shape) {
      $0.pick([32768, 32768, 0, 32767, 1, 128 * $0.integer(0...256), $0.integer(0...32768)])
    }
  }

  private mutating func population(named name: String, of shape: Shape) -> Population {
    let floor = pick([-32768, -32768, -32768, 0, -1, -integer(0...300)])
    let ceiling = pick([32767, 32767, 32767, 0, 1, integer(0...300)])
    let compare = pick([Population.LIF.Compare.greater, .greaterEqual])
    let least = compare == .greater ? 0 : 1
    let membrane = floor...ceiling
    let lif = Population.LIF(
      threshold: parameter(of: shape) {
        $0.chance(8) ? $0.pick([least, 32767]) : $0.integer(least...$0.pick([5, 60, 500]))
      },
      reset: pick([.subtract, .subtract, .zero, .value(integer(membrane))]), compare: compare,
      refractorySteps: pick([0, 0, 0, 1, 2, 255]), floor: floor, ceiling: ceiling,
      currentLeak: chance(4)
        ? parameter(of: shape) { $0.pick([32768, 0, 1, $0.integer(0...32768)]) } : .none)
    let small = max(floor, -20)...min(ceiling, 20)
    return Population(
      name: name, shape: shape, kind: .lif(lif), leak: leak(of: shape), bias: bias(of: shape),
      initial: chance(2)
        ? .none : parameter(of: shape) { $0.integer($0.chance(5) ? membrane : small) })
  }

  private mutating func bias(of shape: Shape) -> Parameter {
    if chance(2) { return .none }
    return parameter(of: shape) {
      $0.chance(10) ? $0.pick([-0xFF_FFFF, 0xFF_FFFF]) : $0.integer(-15...15)
    }
  }

  private mutating func readout(of shape: Shape) -> Population {
    Population(
      name: "readout", shape: shape, kind: .readout, leak: leak(of: shape), bias: bias(of: shape),
      initial: chance(2)
        ? .none : parameter(of: shape) { $0.pick([0, 5, -5, 1 << 30, -(1 << 30)]) })
  }

  // MARK: The whole

  private mutating func add(
    _ draft: ProjectionDraft, from source: Source, to target: Int, delay: Int
  ) {
    var (carriesValues, isHeld) = (false, false)
    if case .input(let port) = source { carriesValues = inputs[port].carriesValues }
    if case .input(let port) = source, case .values(_, _, false) = inputs[port].kind {
      isHeld = inputs[port].encoder == nil
    }
    let taps = !isHeld && chance(5) ? pick([2, 2, 3, 5, 32]) : 1
    let shift =
      carriesValues
      ? pick([0, 1, 4, 8, 12, integer(0...24)]) : pick([0, 0, 0, 0, 1, 2, 3, integer(0...15)])
    projections.append(
      Projection(
        name: "projection \(projections.count)", from: source, to: target,
        delay: isHeld ? 0 : delay, taps: taps, tapStep: taps > 1 ? pick([1, 1, 2, 3, 16]) : 1,
        topology: draft.topology, pool: draft.pool, shift: shift,
        weights: repeated(draft.weights, taps: taps)))
  }

  /// Shuffles populations and projections, so that evaluation order is not index order.
  private mutating func renumber(_ model: inout Model) {
    let order = model.populations.indices.shuffled(using: &random)
    model.populations = order.map { model.populations[$0] }
    let place = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
    model.readout = place[model.readout] ?? 0
    for index in model.projections.indices {
      let projection = model.projections[index]
      model.projections[index].target = place[projection.target] ?? 0
      if case .population(let source) = projection.source {
        model.projections[index].source = .population(place[source] ?? 0)
      }
    }
    model.projections.shuffle(using: &random)
  }

  private mutating func addExit(to model: inout Model) {
    guard chance(4) else { return }
    if chance(2),
      let spiking = model.populations.indices.filter({ !model.populations[$0].isReadout }).last
    {
      model.exit = .firstSpike(of: spiking)
    } else if model.populations[model.readout].shape.count > 1 {
      model.exit = .margin(pick([1, 50, 500, 0x7FFF_FFFF]))
    }
  }

  private mutating func addTask(to model: inout Model) {
    guard chance(2) else { return }
    let classes = model.populations[model.readout].shape.count
    model.task = Model.Task(
      classNames: chance(2) ? [] : (0..<classes).map { "class \($0)" }, dataset: "none",
      recipe: "seed: 1\n", floatAccuracy: 0.5, integerAccuracy: 1,
      units: chance(2)
        ? []
        : model.populations.map { population in
          (0..<pick([1, population.shape.channels])).map { 0.25 * Float($0) }
        })
  }

  /// Makes whatever breaks a bound smaller until the model is valid.
  private func shrinkUntilValid(_ model: inout Model) {
    while true {
      do {
        try model.validate()
        return
      } catch .boundExceeded(let place, _, _) {
        let digits = place.drop { $0 != "[" }.dropFirst().prefix { $0.isNumber }
        guard let index = Int(digits) else { preconditionFailure("no index in \(place)") }
        let isProjection = place.hasPrefix("projections")
        let target = isProjection ? model.projections[index].target : index
        shrink(target, in: &model)
      } catch {
        preconditionFailure("the random model is invalid: \(error)")
      }
    }
  }

  private func shrink(_ target: Int, in model: inout Model) {
    for index in model.projections.indices where model.projections[index].target == target {
      let carriesValues = model.carriesValues(model.projections[index])
      let shift = model.projections[index].shift
      if carriesValues && shift > 22 {
        model.projections[index].shift = 22
      } else if !carriesValues && shift > 0 {
        model.projections[index].shift -= 1
      } else {
        let halved = model.projections[index].weights.values.map { $0 / 2 }
        model.projections[index].weights.values = halved
      }
    }
    model.populations[target].bias.values = model.populations[target].bias.values.map {
      abs($0) > 1 << 14 ? $0 / 2 : $0
    }
    if model.populations[target].isReadout {
      model.maximumSteps = max(model.steps, model.maximumSteps / 2)
      model.populations[target].initial.values = model.populations[target].initial.values.map {
        $0 / 2
      }
    }
  }
}
