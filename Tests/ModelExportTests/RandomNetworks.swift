import ModelCompression
import ModelFormat
import Spiking
import Tensors
import Wiring

/// Quantised networks of every kind the trainer builds, and inputs for them: pure functions of a
/// seed.
///
/// Parameters move after the grid is chosen, as in training, and reach its ends.
struct RandomNetworks {
  private var random: RandomSource

  private init(seed: UInt64) { random = RandomSource(seed: seed) }

  static func network(seed: UInt64) throws -> Network {
    var networks = RandomNetworks(seed: seed)
    return try networks.network(named: "network \(seed)")
  }

  /// Two samples: one of the network's steps, one of a number of its own.
  static func inputs(for network: Network, seed: UInt64) -> [InferenceInput] {
    var networks = RandomNetworks(seed: seed)
    networks.random = networks.random.split(1)
    return [network.steps, networks.integer(1...6)].map { networks.input(for: network, steps: $0) }
  }

  // MARK: Choices

  private mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[random.integer(below: choices.count)]
  }

  private mutating func chance(_ oneIn: Int) -> Bool { random.integer(below: oneIn) == 0 }

  private mutating func integer(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + random.integer(below: range.count)
  }

  private mutating func uniform(_ range: ClosedRange<Double>) -> Float {
    Float(random.uniform(range))
  }

  // MARK: Networks

  private mutating func network(named name: String) throws -> Network {
    let shape = Shape(
      channels: integer(1...3), height: integer(1...7), width: integer(1...7))
    let classes = integer(2...5)
    let neurons = NeuronConfiguration(
      dynamics: LIFDynamics(
        reset: pick([.subtract, .zero]), compare: pick([.greater, .greaterOrEqual])),
      thresholdGranularity: pick(Granularity.allCases),
      leakGranularity: pick(Granularity.allCases), threshold: uniform(0.3...1.5),
      leak: chance(4) ? 1 : uniform(0.2...1), bias: chance(2))
    let network = try Network(
      name: name, architecture: Architecture(architecture(over: shape) + "-\(classes)"),
      input: chance(2) ? .values(shape, scale: pick([1 / 255, 1 / 256, 0.01])) : .events(shape),
      classes: classes, steps: integer(1...6), neurons: neurons, random: random.split(2))
    for layer in network.layers { draw(layer) }
    network.quantize { _ in pick([.eight, .four, .ternary, WeightBits(rawValue: 3) ?? .four]) }
    for layer in network.layers { move(layer) }
    if chance(4) { try narrowRanges(of: network) }
    return network
  }

  private mutating func architecture(over shape: Shape) -> String {
    var tokens: [String] = []
    var extents = shape
    for _ in 0..<integer(0...2) {
      extents = pool(extents, &tokens)
      let kernel = integer(1...3)
      let geometry = ConvolutionGeometry(stride: integer(1...2), padding: integer(0...2))
      let synapse = Synapse.convolution(outputs: integer(1...5), kernel: kernel, geometry: geometry)
      guard let output = synapse.outputShape(for: extents) else { continue }
      tokens.append("\(output.channels)C\(kernel)s\(geometry.stride)p\(geometry.padding)")
      extents = output
    }
    extents = pool(extents, &tokens)
    let isSpiking = tokens.contains { $0.contains("C") }
    for _ in 0..<integer(isSpiking ? 0...1 : 1...2) { tokens.append("\(integer(1...13))") }
    return tokens.joined(separator: "-")
  }

  private mutating func pool(_ shape: Shape, _ tokens: inout [String]) -> Shape {
    let isOpen = tokens.last?.hasPrefix("P") ?? false
    let side = integer(2...3)
    guard chance(3), !isOpen, min(shape.height, shape.width) >= side else { return shape }
    tokens.append("P\(side)")
    return shape.pooled(side)
  }

  /// Weights of any size beside the thresholds, some pruned; leaks and biases that differ.
  private mutating func draw(_ layer: Layer) {
    let gain = uniform(0.3...4)
    layer.weight.value.apply { $0 * gain }
    if chance(4) {
      layer.weight.mask = Tensor(
        layer.weight.value.shape,
        (0..<layer.weight.value.count).map { _ in chance(2) ? 0 : 1 })
    }
    if !chance(3) { vary(layer.threshold, by: 0.4...2) }
    if !chance(3) { vary(layer.leak, by: 0.5...1.2) }
    if let bias = layer.bias {
      for index in 0..<bias.value.count { bias.value[index] = uniform(-0.3...0.4) }
    }
    for parameter in layer.parameters { parameter.enforceConstraints() }
  }

  /// What training does to a quantised layer, and more.
  private mutating func move(_ layer: Layer) {
    for parameter in layer.hook?.parameters ?? [] { vary(parameter, by: 0.4...2) }
    for parameter in [layer.threshold, layer.bias].compactMap({ $0 }) where chance(3) {
      let index = random.integer(below: parameter.value.count)
      // Far beyond int16 in membrane units, and nothing.
      parameter.value[index] = pick([1e6, parameter.role == .bias ? -1e6 : 1e-12])
    }
    if let leak = layer.leak, chance(4) {
      leak.value[random.integer(below: leak.value.count)] = pick([0, 0.001, 0.5, 0.999])
    }
  }

  private mutating func vary(_ parameter: Spiking.Parameter?, by range: ClosedRange<Double>) {
    guard let parameter else { return }
    for index in 0..<parameter.value.count { parameter.value[index] *= uniform(range) }
  }

  /// Ranges that clamp, asymmetric and down to nothing.
  private mutating func narrowRanges(of network: Network) throws {
    try network.restoreGrid(
      network.gridChoices.mapValues { choice in
        var choice = choice
        choice.floor = pick([0, -7, -300, -32768])
        choice.ceiling = pick([0, 40, 700, 32767])
        return choice
      })
  }

  // MARK: Inputs

  private mutating func input(for network: Network, steps: Int) -> InferenceInput {
    let count = network.input.shape.count
    guard network.input.scale == nil else {
      let frame = (0..<count).map { _ in Int16(pick([0, 255, integer(0...255)])) }
      return InferenceInput(steps: steps, ports: [.held(frame)])
    }
    let events = (0..<steps).map { _ in
      // One address in twenty lies outside the port.
      (0..<integer(0...count)).map { _ in
        UInt32(integer(0...count - 1) + (chance(20) ? count : 0))
      }
    }
    return InferenceInput(steps: steps, ports: [.events(events)])
  }
}
