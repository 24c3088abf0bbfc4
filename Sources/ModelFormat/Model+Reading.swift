import Foundation
import SwiftProtobuf
import Wiring

/// The reader: the schema's messages to this module's types.
///
/// A field that does not belong to a kind, such as *min_value* of an EVENTS port, must be absent: a
/// value that no engine reads is a writer's mistake. A field that this version does not know must be
/// absent too, but in *task*: it may say what the model computes.
extension Model {
  /// The model of a message, not yet validated.
  init(_ message: PBModel) throws(ModelError) {
    try requireKnown(message, at: "model")
    var inputs: [InputPort] = []
    for (index, input) in message.inputs.enumerated() {
      inputs.append(try InputPort(input, at: listPlace("inputs", index, input.name)))
    }
    var populations: [Population] = []
    for (index, population) in message.populations.enumerated() {
      populations.append(
        try Population(population, at: listPlace("populations", index, population.name)))
    }
    var projections: [Projection] = []
    var budget = Self.maximumWeights
    for (index, projection) in message.projections.enumerated() {
      let read = try Projection(
        projection, budget: budget, at: listPlace("projections", index, projection.name))
      budget -= read.weights.values.count
      projections.append(read)
    }
    self.init(
      name: message.name, producer: message.producer,
      stepMicroseconds: Int(message.stepMicroseconds), steps: Int(message.steps),
      maximumSteps: Int(message.maxSteps), inputs: inputs, populations: populations,
      projections: projections, readout: Int(message.readout),
      exit: message.hasExit ? try Exit(message.exit) : nil, task: Task(message.task),
      goldenDigest: try Self.digest(message.goldenDigest))
  }

