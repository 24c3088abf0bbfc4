/// A number of picojoules and where it comes from.
public struct EnergyConstant: Equatable, Codable, Sendable {
  /// What costs this much.
  public let name: String
  /// Picojoules.
  public let picojoules: Double
  /// Who says so.
  public let source: String
}

/// Which arithmetic an estimate prices, all in 45 nm at 0.9 V.
public enum EnergyRegime: String, Codable, CaseIterable, Sendable {
  /// 32-bit floats, arithmetic alone: the model of most papers, for comparison with them.
  case float32
  /// 8-bit weights, 32-bit sums, and the bytes that are moved.
  case integer

  /// Energy of a multiplication with addition.
  var mac: EnergyConstant {
    switch self {
    case .float32:
      EnergyConstant(
        name: "MAC, fp32", picojoules: 4.6,
        source: "multiply 3.7 + add 0.9 (Horowitz, ISSCC 2014)")
    case .integer:
      EnergyConstant(
        name: "MAC, int8 × int8 + int32", picojoules: 0.3,
        source: "multiply 0.2 (SpikingJelly) + add 0.1 (Horowitz, ISSCC 2014)")
    }
  }

  /// Energy of an addition.
  var add: EnergyConstant {
    switch self {
    case .float32:
      EnergyConstant(name: "addition, fp32", picojoules: 0.9, source: "Horowitz, ISSCC 2014")
    case .integer:
      EnergyConstant(name: "addition, int32", picojoules: 0.1, source: "Horowitz, ISSCC 2014")
    }
  }

  /// Energy of a byte read or written; 0 where memory is left out.
  var byte: EnergyConstant {
    switch self {
    case .float32:
      EnergyConstant(name: "byte of memory", picojoules: 0, source: "left out by this model")
    case .integer:
      EnergyConstant(
        name: "byte of memory", picojoules: 1.25,
        source: "64 bits of 8 kB SRAM at 10 pJ (Horowitz, ISSCC 2014)")
    }
  }
}

/// What an inference costs in one regime, and the dense network of the same topology beside it.
///
/// `E = E_mac · MACs + E_add · additions + E_byte · bytes`. The dense network runs once, reads
/// every weight once and writes and reads every neuron's output once, one byte each: perfect
/// reuse, in its favour.
public struct EnergyEstimate: Equatable, Codable, Sendable {
  /// The regime.
  public let regime: EnergyRegime
  /// Its constants.
  public let constants: [EnergyConstant]
  /// Multiplications of values, in nanojoules per inference.
  public let macNanojoules: Double
  /// Additions of spikes, in nanojoules per inference.
  public let additionNanojoules: Double
  /// Bytes of weights read, and membranes read and written, in nanojoules per inference.
  public let memoryNanojoules: Double
  /// The sum of the three.
  public let totalNanojoules: Double
  /// The dense network's arithmetic and memory, in nanojoules per inference.
  public let denseNanojoules: Double
  /// How many times more the dense network takes; below 1 the spikes lose.
  public let gain: Double
  /// Additions per connection at which additions cost as much as one multiplication.
  public let breakEven: Double
  /// Additions per connection that were measured, over projections of spikes.
  public let additionsPerConnection: Double

  enum CodingKeys: String, CodingKey {
    case regime, constants, gain
    case macNanojoules = "mac_nanojoules"
    case additionNanojoules = "addition_nanojoules"
    case memoryNanojoules = "memory_nanojoules"
    case totalNanojoules = "total_nanojoules"
    case denseNanojoules = "dense_nanojoules"
    case breakEven = "break_even"
    case additionsPerConnection = "additions_per_connection"
  }

  /// The estimate of measured costs.
  public init(of cost: Cost, in regime: EnergyRegime) {
    let (mac, add, byte) = (regime.mac, regime.add, regime.byte)
    let macs = cost.projections.reduce(0) { $0 + $1.macs }
    let synops = cost.projections.reduce(0) { $0 + $1.synops }
    let membraneBytes = cost.populations.reduce(0.0) {
      $0 + 2 * Double($1.membraneBytes) / Double($1.neurons) * $1.updates
    }
    let denseMACs = Double(cost.projections.reduce(0) { $0 + $1.denseMACs })
    let denseBytes =
      cost.projections.reduce(0) { $0 + $1.weights }
      + cost.populations.reduce(0) { $0 + 2 * $1.neurons }
    let spiking = cost.projections.filter { !$0.carriesValues }
    let connections = Double(spiking.reduce(0) { $0 + $1.denseMACs })

    self.regime = regime
    constants = [mac, add, byte]
    macNanojoules = mac.picojoules * macs / 1000
    additionNanojoules = add.picojoules * synops / 1000
    memoryNanojoules = byte.picojoules * (cost.weightBytesRead + membraneBytes) / 1000
    totalNanojoules = macNanojoules + additionNanojoules + memoryNanojoules
    denseNanojoules =
      (mac.picojoules * denseMACs + byte.picojoules * Double(denseBytes)) / 1000
    gain = totalNanojoules > 0 ? denseNanojoules / totalNanojoules : 0
    breakEven = mac.picojoules / add.picojoules
    additionsPerConnection = connections > 0 ? synops / connections : 0
  }

  /// How many additions a connection may take before a multiply-add is cheaper, and how many it
  /// takes, in one sentence.
  public var breakEvenStatement: String {
    let (limit, found) = (decimal(breakEven, 1), decimal(additionsPerConnection, 2))
    return "one MAC costs as much as \(limit) additions; "
      + "a connection takes \(found) additions per inference"
  }
}
