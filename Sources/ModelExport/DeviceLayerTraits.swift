import ModelFormat

/// How the engine runs a layer (models/IMAGE.md, section 2).
struct DeviceLayerTraits: Equatable, Sendable {
  /// `snn_image_layer.flags`.
  struct Flags: OptionSet, Sendable {
    let rawValue: Int
    /// The engine runs the neurons through the plain loop that knows every rule.
    static let general = Flags(rawValue: 1)
    /// A sum may leave int16: sums have 32 bits.
    static let wide = Flags(rawValue: 2)
    /// Some parameter differs between pixels: every neuron has its own entry.
    static let perNeuron = Flags(rawValue: 4)
    /// The layer has a bias or takes values.
    static let driven = Flags(rawValue: 8)
    /// A sum may carry a membrane past floor or ceiling: the kernel clamps.
    static let clamped = Flags(rawValue: 16)
    /// The neurons have synaptic currents.
    static let current = Flags(rawValue: 32)
  }

  private(set) var flags: Flags = []
  private(set) var refractorySteps = 0

  func contains(_ flags: Flags) -> Bool { self.flags.contains(flags) }

  /// The traits of a layer whose largest sum in a step is `bound` (FORMAT.md, section 5).
  init(_ layer: DeviceGraph.Layer, of model: Model, bound: Int) {
    let population = model.populations[layer.population]
    var parameters = [population.leak, population.bias, population.initial]
    let hasBias = population.bias.values.contains { $0 != 0 }
    if hasBias || layer.windows.contains(where: { $0.values != nil }) { flags.insert(.driven) }
    if bound >= 1 << 15 { flags.formUnion([.wide, .general]) }
    if case .lif(let lif) = population.kind {
      parameters.append(lif.threshold)
      if !lif.currentLeak.values.isEmpty {
        parameters.append(lif.currentLeak)
        flags.formUnion([.current, .wide, .general])
      }
      refractorySteps = lif.refractorySteps
      flags.formUnion(Self.dynamics(of: layer, population, lif, bound, steps: model.maximumSteps))
    }
    if parameters.contains(where: { $0.values.count > layer.shape.channels }) {
      flags.insert(.perNeuron)
    }
  }

  /// Whether the fast kernel takes the neurons, and whether it has to clamp.
  private static func dynamics(
    of layer: DeviceGraph.Layer, _ population: Population, _ lif: Population.LIF, _ bound: Int,
    steps: Int
  ) -> Flags {
    guard lif.reset == .subtract, lif.refractorySteps == 0, bound < 1 << 15,
      lif.currentLeak.values.isEmpty
    else {
      return .general
    }
    let reach = MembraneReach(of: layer.neurons(of: population, lif), as: lif, steps: steps)
    guard reach.canClampFast else { return .general }
    return reach.stays(within: lif) ? [] : .clamped
  }
}
