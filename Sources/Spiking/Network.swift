import Tensors

/// What a network is fed.
public enum NetworkInput: Hashable, Sendable {
  /// Integers 0…255 per neuron, the same in every step: direct encoding. A real value is the integer
  /// times `scale`.
  case values(FeatureShape, scale: Float)
  /// Spikes, 0 or 1 per neuron and step.
  case events(FeatureShape)

  public var shape: FeatureShape {
    switch self {
    case .values(let shape, _), .events(let shape): shape
    }
  }

  /// The real value of an input integer of 1; nil for events.
  public var scale: Float? {
    if case .values(_, let scale) = self { scale } else { nil }
  }
}

/// A chain of spiking layers that ends in a read-out.
///
/// The float network and its quantised twin are the same network: layers' hooks replace what they
/// compute with. All layers of one step are evaluated in order, so a spike crosses the whole network in
/// one step; the first layer's current from values is computed once per sample.
public struct Network {
  public let name: String
  public let input: NetworkInput
  /// T, the steps of one inference.
  public let steps: Int
  public let layers: [Layer]

  public init(name: String, input: NetworkInput, steps: Int, layers: [Layer]) {
    precondition(
      steps >= 1 && layers.count > 1 && layers.last?.kind == .readout,
      "a network has spiking layers and ends in a read-out")
    self.name = name
    self.input = input
    self.steps = steps
    self.layers = layers
  }

  public var parameters: [Parameter] { layers.flatMap(\.parameters) }
  public var classCount: Int { layers.last?.shape.count ?? 0 }

  /// The fraction of weights that are pruned.
  public var sparsity: Double {
    let total = layers.reduce(0) { $0 + $1.weight.value.count }
    let kept = layers.reduce(0.0) { $0 + ($1.weight.mask?.sum ?? Double($1.weight.value.count)) }
    return (Double(total) - kept) / Double(total)
  }

  /// What every layer computes with, recorded on `tape`, and the leaves the gradients arrive at.
  public func prepare(on tape: Tape) -> PreparedNetwork {
    // Gradients are matched to parameters by position, so hooks choose neither order nor number.
    let leaves = parameters.map { ($0, Variable($0.value, needsGradient: true)) }
    func variable(_ parameter: Parameter) -> Variable {
      guard let leaf = leaves.first(where: { $0.0 === parameter }) else {
        preconditionFailure("\(parameter.name) is no parameter of network \(name)")
      }
      return leaf.1
    }
    let arithmetic = layers.map { layer -> LayerArithmetic in
      if let hook = layer.hook {
        return hook.arithmetic(of: layer, on: tape, parameter: variable)
      }
      return LayerArithmetic(
        weight: variable(layer.weight), threshold: layer.threshold.map(variable),
        leak: layer.leak.map(variable), bias: layer.bias.map(variable), grid: nil)
    }
    return PreparedNetwork(network: self, arithmetic: arithmetic, leaves: leaves)
  }
}

/// A network with the numbers of one training step or one evaluation.
public struct PreparedNetwork {
  public let network: Network
  public let arithmetic: [LayerArithmetic]
  /// Each parameter and the variable its gradient arrives at, in the order of `network.parameters`.
  public let leaves: [(parameter: Parameter, variable: Variable)]

  /// The same numbers as leaves of a shard's own tape.
  public func shard() -> PreparedNetwork {
    PreparedNetwork(network: network, arithmetic: arithmetic.map { $0.leaves() }, leaves: [])
  }

  /// The gradients that arrived at a shard's leaves, in a fixed order.
  public func takeGradients() -> [Tensor?] {
    arithmetic.flatMap(\.variables).map { $0.takeGradient() }
  }

  /// Adds gradients as ``takeGradients()`` hands them out.
  public func accumulate(_ gradients: [Tensor?]) {
    for (variable, gradient) in zip(arithmetic.flatMap(\.variables), gradients) {
      if let gradient { variable.accumulate(gradient) }
    }
  }

