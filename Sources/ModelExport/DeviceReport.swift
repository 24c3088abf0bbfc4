import Foundation
import ModelFormat

/// What a device image takes of a board, and between which forms of weights it chose.
public struct DeviceReport: Equatable, Codable, Sendable {
  /// A way to store a projection's rows.
  public struct Form: Equatable, Codable, Sendable {
    /// Its name, as ``DeviceRows/name``.
    public var rows: String
    /// Bytes of the rows.
    public var bytes: Int
    /// Predicted instructions to add one row, on average.
    public var instructions: Double
  }

  /// A projection and its forms.
  public struct Projection: Equatable, Codable, Sendable {
    /// The projection's name.
    public var name: String
    /// Rows × columns without padding.
    public var matrix: String
    /// The name of the form chosen.
    public var chosen: String
    /// Every form that holds the weights.
    public var forms: [Form]
  }

  /// A part of the image, the arena or the firmware.
  public struct Part: Equatable, Codable, Sendable {
    /// What the part holds, such as `weights`.
    public var name: String
    /// Its bytes.
    public var bytes: Int
  }

  /// A layer and how the engine runs it.
  public struct Layer: Equatable, Codable, Sendable {
    /// The population's name.
    public var name: String
    /// `fast`, `fast, clamped` or `general`.
    public var kernel: String
  }

  /// Steps a layer runs at once; 1: streaming, all layers step by step.
  public var block: Int
  /// Bytes of the image, in flash.
  public var imageBytes: Int
  /// The image part by part: weights, parameters, tables.
  public var imageParts: [Part]
  /// Bytes of the arena, in RAM.
  public var arenaBytes: Int
  /// The arena part by part; parts that share space count once.
  public var arenaParts: [Part]
  /// RAM of a firmware that runs the image and does nothing else, part by part: an estimate.
  public var firmwareParts: [Part]
  /// Options of the compiler that leave out of the engine what the image never uses.
  public var engineOptions: [String]
  /// The most synaptic operations of a step.
  public var worstOperations: Int
  /// The layers, in order of evaluation.
  public var layers: [Layer]
  /// The projections, in the image's order.
  public var projections: [Projection]

  enum CodingKeys: String, CodingKey {
    case block, layers, projections
    case imageBytes = "image_bytes"
    case imageParts = "image_parts"
    case arenaBytes = "arena_bytes"
    case arenaParts = "arena_parts"
    case firmwareParts = "firmware_ram_parts"
    case engineOptions = "engine_options"
    case worstOperations = "worst_synops"
  }

  init(of graph: DeviceGraph, _ writer: DeviceImageWriter, _ contents: DeviceContents) {
    block = writer.block
    imageBytes = contents.byteCount
    arenaBytes = writer.arena.bytes
    arenaParts = writer.arena.bytesByName.map { Part(name: $0.name, bytes: $0.bytes) }
    firmwareParts = [
      Part(name: "arena", bytes: arenaBytes), Part(name: "network", bytes: Self.networkBytes),
      Part(name: "frames", bytes: graph.model.inputs.reduce(0) { $0 + Self.frameBytes($1) }),
      Part(name: "stack", bytes: Self.stackBytes),
    ]
    engineOptions =
      (writer.needsGeneral ? [] : ["-DSNN_DEVICE_GENERAL=0"])
      + (block > 1
        ? ["-DSNN_DEVICE_STREAMING=0"] : graph.rings.isEmpty ? ["-DSNN_DEVICE_RINGS=0"] : [])
    var weights = 0
    var parameters = 0
    for array in contents.arrays {
      if array.name.hasPrefix("layer") { parameters += array.byteCount }
      if array.name.hasSuffix("_weights") || array.name.hasSuffix("_starts") {
        weights += array.byteCount
      }
    }
    imageParts = [
      Part(name: "weights", bytes: weights), Part(name: "parameters", bytes: parameters),
      Part(name: "tables", bytes: imageBytes - weights - parameters),
    ]
    layers = zip(graph.layers, writer.traits).map { layer, traits in
      let population = graph.model.populations[layer.population]
      let lif =
        traits.contains(.general) ? "general" : traits.contains(.clamped) ? "fast, clamped" : "fast"
      return Layer(name: population.name, kernel: population.isReadout ? "read-out" : lif)
    }
    worstOperations = 0
    projections = []
    for (index, layer) in graph.layers.enumerated() {
      for window in layer.windows {
        worstOperations += window.worstOperations(onto: layer.shape)
        projections.append(
          Projection(
            name: graph.model.projections[window.projection].name,
            matrix: "\(window.rows)×\(window.columns)",
            chosen: writer.rows[projections.count].name,
            forms: window.forms(writer.cost, isWide: writer.traits[index].contains(.wide))))
      }
    }
  }
}

extension DeviceReport {
  /// `struct snn_device` of `snn/device.h` where pointers have 4 bytes.
  private static let networkBytes = 44
  /// What targets/image.ld sets aside, the fault handler's included: above all that
  /// runtime-c/tests/stack_budget.csv says of the engine.
  private static let stackBytes = 1664

  /// A frame of a port, from a multiple of 4 on.
  private static func frameBytes(_ port: InputPort) -> Int {
    guard port.carriesValues else { return 0 }
    return (port.shape.count * (port.fitsBytes ? 1 : 2) + 3) / 4 * 4
  }

  /// The report for people, at most 100 columns wide.
  public var text: String {
    let engineText =
      switch engineOptions.count {
      case 0: "needs all it has"
      case 1: "\(engineOptions[0]) suffices"
      default: engineOptions.joined(separator: " ") + " suffice, and leave out snn_self_test"
      }
    let mode = block == 1 ? "streaming" : "layer by layer, up to \(block) steps a sample"
    var lines = [
      "device image, \(mode)",
      "  flash      \(imageBytes) bytes: \(imageParts.text)",
      "  RAM        \(arenaBytes) bytes: \(arenaParts.text)",
      "  firmware   about \(firmwareParts.bytes) bytes of RAM: \(firmwareParts.text);",
      "             an estimate of one that does nothing else",
      "  engine     \(engineText)",
      "  a step     at most \(worstOperations) synaptic operations", "",
    ]
    lines += textColumns(
      ["projection", "rows", "chosen", "predicted bytes and instructions a row"],
      projections.map { projection in
        let forms = projection.forms.map {
          "\($0.rows) \($0.bytes) \(String(format: "%.1f", $0.instructions))"
        }
        return [
          String(projection.name.prefix(20)), projection.matrix, projection.chosen,
          forms.joined(separator: "; "),
        ]
      })
    lines.append("")
    lines += textColumns(
      ["layer", "kernel"], layers.map { [String($0.name.prefix(20)), $0.kernel] })
    return lines.joined(separator: "\n") + "\n"
  }
}

extension [DeviceReport.Part] {
  /// Their sum.
  var bytes: Int { reduce(0) { $0 + $1.bytes } }

  /// All parts in one line.
  var text: String { map { "\($0.name) \($0.bytes)" }.joined(separator: ", ") }
}
