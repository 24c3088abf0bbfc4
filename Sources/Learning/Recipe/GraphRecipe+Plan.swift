import Spiking
import Wiring

extension GraphRecipe {
  /// The network this graph describes over a data set's port. `defaults` hold where a population says
  /// nothing. Throws ``LearningError/value(place:expected:found:)`` naming the key that does not fit.
  func plan(input port: InputPort, defaults: NeuronConfiguration) throws -> NetworkPlan {
    var port = port
    port.name = input
    var plan = NetworkPlan(ports: [port])
    let names = populations.map(\.name)
    plan.projections = try projections.enumerated().map { index, projection in
      try projection.plan(
        at: "\(Self.place).projections.\(index)", port: input, populations: names)
    }
    for (index, population) in populations.enumerated() {
      let shape = shape(of: index, in: plan, port: port)
      plan.populations.append(
        NetworkPlan.Population(
          name: population.name, shape: shape,
          neurons: population.kind == .readout ? nil : population.neurons(defaults),
          readoutLeak: population.kind == .readout ? population.leak.map { Float($0) } : nil))
    }
    plan.readout = try Self.index(
      of: readout, among: names, at: "\(Self.place).readout", kind: "a population")
    return plan
  }

  static let place = "network.graph"

  /// Checks what can be told without a data set.
  func validate() throws {
    for (index, population) in populations.enumerated() {
      try population.validate(at: "\(Self.place).populations.\(index)")
    }
    // A port of any shape serves: names are what is checked.
    let names = populations.map(\.name)
    for (index, projection) in projections.enumerated() {
      _ = try projection.plan(
        at: "\(Self.place).projections.\(index)", port: input, populations: names)
    }
    _ = try Self.index(
      of: readout, among: names, at: "\(Self.place).readout", kind: "a population")
  }

  /// A population's shape: as stated, else as its first convolution yields from a source whose shape
  /// is known, else a vector.
  private func shape(of index: Int, in plan: NetworkPlan, port: InputPort) -> Shape {
    let population = populations[index]
    var shape = Shape(
      channels: population.channels, height: population.height ?? 1, width: population.width ?? 1)
    guard population.height == nil, population.width == nil else { return shape }
    for projection in plan.projections where projection.target == index {
      let source: Shape
      switch projection.source {
      case .input: source = port.shape
      case .population(let earlier) where earlier < index: source = plan.populations[earlier].shape
      case .population: continue
      }
      let pooled = source.pooled(by: max(projection.pool, 1))
      switch projection.topology {
      case .convolution(let geometry):
        return geometry.outputShape(of: pooled, channels: population.channels)
      case .oneToOne, .lateral:
        (shape.height, shape.width) = (pooled.height, pooled.width)
        return shape
      case .dense: continue
      }
    }
    return shape
  }

  fileprivate static func index(
    of name: String, among names: [String], at place: String, kind: String
  ) throws -> Int {
    guard let index = names.firstIndex(of: name) else {
      throw LearningError.value(
        place: place, expected: "\(kind), one of \(names.joined(separator: ", "))",
        found: "'\(name)'")
    }
    return index
  }
}

extension PopulationRecipe {
  fileprivate func neurons(_ defaults: NeuronConfiguration) -> NeuronConfiguration {
    var neurons = defaults
    switch reset {
    case .subtract: neurons.dynamics.reset = .subtract
    case .zero: neurons.dynamics.reset = .zero
    case .value: neurons.dynamics.reset = .value
    case nil: break
    }
    neurons.dynamics.resetValue = Float(resetValue)
    neurons.dynamics.refractorySteps = refractorySteps
    if let threshold { neurons.threshold = Float(threshold) }
    if let leak { neurons.leak = Float(leak) }
    neurons.currentLeak = currentLeak.map { Float($0) }
    if let bias { neurons.bias = bias }
    neurons.initial = initial.map { Float($0) }
    neurons.isNormalized = normalization
    neurons.dropout = Float(dropout)
    return neurons
  }

