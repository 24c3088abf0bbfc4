import Tensors

/// A network's layers in the field's shorthand, such as `16C3-P2-32C3s2-128-10`.
///
/// | token | layer |
/// |---|---|
/// | `16C3` | convolution, 16 channels, 3 × 3, zero padding that keeps the extent (kernel div 2) |
/// | `16C3s2`, `16C3p0` | with stride 2; with padding 0 (both may follow: `16C3s2p1`) |
/// | `P2` | sum-pool 2 × 2 in front of the next layer |
/// | `128` | dense, 128 neurons |
///
/// The last token is the read-out, a dense layer with one neuron per class. Dense neurons have no place
/// in a plane, so no convolution may follow them.
public struct Architecture: Hashable, Sendable, CustomStringConvertible {
  public let description: String
  let stages: [Stage]

  struct Stage: Hashable, Sendable {
    var pool: Int
    var synapse: Synapse
    var token: String
  }

  /// Reads the shorthand; throws ``ArchitectureError`` naming the token that does not fit.
  public init(_ text: String) throws {
    description = text
    var stages: [Stage] = []
    var pool = 1
    for piece in text.split(separator: "-", omittingEmptySubsequences: false) {
      let token = String(piece)
      func malformed() -> ArchitectureError {
        .malformed(token: token, architecture: text)
      }
      if token.hasPrefix("P") {
        let digits = token.dropFirst()
        guard digits.allSatisfy(\.isNumber), let side = Int(digits), (2...16).contains(side),
          pool == 1
        else { throw malformed() }
        pool = side
        continue
      }
      guard let synapse = Self.synapse(token) else { throw malformed() }
      stages.append(Stage(pool: pool, synapse: synapse, token: token))
      pool = 1
    }
    guard stages.count > 1, pool == 1, case .dense? = stages.last?.synapse else {
      throw ArchitectureError.noReadout(architecture: text)
    }
    self.stages = stages
  }

  private static func synapse(_ token: String) -> Synapse? {
    let digits = token.prefix { $0.isNumber }
    guard let outputs = Int(digits), (1...65_536).contains(outputs) else { return nil }
    var rest = token.dropFirst(digits.count)
    if rest.isEmpty { return .dense(outputs: outputs) }
    func number(after letter: Character) -> Int?? {
      guard rest.first == letter else { return .some(nil) }
      let digits = rest.dropFirst().prefix { $0.isNumber }
      guard let value = Int(digits) else { return nil }
      rest = rest.dropFirst(1 + digits.count)
      return value
    }
    guard let kernel = number(after: "C") ?? nil, (1...31).contains(kernel),
      let stride = number(after: "s"), let padding = number(after: "p"), rest.isEmpty,
      (1...16).contains(stride ?? 1), (0...30).contains(padding ?? 0)
    else { return nil }
    return .convolution(
      outputs: outputs, kernel: kernel,
      geometry: ConvolutionGeometry(stride: stride ?? 1, padding: padding ?? kernel / 2))
  }
}

/// Why an architecture cannot be built.
public enum ArchitectureError: Error, CustomStringConvertible, Equatable {
  case malformed(token: String, architecture: String)
  case noReadout(architecture: String)
  case doesNotFit(token: String, source: FeatureShape)
  case classes(expected: Int, found: Int)

  public var description: String {
    switch self {
    case .malformed(let token, let architecture):
      "architecture \(architecture): '\(token)' is no layer; expected a convolution such as 16C3 or "
        + "16C3s2p1, a pool such as P2, or a number of neurons"
    case .noReadout(let architecture):
      "architecture \(architecture): expected at least one spiking layer and a dense read-out at the "
        + "end, such as 16C3-P2-10"
    case .doesNotFit(let token, let source):
      "architecture: '\(token)' does not fit an input of \(source)"
    case .classes(let expected, let found):
      "architecture: the read-out has \(found) neurons, but the data set has \(expected) classes"
    }
  }
}

/// How finely a learned neuron parameter is shared.
public enum Granularity: String, Hashable, Sendable, Codable, CaseIterable {
  case layer, channel, neuron

  func count(in shape: FeatureShape) -> Int {
    switch self {
    case .layer: 1
    case .channel: shape.channels
    case .neuron: shape.count
    }
  }
}

