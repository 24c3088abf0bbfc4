import ModelCompression
import ModelFormat
import Spiking
import Tensors
import Wiring

/// Quantised networks of every kind the trainer builds and the format can say, and inputs for them:
/// pure functions of a seed. Even seeds are chains, odd ones graphs.
///
/// Parameters move after the grid is chosen, as in training, and reach its ends.
struct RandomNetworks {
  var random: RandomSource

  private init(seed: UInt64) { random = RandomSource(seed: seed) }

  static func network(seed: UInt64) throws -> (Network, QuantizedArithmetic) {
    var networks = RandomNetworks(seed: seed)
    let name = "network \(seed)"
    let isChain = seed.isMultiple(of: 2)
    return try networks.quantized(
      isChain ? networks.chain(named: name) : networks.graph(named: name), isChain: isChain)
  }

  /// Two samples: one of the network's steps, one of a number of its own.
  static func inputs(for network: Network, seed: UInt64) -> [InferenceInput] {
    var networks = RandomNetworks(seed: seed)
    networks.random = networks.random.split(1)
    return [network.steps, networks.integer(1...6)].map { networks.input(for: network, steps: $0) }
  }

  // MARK: Choices

  mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[random.integer(below: choices.count)]
  }

  mutating func chance(_ oneIn: Int) -> Bool { random.integer(below: oneIn) == 0 }

  mutating func integer(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + random.integer(below: range.count)
  }

  mutating func uniform(_ range: ClosedRange<Double>) -> Float {
    Float(random.uniform(range))
  }

  // MARK: Chains

  private mutating func chain(named name: String) throws -> Network {
    let shape = Shape(
      channels: integer(1...3), height: integer(1...7), width: integer(1...7))
    let classes = integer(2...5)
    let neurons = NeuronConfiguration(
      dynamics: LIFDynamics(
        reset: pick([.subtract, .zero]), compare: pick([.greater, .greaterOrEqual])),
      thresholdGranularity: pick(Granularity.allCases),
      leakGranularity: pick(Granularity.allCases), threshold: uniform(0.3...1.5),
      leak: chance(4) ? 1 : uniform(0.2...1), currentLeak: chance(4) ? uniform(0.2...1) : nil,
      bias: chance(2))
    return try Network(
      name: name, architecture: Architecture(architecture(over: shape) + "-\(classes)"),
      input: chance(2) ? .bytes(shape, scale: pick([1 / 255, 1 / 256, 0.01])) : .events(shape),
      classes: classes, steps: integer(1...6), neurons: neurons, random: random.split(2))
  }

  private mutating func architecture(over shape: Shape) -> String {
    var tokens: [String] = []
    var extents = shape
    for _ in 0..<integer(0...2) {
      extents = pool(extents, &tokens)
      let kernel = integer(1...3)
      let geometry = Convolution(kernel: kernel, stride: integer(1...2), padding: integer(0...2))
      let output = geometry.outputShape(of: extents, channels: integer(1...5))
      guard output.count > 0 else { continue }
      tokens.append("\(output.channels)C\(kernel)s\(geometry.y.stride)p\(geometry.y.paddingBefore)")
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
    return shape.pooled(by: side)
  }

  // MARK: Numbers

  private mutating func quantized(
    _ network: Network, isChain: Bool
  ) throws -> (Network, QuantizedArithmetic) {
    for index in network.populations.indices { draw(network, index, isChain: isChain) }
    let arithmetic = try QuantizedArithmetic(network) { _ in
      pick([.eight, .four, .ternary, WeightBits(rawValue: 3) ?? .four])
    }
    for index in network.populations.indices {
      move(network.populations[index], arithmetic.parameters(of: index))
    }
    if chance(4) { try narrowRanges(of: arithmetic) }
    return (network, arithmetic)
  }

  /// Weights of any size beside the thresholds, some pruned; leaks, biases and initial membranes that
  /// differ.
  private mutating func draw(_ network: Network, _ index: Int, isChain: Bool) {
    let population = network.populations[index]
    let weights = network.incoming[index].map { network.projections[$0].weight }
    for weight in weights {
      // Projections into one population share a membrane unit, so their weights are not too unlike.
      let gain = isChain ? uniform(0.3...4) : uniform(0.5...2)
      weight.value.apply { $0 * gain }
      if chance(4) {
        weight.mask = Tensor(
          weight.value.shape, (0..<weight.value.count).map { _ in chance(2) ? 0 : 1 })
      }
    }
    if !chance(3) { vary(population.threshold, by: 0.4...2) }
    if !chance(3) { vary(population.leak, by: 0.5...1.2) }
    if !chance(3) { vary(population.currentLeak, by: 0.5...1.2) }
    for parameter in [population.bias, population.initial].compactMap({ $0 }) {
      for index in 0..<parameter.value.count { parameter.value[index] = uniform(-0.3...0.4) }
    }
    for parameter in weights + population.parameters { parameter.enforceConstraints() }
  }

  /// What training does to a quantised population, and more.
  private mutating func move(
    _ population: Spiking.Population, _ steps: [Spiking.Parameter]
  ) {
    for parameter in steps { vary(parameter, by: 0.4...2) }
    let unbounded = [population.threshold, population.bias, population.initial]
    for parameter in unbounded.compactMap({ $0 }) where chance(3) {
      let index = random.integer(below: parameter.value.count)
      // Far beyond int16 in membrane units, and nothing.
      parameter.value[index] = pick([1e6, parameter.role == .threshold ? 1e-12 : -1e6])
    }
    if let leak = population.leak, chance(4) {
      leak.value[random.integer(below: leak.value.count)] = pick([0, 0.001, 0.5, 0.999])
    }
  }

  private mutating func vary(_ parameter: Spiking.Parameter?, by range: ClosedRange<Double>) {
    guard let parameter else { return }
    for index in 0..<parameter.value.count { parameter.value[index] *= uniform(range) }
  }

  /// Ranges that clamp, asymmetric and down to nothing.
  private mutating func narrowRanges(of arithmetic: QuantizedArithmetic) throws {
    // In the order of names: a dictionary's own differs from run to run.
    var choices = arithmetic.namedChoices
    for name in choices.keys.sorted() {
      choices[name]?.floor = pick([0, -7, -300, -32768])
      choices[name]?.ceiling = pick([0, 40, 700, 32767])
    }
    try arithmetic.restore(choices)
  }

  // MARK: Inputs

  private mutating func input(for network: Network, steps: Int) -> InferenceInput {
    InferenceInput(
      steps: steps, ports: network.ports.map { content(of: $0, steps: steps) })
  }

  private mutating func content(of port: Spiking.InputPort, steps: Int) -> InferenceInput.Port {
    let count = port.shape.count
    guard case .values(let minimum, let maximum, _, let framePerStep) = port.kind else {
      return .events(
        (0..<steps).map { _ in
          // One address in twenty lies outside the port.
          (0..<integer(0...count)).map { _ in
            UInt32(integer(0...count - 1) + (chance(20) ? count : 0))
          }
        })
    }
    let frames = (0..<(framePerStep ? steps : 1)).map { _ in
      (0..<count).map { _ in Int16(pick([minimum, maximum, integer(minimum...maximum)])) }
    }
    return framePerStep ? .frames(frames) : .held(frames[0])
  }
}
