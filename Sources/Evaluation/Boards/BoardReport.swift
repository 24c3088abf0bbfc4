import ModelFormat

/// What a board said of a data set, and what it took.
public struct BoardReport: Equatable, Encodable, Sendable {
  /// Why nothing ran on a board.
  public enum Obstacle: Error, Equatable, Encodable {
    /// Its memory does not hold the firmware.
    case tooSmall(String)
    /// A tool is not installed.
    case missingTool(String)

    /// The bytes or the tool that are missing.
    public var reason: String {
      switch self {
      case .tooSmall(let reason), .missingTool(let reason): reason
      }
    }

    /// Encodes ``reason`` alone.
    public func encode(to encoder: any Encoder) throws { try reason.encode(to: encoder) }
  }

  /// A population: its neurons and the projections that end there. Means per inference.
  public struct Region: Equatable, Encodable, Sendable {
    /// The population's name.
    public var population: String
    /// Instructions in all.
    public var instructions: Double
    /// Pairs of a spike, or of a value that is not 0, and a synapse.
    public var synapticOperations: Double
    /// Instructions spent on finding and adding them.
    public var synapseInstructions: Double
    /// Neurons times steps.
    public var updates: Double
    /// Instructions spent on them.
    public var neuronInstructions: Double

    enum CodingKeys: String, CodingKey {
      case population, instructions, updates
      case synapticOperations = "synaptic_operations"
      case synapseInstructions = "synapse_instructions"
      case neuronInstructions = "neuron_instructions"
    }
  }

  /// The board, as `targets/boards` calls it.
  public var target: String
  /// Why nothing ran; nil where the samples did.
  public var skipped: Obstacle?
  /// Samples run; nil where nothing ran.
  public var samples: Int?
  /// The share classified rightly by the device; nil where nothing ran.
  public var accuracy: Double?
  /// Whether every prediction, counter and digest equals the host's; nil where nothing ran.
  public var identical: Bool?
  /// The first difference; nil if there is none.
  public var difference: String?
  /// Of the engine, mean; nil where nothing counts them.
  public var instructionsPerInference: Double?
  /// Bytes of flash: code, constants and model.
  public var flashBytes: Int?
  /// Bytes of RAM: state, buffers and the stack set aside.
  public var ramBytes: Int?
  /// Bytes of stack that were used at most; 0: not known.
  public var stackBytes: Int?
  /// Bytes of the engine's code and constants.
  public var runtimeBytes: Int?
  /// Per population, in order of evaluation.
  public var regions: [Region] = []

  enum CodingKeys: String, CodingKey {
    case target, skipped, samples, accuracy, identical, difference, regions
    case instructionsPerInference = "instructions_per_inference"
    case flashBytes = "flash_bytes"
    case ramBytes = "ram_bytes"
    case stackBytes = "stack_bytes"
    case runtimeBytes = "runtime_bytes"
  }

  init(target: String) { self.target = target }

  /// The report for people.
  public var text: String {
    if let skipped { return "\(target): left out: \(skipped.reason)\n" }
    var lines = [
      "\(target): \(identical == true ? "identical to the host" : "NOT identical to the host"), "
        + "\(counted(samples ?? 0, "sample")), accuracy \(percent(accuracy ?? 0))"
    ]
    if let difference { lines.append("  first difference: \(difference)") }
    let sizes = [
      ("flash", flashBytes), ("RAM", ramBytes), ("stack used", stackBytes),
      ("engine", runtimeBytes),
    ].compactMap { name, bytes in bytes.map { "\(name) \($0 > 0 ? "\($0)" : "–")" } }
    if !sizes.isEmpty { lines.append("  bytes: \(sizes.joined(separator: ", "))") }
    if let instructionsPerInference {
      lines.append("  instructions per inference: \(amount(instructionsPerInference))")
      lines += table.lines
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var table: TextTable {
    var table = TextTable([
      "population", "instructions", "synaptic ops", "instr/op", "updates", "instr/update",
    ])
    func ratio(_ part: Double, _ whole: Double) -> String {
      whole > 0 ? decimal(part / whole, 2) : "-"
    }
    for region in regions {
      table.add([
        shortened(region.population, to: 18), amount(region.instructions),
        amount(region.synapticOperations),
        ratio(region.synapseInstructions, region.synapticOperations), amount(region.updates),
        region.neuronInstructions > 0 ? ratio(region.neuronInstructions, region.updates) : "-",
      ])
    }
    return table
  }
}