  fileprivate func validate(at place: String) throws {
    let sides = [("channels", channels), ("height", height ?? 1), ("width", width ?? 1)]
    for (key, side) in sides {
      try Recipe.check(1...Shape.maximumCount, "\(place).\(key)", side)
    }
    try Recipe.check(0...255, "\(place).refractory_steps", refractorySteps)
    try threshold.map {
      try Recipe.check(
        $0 >= Double(Network.leastThreshold) && $0.isFinite, "\(place).threshold",
        "a number ≥ \(Network.leastThreshold)", $0)
    }
    try leak.map { try Recipe.check(0...1, "\(place).leak", $0) }
    try currentLeak.map { try Recipe.check(0...1, "\(place).current_leak", $0) }
    try Recipe.check(
      dropout >= 0 && dropout < 1, "\(place).dropout", "a number 0…<1", dropout)
    // A mean that is taken off every step would pile up in the current; no bias can stand for that.
    try refuse(
      [("normalization", normalization && currentLeak != nil)], at: place,
      because: "'\(name)' has a synaptic current")
    guard kind == .readout else {
      try refuse(
        [("reset_value", reset != .value && resetValue != 0)], at: place,
        because: "the reset of '\(name)' is not VALUE")
      return
    }
    try refuse(
      [
        ("reset", reset != nil), ("reset_value", resetValue != 0),
        ("refractory_steps", refractorySteps != 0), ("threshold", threshold != nil),
        ("current_leak", currentLeak != nil),
        ("bias", bias == true), ("initial", initial != nil), ("normalization", normalization),
        ("dropout", dropout != 0),
      ], at: place, because: "'\(name)' is a READOUT")
  }
}

/// Refuses keys that would be ignored where they stand: what is asked for in vain is said.
private func refuse(
  _ keys: [(key: String, isAsked: Bool)], at place: String, because reason: String
) throws {
  for (key, isAsked) in keys where isAsked {
    throw LearningError.value(
      place: "\(place).\(key)", expected: "nothing: \(reason)", found: "a value")
  }
}

extension ProjectionRecipe {
  fileprivate func plan(
    at place: String, port: String, populations: [String]
  ) throws -> NetworkPlan.Projection {
    try refuse(
      [("weights", topology != .oneToOne && weights != .channel)], at: place,
      because: "'\(name)' is not ONE_TO_ONE")
    try refuse(
      [("tap_step", taps == 1 && tapStep != 1)], at: place,
      because: "'\(name)' has one tap")
    if topology != .convolution {
      try refuse(
        [
          ("kernel_height", kernelHeight != nil), ("kernel_width", kernelWidth != nil),
          ("stride_y", strideY != 1), ("stride_x", strideX != 1),
          ("padding_top", paddingTop != 0), ("padding_bottom", paddingBottom != 0),
          ("padding_left", paddingLeft != 0), ("padding_right", paddingRight != 0),
          ("dilation_y", dilationY != 1), ("dilation_x", dilationX != 1), ("groups", groups != 1),
        ], at: place, because: "'\(name)' is not CONV")
    }
    let source: Source
    switch (input, population) {
    case (let input?, nil):
      source = .input(
        try GraphRecipe.index(of: input, among: [port], at: "\(place).input", kind: "a port"))
    case (nil, let population?):
      source = .population(
        try GraphRecipe.index(
          of: population, among: populations, at: "\(place).population", kind: "a population"))
    default:
      throw LearningError.value(
        place: place, expected: "either 'input' or 'population', where '\(name)' comes from",
        found: input == nil ? "neither" : "both")
    }
    return NetworkPlan.Projection(
      name: name, from: source,
      to: try GraphRecipe.index(
        of: target, among: populations, at: "\(place).target", kind: "a population"),
      topology: try topology(at: place), pool: pool, delay: delay, taps: taps, tapStep: tapStep,
      granularity: weights)
  }

  private func topology(at place: String) throws -> Topology {
    switch topology {
    case .dense: return .dense
    case .oneToOne: return .oneToOne
    case .lateral: return .lateral
    case .convolution: break
    }
    func side(_ key: String, _ value: Int?) throws -> Int {
      guard let value else {
        throw LearningError.missingKey(place: "\(place).\(key)", expected: "a kernel side, 1…31")
      }
      try Recipe.check(1...31, "\(place).\(key)", value)
      return value
    }
    let limits: [(String, Int, ClosedRange<Int>)] = [
      ("stride_y", strideY, 1...16), ("stride_x", strideX, 1...16),
      ("padding_top", paddingTop, 0...30), ("padding_bottom", paddingBottom, 0...30),
      ("padding_left", paddingLeft, 0...30), ("padding_right", paddingRight, 0...30),
      ("dilation_y", dilationY, 1...16), ("dilation_x", dilationX, 1...16),
      ("groups", groups, 1...Shape.maximumCount),
    ]
    for (key, value, range) in limits { try Recipe.check(range, "\(place).\(key)", value) }
    return .convolution(
      Convolution(
        y: .init(
          kernel: try side("kernel_height", kernelHeight), stride: strideY,
          paddingBefore: paddingTop, paddingAfter: paddingBottom, dilation: dilationY),
        x: .init(
          kernel: try side("kernel_width", kernelWidth), stride: strideX,
          paddingBefore: paddingLeft, paddingAfter: paddingRight, dilation: dilationX),
        groups: groups))
  }
}