  /// Runs a batch through all layers and steps.
  ///
  /// - Parameters:
  ///   - input: `[B, H, W, C]` for values, `[T, B, H, W, C]` for events.
  ///   - share: the part of a training batch these samples are; it weighs the activity penalties.
  ///   - observer: sees each spiking layer's current before its neurons consume it.
  public func forward(
    _ input: Tensor, batch: Int, share: Float = 1, on tape: Tape, recording: Bool = false,
    observer: ((Int, Tensor) -> Void)? = nil
  ) -> NetworkOutput {
    var signal = Variable(input)
    var held = false
    if case .values(_, let scale) = network.input {
      held = true
      // On the integer grid the unit of the first layer holds the scale.
      if arithmetic[0].grid == nil { signal = Variable(input.map { $0 * scale }) }
    }
    var output = NetworkOutput()
    for (index, layer) in network.layers.enumerated() {
      let numbers = arithmetic[index]
      let current = project(signal, held: held, layer, numbers, batch: batch, on: tape)
      observer?(index, current.value)
      guard case .lif(let dynamics) = layer.kind, let threshold = numbers.threshold,
        let leak = numbers.leak
      else {
        let unit = numbers.grid?.unit.first ?? 1
        let shift = numbers.grid?.shift ?? 0
        let scaled = shift == 0 ? current : weightedSum([(Float(1 << shift), current)], on: tape)
        let membranes = integrate(scaled, steps: network.steps, on: tape)
        output.currents = weightedSum([(unit, scaled)], on: tape)
        output.membranes = weightedSum([(unit, membranes)], on: tape)
        if recording { output.readout = membranes.value }
        break
      }
      let scale = held ? 1 : Float(1 << (numbers.grid?.shift ?? 0))
      var penalty = layer.penalty
      penalty?.strength *= share
      let population = lif(
        current, held: held, steps: network.steps, batch: batch, threshold: threshold, leak: leak,
        bias: numbers.bias, dynamics: dynamics, range: numbers.grid?.range, currentScale: scale,
        penalty: penalty, on: tape)
      output.rates.append(population.rate)
      output.penalty += population.penalty
      output.saturations.append(population.saturations)
      if recording { output.records.append((population.spikes.value, population.potentials)) }
      signal = population.spikes
      held = false
    }
    return output
  }

  private func project(
    _ signal: Variable, held: Bool, _ layer: Layer, _ numbers: LayerArithmetic, batch: Int,
    on tape: Tape
  ) -> Variable {
    var signal = signal
    if layer.pool > 1 { signal = sumPool(signal, side: layer.pool, on: tape) }
    var current: Variable
    switch layer.synapse {
    case .dense:
      current = linear(
        signal, weight: numbers.weight, rows: batch * (held ? 1 : network.steps), on: tape)
    case .convolution(_, _, let geometry):
      current = convolution(signal, weight: numbers.weight, geometry: geometry, on: tape)
    }
    if held, let grid = numbers.grid {
      current = roundingShift(current, right: grid.shift, on: tape)
    }
    return current
  }
}

/// What a forward pass yields.
public struct NetworkOutput {
  /// The read-out's currents in real numbers, `[T·B, K]`.
  public var currents: Variable?
  /// The read-out's membranes after every step in real numbers, `[T·B, K]`.
  public var membranes: Variable?
  /// Mean spikes per neuron and step of each spiking layer.
  public var rates: [Float] = []
  /// The activity penalties' sum, times the samples' share of the batch.
  public var penalty: Float = 0
  /// Clamps that changed a membrane, by spiking layer; on the integer grid only.
  public var saturations: [Int] = []
  /// The read-out's membranes after every step in its own unit, `[T·B, K]`, where recorded.
  public var readout: Tensor?
  /// Each spiking layer's spikes and potentials before reset, step by step, where recorded.
  public var records: [(spikes: Tensor, potentials: Tensor)] = []
}