  private static func digest(_ bytes: Data) throws(ModelError) -> UInt32? {
    guard !bytes.isEmpty else { return nil }
    guard bytes.count == 4 else {
      throw .wrongCount(
        place: "golden_digest", expected: "0 or 4 bytes", found: "\(bytes.count)")
    }
    return bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
}

/// Throws unless a field that does not apply to `what` is absent.
func requireAbsent(
  _ isAbsent: Bool, _ field: String, at place: String, for what: String = "this kind"
) throws(ModelError) {
  guard isAbsent else {
    throw .malformed(
      place: "\(place).\(field)", expected: "no such field for \(what)", found: "one")
  }
}

/// Throws where a message has a field that this version does not know (FORMAT.md §10).
private func requireKnown(
  _ message: some SwiftProtobuf.Message, at place: String
) throws(ModelError) {
  var (tag, shift) = (0, 0)
  for byte in message.unknownFields.data {
    tag |= Int(byte & 0x7F) << shift
    shift += 7
    guard byte & 0x80 == 0 else { continue }
    let version = "\(Model.formatVersion.major).\(Model.formatVersion.minor)"
    throw .malformed(
      place: place, expected: "the fields of format \(version)", found: "field \(tag >> 3)")
  }
}

extension Exit {
  fileprivate init(_ message: PBExit) throws(ModelError) {
    try requireKnown(message, at: "exit")
    switch message.rule {
    case .margin(let margin): self = .margin(Int(margin))
    case .firstSpike(let population): self = .firstSpike(of: Int(population))
    case nil:
      throw .malformed(place: "exit", expected: "a rule this version knows", found: "none")
    }
  }
}

extension Shape {
  fileprivate init(_ message: PBShape, at place: String) throws(ModelError) {
    try requireKnown(message, at: place + ".shape")
    self.init(
      channels: Int(message.channels), height: Int(message.height), width: Int(message.width))
  }
}

extension InputPort {
  fileprivate init(_ message: PBInputPort, at place: String) throws(ModelError) {
    try requireKnown(message, at: place)
    let kind: Kind
    switch message.kind {
    case .events:
      try requireAbsent(message.minValue == 0, "min_value", at: place)
      try requireAbsent(message.maxValue == 0, "max_value", at: place)
      try requireAbsent(!message.framePerStep, "frame_per_step", at: place)
      switch message.multiplicity {
      case .once:
        try requireAbsent(message.maxEventsPerStep == 0, "max_events_per_step", at: place)
        kind = .events(.once)
      case .every:
        kind = .events(.every(maximumPerStep: Int(message.maxEventsPerStep)))
      case .UNRECOGNIZED(let value): throw unknownEnum(value, at: place + ".multiplicity")
      }
    case .values:
      try requireAbsent(message.multiplicity == .once, "multiplicity", at: place)
      try requireAbsent(message.maxEventsPerStep == 0, "max_events_per_step", at: place)
      kind = .values(
        minimum: Int(message.minValue), maximum: Int(message.maxValue),
        framePerStep: message.framePerStep)
    case .UNRECOGNIZED(let value): throw unknownEnum(value, at: place + ".kind")
    }
    if message.kind != .values { try requireAbsent(!message.hasEncoder, "encoder", at: place) }
    if message.kind != .events { try requireAbsent(!message.hasSensor, "sensor", at: place) }
    self.init(
      name: message.name, shape: try Shape(message.shape, at: place), kind: kind,
      origin: message.origin,
      encoder: message.hasEncoder ? try PoissonEncoder(message.encoder, at: place) : nil,
      sensor: message.hasSensor ? try Sensor(message.sensor, at: place) : nil)
  }
}

extension PoissonEncoder {
  fileprivate init(_ message: PBEncoder, at place: String) throws(ModelError) {
    try requireKnown(message, at: place + ".encoder")
    guard case .poisson(let poisson)? = message.way else {
      throw .malformed(
        place: place + ".encoder", expected: "a way this version knows", found: "none")
    }
    try requireKnown(poisson, at: place + ".encoder.poisson")
    self.init(gain: Int(poisson.gain))
  }
}

extension Sensor {
  fileprivate init(_ message: PBSensor, at place: String) throws(ModelError) {
    try requireKnown(message, at: place + ".sensor")
    let polarity: PolarityOrder
    switch message.polarity {
    case .offOn: polarity = .offOn
    case .onOff: polarity = .onOff
    case .UNRECOGNIZED(let value): throw unknownEnum(value, at: place + ".sensor.polarity")
    }
    self.init(
      width: Int(message.width), height: Int(message.height),
      coarsening: Int(message.coarsening), polarity: polarity)
  }
}

extension Population {
  fileprivate init(_ message: PBPopulation, at place: String) throws(ModelError) {
    try requireKnown(message, at: place)
    let kind: Kind
    switch message.kind {
    case .lif: kind = .lif(try LIF(message, at: place))
    case .readout:
      try requireAbsent(message.threshold.isEmpty, "threshold", at: place)
      try requireAbsent(message.reset == .subtract, "reset", at: place)
      try requireAbsent(message.resetValue == 0, "reset_value", at: place)
      try requireAbsent(message.compare == .greater, "compare", at: place)
      try requireAbsent(message.refractorySteps == 0, "refractory_steps", at: place)
      try requireAbsent(message.floor == 0, "floor", at: place)
      try requireAbsent(message.ceiling == 0, "ceiling", at: place)
      try requireAbsent(message.currentLeak.isEmpty, "current_leak", at: place)
      kind = .readout
    case .UNRECOGNIZED(let value): throw unknownEnum(value, at: place + ".kind")
    }
    self.init(
      name: message.name, shape: try Shape(message.shape, at: place), kind: kind,
      leak: Parameter(message.leak.map(Int.init)), bias: Parameter(message.bias.map(Int.init)),
      initial: Parameter(message.initial.map(Int.init)))
  }
}

extension Population.LIF {
  fileprivate init(_ message: PBPopulation, at place: String) throws(ModelError) {
    let reset: Reset
    switch message.reset {
    case .subtract: reset = .subtract
    case .zero: reset = .zero
    case .value: reset = .value(Int(message.resetValue))
    case .UNRECOGNIZED(let value): throw unknownEnum(value, at: place + ".reset")
    }
    if message.reset != .value {
      try requireAbsent(message.resetValue == 0, "reset_value", at: place)
    }
    let compare: Compare
    switch message.compare {
    case .greater: compare = .greater
    case .greaterEqual: compare = .greaterEqual
    case .UNRECOGNIZED(let value): throw unknownEnum(value, at: place + ".compare")
    }
    self.init(
      threshold: Parameter(message.threshold.map(Int.init)), reset: reset, compare: compare,
      refractorySteps: Int(message.refractorySteps), floor: Int(message.floor),
      ceiling: Int(message.ceiling), currentLeak: Parameter(message.currentLeak.map(Int.init)))
  }
}

extension Projection {
  fileprivate init(_ message: PBProjection, budget: Int, at place: String) throws(ModelError) {
    try requireKnown(message, at: place)
    try requireKnown(message.weights, at: place + ".weights")
    let source: Source
    switch message.source {
    case .input(let port): source = .input(Int(port))
    case .population(let population): source = .population(Int(population))
    case nil:
      throw .malformed(place: place, expected: "an input or a population", found: "no source")
    }
    let topology: Topology
    switch message.topology {
    case .dense: topology = .dense
    case .conv: topology = .convolution(try Convolution(message.convolution, at: place))
    case .oneToOne: topology = .oneToOne
    case .lateral: topology = .lateral
    case .UNRECOGNIZED(let value): throw unknownEnum(value, at: place + ".topology")
    }
    if message.topology != .conv {
      try requireAbsent(!message.hasConvolution, "convolution", at: place)
    }
    if message.taps <= 1 { try requireAbsent(message.tapStep == 0, "tap_step", at: place) }
    self.init(
      name: message.name, from: source, to: Int(message.target), delay: Int(message.delay),
      taps: max(Int(message.taps), 1), tapStep: message.taps <= 1 ? 1 : Int(message.tapStep),
      topology: topology, pool: max(Int(message.pool), 1), shift: Int(message.shift),
      weights: try WeightMatrix(message.weights, budget: budget, at: place + ".weights"))
  }
}

extension Convolution {
  fileprivate init(_ message: PBConvolution, at place: String) throws(ModelError) {
    try requireKnown(message, at: place + ".convolution")
    self.init(
      y: Axis(
        kernel: Int(message.kernelHeight), stride: Int(message.strideY),
        paddingBefore: Int(message.paddingTop), paddingAfter: Int(message.paddingBottom),
        dilation: Int(message.dilationY)),
      x: Axis(
        kernel: Int(message.kernelWidth), stride: Int(message.strideX),
        paddingBefore: Int(message.paddingLeft), paddingAfter: Int(message.paddingRight),
        dilation: Int(message.dilationX)),
      groups: Int(message.groups))
  }
}

extension Model.Task {
  fileprivate init(_ message: PBTask) {
    self.init(
      classNames: message.classNames, dataset: message.dataset, recipe: message.recipe,
      floatAccuracy: message.floatAccuracy, integerAccuracy: message.integerAccuracy,
      units: message.units.map(\.values))
  }
}
