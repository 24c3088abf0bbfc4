import ModelFormat

/// A model made ready for a microcontroller: the bytes that the firmware engine of `runtime-c`
/// executes in place (models/IMAGE.md).
///
/// Deterministic: the same model, cost and preference give the same bytes.
public struct DeviceImage: Equatable, Sendable {
  /// The image, little-endian, a multiple of 4 bytes.
  public let bytes: [UInt8]
  /// The memory it needs.
  public let arena: DeviceArena
  /// What it costs.
  public let report: DeviceReport
  /// The model's name.
  public let name: String
  /// Indices of the populations, in the order of the image's layers.
  public let layers: [Int]
  /// Numbers that the header of the C source states, for firmware to compile with.
  let facts: Facts
  /// The image field by field, from which its C source is written.
  let contents: DeviceContents

  /// Numbers of the model that the header of the C source states.
  struct Facts: Equatable, Sendable {
    var steps: Int
    var maximumSteps: Int
    var stepMicroseconds: Int
    var classes: Int
    var inputs: Int
  }

  /// The most steps of a sample that runs layer by layer; longer samples stream.
  static let maximumBlock = 64

  /// The image of a model.
  ///
  /// `cost`: of the core that the choice of row forms serves. Throws ``ModelFormat/ModelError``
  /// where the model is invalid and ``DeviceImageError`` where the engine does not run it.
  public init(
    _ model: Model, cost: RowCost = .dsp, preferring preference: DevicePreference = .speed
  ) throws {
    let bounds = try model.validate()
    let graph = try DeviceGraph(model)
    let traits = graph.layers.map {
      DeviceLayerTraits($0, of: model, bound: bounds.populations[$0.population].largest)
    }
    let block = Self.block(of: graph)
    arena = DeviceArena(graph, traits, block: block)
    var writer = DeviceImageWriter(
      graph: graph, traits: traits, block: block, arena: arena, cost: cost, preference: preference)
    contents = try writer.contents()
    bytes = contents.bytes()
    name = model.name
    layers = graph.layers.map(\.population)
    facts = Facts(
      steps: model.steps, maximumSteps: model.maximumSteps,
      stepMicroseconds: model.stepMicroseconds,
      classes: model.populations[model.readout].shape.count, inputs: model.inputs[0].shape.count)
    report = DeviceReport(of: graph, writer, self.contents)
  }

  /// Steps of a sample that a layer runs at once; 1: streaming, because input comes step by step,
  /// a projection has a delay, or a sample has more than ``maximumBlock`` steps.
  private static func block(of graph: DeviceGraph) -> Int {
    let comesByStep = graph.model.inputs.contains { port in
      switch port.kind {
      case .events: true
      case .values(_, _, let framePerStep): framePerStep
      }
    }
    let steps = graph.model.maximumSteps
    let hasCurrents = graph.model.populations.contains { population in
      if case .lif(let lif) = population.kind { !lif.currentLeak.values.isEmpty } else { false }
    }
    return comesByStep || !graph.rings.isEmpty || graph.model.exit != nil || hasCurrents
      || steps > maximumBlock ? 1 : max(steps, 2)
  }
}
