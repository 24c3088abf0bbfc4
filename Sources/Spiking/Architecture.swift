import Tensors
import Wiring

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
  /// The shorthand.
  public let description: String
  let stages: [Stage]

  struct Stage: Hashable, Sendable {
    var pool: Int
    var topology: Topology
    /// Channels of a convolution, or neurons.
    var outputs: Int
    var token: String

    /// The target's shape over a pooled source; a side is 0 where the kernel does not fit.
    func target(over source: Shape) -> Shape {
      guard case .convolution(let geometry) = topology else { return Shape(channels: outputs) }
      return geometry.outputShape(of: source, channels: outputs)
    }

    /// The population's name as the `index`th of the chain.
    func name(at index: Int) -> String {
      topology == .dense ? "dense\(index + 1)" : "conv\(index + 1)"
    }
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
      guard let (outputs, topology) = Self.synapses(token) else { throw malformed() }
      stages.append(Stage(pool: pool, topology: topology, outputs: outputs, token: token))
      pool = 1
    }
    guard stages.count > 1, pool == 1, stages.last?.topology == .dense else {
      throw ArchitectureError.noReadout(architecture: text)
    }
    self.stages = stages
  }

  private static func synapses(_ token: String) -> (outputs: Int, Topology)? {
    let digits = token.prefix { $0.isNumber }
    guard let outputs = Int(digits), (1...65_536).contains(outputs) else { return nil }
    var rest = token.dropFirst(digits.count)
    if rest.isEmpty { return (outputs, .dense) }
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
    return (
      outputs,
      .convolution(
        Convolution(kernel: kernel, stride: stride ?? 1, padding: padding ?? kernel / 2))
    )
  }
}

/// Why an architecture cannot be built.
public enum ArchitectureError: Error, CustomStringConvertible, Equatable {
  /// A token that is no layer.
  case malformed(token: String, architecture: String)
  /// No dense read-out stands at the end.
  case noReadout(architecture: String)
  /// A layer that fits no source of this shape.
  case doesNotFit(token: String, source: Shape)
  /// A read-out of another size than the data set's classes.
  case classes(expected: Int, found: Int)

  /// What is wrong, in one line.
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

extension Network {
  /// An untrained chain: each layer of the shorthand is a population and the projection into it from
  /// the one before, both of the same name. Throws ``ArchitectureError`` where shapes do not fit.
  public init(
    name: String, architecture: Architecture, input: InputPort, classes: Int, steps: Int,
    neurons: NeuronConfiguration, random: RandomSource
  ) throws {
    var plan = NetworkPlan(ports: [input])
    var source = input.shape
    var wasDense = false
    for (index, stage) in architecture.stages.enumerated() {
      let pooled = source.pooled(by: stage.pool)
      let shape = stage.target(over: pooled)
      guard pooled.count > 0, shape.count > 0, !(wasDense && stage.topology != .dense) else {
        let token = stage.pool > 1 ? "P\(stage.pool)-\(stage.token)" : stage.token
        throw ArchitectureError.doesNotFit(token: token, source: source)
      }
      wasDense = stage.topology == .dense
      let isReadout = index == architecture.stages.count - 1
      let name = isReadout ? "readout" : stage.name(at: index)
      plan.populations.append(
        NetworkPlan.Population(name: name, shape: shape, neurons: isReadout ? nil : neurons))
      plan.projections.append(
        NetworkPlan.Projection(
          name: name, from: index == 0 ? .input(0) : .population(index - 1), to: index,
          topology: stage.topology, pool: stage.pool))
      source = shape
    }
    guard source.count == classes else {
      throw ArchitectureError.classes(expected: classes, found: source.count)
    }
    plan.readout = plan.populations.count - 1
    try self.init(name: name, plan: plan, steps: steps, random: random)
  }
}
