/// What adding weight rows costs in the engine, in instructions. For kernels they were counted
/// under emulation with 16 rows of 64 columns, for plain C in the loops that the compiler made.
public struct RowCost: Equatable, Sendable {
  /// A column of a row of eight-bit weights.
  public var column8: Double
  /// A column of a row of four-bit weights.
  public var column4: Double
  /// A synapse of a list.
  public var synapse: Double
  /// A row of a list.
  public var row = 12.0
  /// A column of a packed row added to sums of 32 bits, for which there is no kernel.
  public var wideColumn: Double

  /// Arm's DSP extension: Cortex-M4, M7, M33.
  public static let dsp = RowCost(column8: 0.97, column4: 0.75, synapse: 9, wideColumn: 20)
  /// ARMv7-M without the DSP extension: Cortex-M3.
  public static let armv7m = RowCost(column8: 1.27, column4: 0.8, synapse: 9, wideColumn: 20)
  /// ARMv6-M: Cortex-M0.
  public static let armv6m = RowCost(column8: 1.85, column4: 1.14, synapse: 14, wideColumn: 30)
  /// Arm's vector extension: Cortex-M55.
  public static let helium = RowCost(column8: 0.45, column4: 0.35, synapse: 9, wideColumn: 20)
  /// 32-bit RISC-V.
  public static let riscv32 = RowCost(column8: 1.88, column4: 1.19, synapse: 12, wideColumn: 25)
}

/// A board as far as an image is concerned: its core's costs and how much it holds.
public struct DeviceTarget: Equatable, Sendable {
  /// What `--target` calls it.
  public let name: String
  /// The emulator's machine.
  public let machine: String
  /// Bytes for the program and its constants, of which the image is one.
  public let flashBytes: Int
  /// Bytes for everything that changes, of which the arena is one.
  public let memoryBytes: Int
  /// What rows cost on its core.
  public let cost: RowCost

  /// The bare boards of `targets/boards`.
  public static let all: [DeviceTarget] = [
    DeviceTarget("cortex-m0", "microbit", flash: 256, memory: 16, .armv6m),
    DeviceTarget("cortex-m0-large", "mps2-an385", flash: 4096, memory: 4096, .armv6m),
    DeviceTarget("cortex-m3", "mps2-an385", flash: 4096, memory: 4096, .armv7m),
    DeviceTarget("cortex-m4", "mps2-an386", flash: 4096, memory: 4096, .dsp),
    DeviceTarget("cortex-m4-128k", "netduinoplus2", flash: 1024, memory: 128, .dsp),
    DeviceTarget("cortex-m7", "mps2-an500", flash: 4096, memory: 4096, .dsp),
    DeviceTarget("cortex-m33", "mps2-an505", flash: 4096, memory: 2048, .dsp),
    DeviceTarget("cortex-m55", "mps3-an547", flash: 512, memory: 512, .helium),
    DeviceTarget("rv32imc", "virt", flash: 4096, memory: 4096, .riscv32),
    DeviceTarget("rv32imac", "sifive_e", flash: 4096, memory: 16, .riscv32),
  ]

  /// The target of a name, if there is one.
  public init?(named name: String) {
    guard let target = Self.all.first(where: { $0.name == name }) else { return nil }
    self = target
  }

  /// `flash`, `memory`: in units of 1024 bytes.
  init(_ name: String, _ machine: String, flash: Int, memory: Int, _ cost: RowCost) {
    self.name = name
    self.machine = machine
    flashBytes = 1024 * flash
    memoryBytes = 1024 * memory
    self.cost = cost
  }

  /// Throws ``DeviceImageError`` where the board does not hold an image, or the RAM of a firmware that
  /// does nothing but run it (``DeviceReport/firmwareParts``); the program comes on top.
  public func check(_ image: DeviceImage) throws(DeviceImageError) {
    guard image.bytes.count <= flashBytes else {
      throw .flashExceeded(target: name, available: flashBytes, needed: image.bytes.count)
    }
    let parts = image.report.firmwareParts
    guard parts.bytes <= memoryBytes else {
      throw .memoryExceeded(
        target: name, available: memoryBytes, parts: parts, arena: image.report.arenaParts)
    }
  }
}