/// The neurons of a network before training.
public struct NeuronConfiguration: Hashable, Sendable {
  public var dynamics: LIFDynamics
  public var thresholdGranularity: Granularity
  public var leakGranularity: Granularity
  /// θ in real numbers, > 0.
  public var threshold: Float
  /// λ in [0, 1].
  public var leak: Float
  public var bias: Bool

  public init(
    dynamics: LIFDynamics = LIFDynamics(), thresholdGranularity: Granularity = .channel,
    leakGranularity: Granularity = .channel, threshold: Float = 1, leak: Float = 1,
    bias: Bool = false
  ) {
    self.dynamics = dynamics
    self.thresholdGranularity = thresholdGranularity
    self.leakGranularity = leakGranularity
    self.threshold = threshold
    self.leak = leak
    self.bias = bias
  }
}

extension Network {
  /// The smallest threshold training may reach, in real numbers: a threshold of 0 would divide by zero
  /// in the surrogate and fire on silence.
  public static let leastThreshold: Float = 0.01

  /// Builds an untrained network: weights normal with deviation √(2/fan-in) (He et al., ICCV 2015),
  /// thresholds and leaks as configured. Throws ``ArchitectureError`` where shapes do not fit.
  public init(
    name: String, architecture: Architecture, input: NetworkInput, classes: Int, steps: Int,
    neurons: NeuronConfiguration, random: RandomSource
  ) throws {
    var source = input.shape
    var layers: [Layer] = []
    for (index, stage) in architecture.stages.enumerated() {
      let pooled = source.pooled(stage.pool)
      guard pooled.count > 0, let shape = stage.synapse.outputShape(for: pooled),
        !(stage.synapse.isConvolution && layers.last?.synapse.isConvolution == false)
      else {
        let token = stage.pool > 1 ? "P\(stage.pool)-\(stage.token)" : stage.token
        throw ArchitectureError.doesNotFit(token: token, source: source)
      }
      let isReadout = index == architecture.stages.count - 1
      let layerName = isReadout ? "readout" : Self.layerName(stage.synapse, index: index)
      func parameter(
        _ role: Parameter.Role, _ granularity: Granularity, _ value: Float,
        _ range: ClosedRange<Float>
      ) -> Parameter {
        Parameter(
          "\(layerName).\(role.rawValue)", role: role,
          value: Tensor([granularity.count(in: shape)], filledWith: value), range: range)
      }
      layers.append(
        Layer(
          name: layerName, pool: stage.pool, synapse: stage.synapse,
          kind: isReadout ? .readout : .lif(neurons.dynamics), source: source, shape: shape,
          weight: Parameter(
            "\(layerName).weight", role: .weight,
            value: Self.initialWeights(
              stage.synapse, pooled, pool: stage.pool, random.split(UInt64(index)))),
          threshold: isReadout
            ? nil
            : parameter(
              .threshold, neurons.thresholdGranularity, neurons.threshold,
              Self.leastThreshold...Float.greatestFiniteMagnitude),
          leak: isReadout ? nil : parameter(.leak, neurons.leakGranularity, neurons.leak, 0...1),
          bias: !isReadout && neurons.bias
            ? parameter(
              .bias, .channel, 0, -Float.greatestFiniteMagnitude...Float.greatestFiniteMagnitude)
            : nil))
      source = shape
    }
    guard source.count == classes else {
      throw ArchitectureError.classes(expected: classes, found: source.count)
    }
    self.init(name: name, input: input, steps: steps, layers: layers)
  }

  private static func layerName(_ synapse: Synapse, index: Int) -> String {
    switch synapse {
    case .dense: "dense\(index + 1)"
    case .convolution: "conv\(index + 1)"
    }
  }

  private static func initialWeights(
    _ synapse: Synapse, _ source: FeatureShape, pool: Int, _ random: RandomSource
  ) -> Tensor {
    var random = random
    // A sum-pool's cell sums pool² sources.
    let fanIn = synapse.fanIn(for: source) * pool * pool
    let deviation = (2 / Double(fanIn)).squareRoot()
    let shape = synapse.weightShape(for: source)
    let count = shape.reduce(1, *)
    return Tensor(shape, (0..<count).map { _ in Float(random.normal() * deviation) })
  }
}
