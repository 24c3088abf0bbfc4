import CZlib
import ModelFormat

/// Requests to a firmware and its answers, byte for byte as `targets/README.md` describes them.
enum DeviceWire {
  /// What a sample asks for beside its answer.
  struct Options: OptionSet {
    let rawValue: UInt16
    /// Counters and digests with the answer.
    static let counting = Options(rawValue: 1)
    /// Marks for the plugin that counts instructions, layer by layer.
    static let marking = Options(rawValue: 2)
  }

  // MARK: Requests

  /// The requests that present `input` to a network of `model`, run it and ask for the answer.
  static func requests(for input: InferenceInput, of model: Model, options: Options) -> [UInt8] {
    var bytes = frame("B", options.rawValue)
    let isHeld = input.ports.allSatisfy { if case .held = $0 { true } else { false } }
    for step in 0..<(isHeld ? 1 : input.steps) {
      for (port, presented) in input.ports.enumerated() {
        switch presented {
        case .held(let values):
          if step == 0 { bytes += frame("V", port, values, for: model.inputs[port]) }
        case .frames(let frames):
          bytes += frame("V", port, frames[step], for: model.inputs[port])
        case .events(let steps):
          if !steps[step].isEmpty {
            bytes += frame("E", UInt16(port), steps[step].flatMap { littleEndian($0) })
          }
        }
      }
      bytes += frame("R", UInt16(isHeld ? input.steps : 1))
    }
    return bytes + frame("A", 0)
  }

  /// The request that ends a session.
  static let quit = frame("Q", 0)

  private static func frame(
    _ kind: Character, _ port: Int, _ values: [Int16], for input: InputPort
  ) -> [UInt8] {
    guard case .values(let minimum, let maximum, _) = input.kind, minimum >= 0, maximum <= 255
    else { return frame(kind, UInt16(port), values.flatMap { littleEndian($0) }) }
    return frame(kind, UInt16(port), values.map { UInt8($0) })
  }

  private static func frame(
    _ kind: Character, _ argument: UInt16, _ payload: [UInt8] = []
  ) -> [UInt8] {
    let body =
      [UInt8(ascii: "S"), kind.asciiValue!] + littleEndian(argument)
      + littleEndian(UInt32(payload.count)) + payload
    return body + littleEndian(checksum(body[...]))
  }

  private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.withUnsafeBufferPointer { UInt32(crc32(0, $0.baseAddress, UInt32($0.count))) }
  }

  // MARK: Answers

  /// The answers to samples, in order; other answers are left out.
  ///
  /// Throws ``DeviceError/garbled(_:)`` where the bytes are no answers and
  /// ``DeviceError/refused(request:status:)`` where the firmware refused a request.
  static func answers(in bytes: [UInt8]) throws(DeviceError) -> [DeviceAnswer] {
    var answers: [DeviceAnswer] = []
    var start = 0
    while start < bytes.count {
      var reader = Reader(bytes: bytes, position: start)
      guard try reader.byte() == UInt8(ascii: "S") else {
        throw .garbled("byte \(start) of \(bytes.count): expected an answer")
      }
      let kind = Character(UnicodeScalar(try reader.byte()))
      let argument = try reader.number(UInt16.self)
      let size = Int(try reader.number(UInt32.self))
      let end = start + 8 + size
      guard end + 4 <= bytes.count else {
        throw .garbled("byte \(start) of \(bytes.count): expected \(size) more bytes of an answer")
      }
      var trailer = Reader(bytes: bytes, position: end)
      guard try trailer.number(UInt32.self) == checksum(bytes[start..<end]) else {
        throw .garbled("byte \(start): expected an answer with another CRC")
      }
      if kind == "a" { answers.append(try DeviceAnswer(&reader)) }
      if kind == "x" {
        let request = UnicodeScalar(UInt8(truncatingIfNeeded: argument))
        throw .refused(
          request: String(Character(request)), status: Int(try reader.number(Int32.self)))
      }
      start = end + 4
    }
    return answers
  }

  /// Little-endian numbers of an answer, one after the other.
  struct Reader {
    let bytes: [UInt8]
    var position: Int

    mutating func byte() throws(DeviceError) -> UInt8 { try number(UInt8.self) }

    mutating func number<Number: FixedWidthInteger>(
      _ type: Number.Type
    ) throws(DeviceError) -> Number {
      let size = Number.bitWidth / 8
      guard position + size <= bytes.count else {
        throw .garbled("byte \(position) of \(bytes.count): an answer ends early")
      }
      var number: Number = 0
      for byte in bytes[position..<position + size].reversed() { number = number << 8 | Number(truncatingIfNeeded: byte) }
      position += size
      return number
    }
  }
}

/// What a firmware says of a sample.
struct DeviceAnswer: Equatable, Sendable {
  /// Counters of a population, and the digest of all its membranes and spikes.
  struct Population: Equatable, Sendable {
    var spikesOut: Int
    var saturations: Int
    var digest: UInt32
  }

  /// The class it found.
  var classIndex: Int
  var scores: [Int32]
  /// By index in the model; empty where counting was off.
  var populations: [Int: Population] = [:]
  var projections: [Int: Counters.Projection] = [:]
  /// Bytes of stack used so far.
  var stackBytes: Int = 0
}

extension DeviceAnswer {
  fileprivate init(_ reader: inout DeviceWire.Reader) throws(DeviceError) {
    classIndex = Int(try reader.number(UInt32.self))
    let scoreCount = try reader.number(UInt32.self)
    let populationCount = try reader.number(UInt32.self)
    let projectionCount = try reader.number(UInt32.self)
    _ = try reader.number(UInt32.self)
    stackBytes = Int(try reader.number(UInt32.self))
    scores = []
    for _ in 0..<scoreCount { scores.append(try reader.number(Int32.self)) }
    for _ in 0..<populationCount {
      let index = Int(try reader.number(UInt32.self))
      populations[index] = Population(
        spikesOut: Int(try reader.number(UInt64.self)),
        saturations: Int(try reader.number(UInt64.self)), digest: try reader.number(UInt32.self))
    }
    for _ in 0..<projectionCount {
      let index = Int(try reader.number(UInt32.self))
      projections[index] = Counters.Projection(
        spikesIn: Int(try reader.number(UInt64.self)), synops: Int(try reader.number(UInt64.self)),
        macs: Int(try reader.number(UInt64.self)))
    }
  }

  /// What the host says of `input`: the answer every device must give, its stack aside.
  init(expectedOf session: Session, for input: InferenceInput) throws {
    var digests = session.model.populations.map { DeviceDigest(neurons: $0.shape.count) }
    let inference = try session.run(input) { record in
      for index in digests.indices {
        digests[index].add(spikes: record.spikes[index], membranes: record.membranes[index])
      }
    }
    classIndex = inference.classIndex
    scores = inference.scores
    for (index, counters) in inference.counters.populations.enumerated() {
      populations[index] = Population(
        spikesOut: counters.spikesOut, saturations: counters.saturations,
        digest: digests[index].value)
    }
    for (index, counters) in inference.counters.projections.enumerated() {
      projections[index] = counters
    }
  }
}

/// The digest of `runtime-c/include/snn/count.h`: a sum over steps and neurons, so that their order does not matter.
struct DeviceDigest {
  /// N of the population.
  let neurons: Int
  /// The digest of all steps so far.
  private(set) var value: UInt32 = 0
  private var position: UInt32 = 0

  init(neurons: Int) { self.neurons = neurons }

  /// Takes the next step: indices of the neurons that spiked, ascending, and all membranes.
  mutating func add(spikes: [UInt32], membranes: [Int32]) {
    var next = spikes.startIndex
    for (neuron, membrane) in membranes.enumerated() {
      position &+= 1
      var spiked: UInt32 = 0
      if next < spikes.endIndex, spikes[next] == neuron {
        spiked = 1
        next += 1
      }
      let state = UInt32(bitPattern: membrane) &* 0x85EB_CA6B &+ spiked
      var mixed = position &* 0x9E37_79B1 ^ state
      mixed ^= mixed >> 15
      mixed = mixed &* 0x2C1B_3C6D
      mixed ^= mixed >> 12
      value &+= mixed
    }
  }
}

/// Why a firmware could not be asked.
public enum DeviceError: Error, Equatable, CustomStringConvertible {
  /// `targets/run` is not where the program was started nor above it.
  case noTargets(searched: String)
  /// There is no such board.
  case unknownBoard(String, known: [String])
  /// The firmware could not be built, or did not end.
  case failed(board: String, reason: String)
  /// A request was refused.
  case refused(request: String, status: Int)
  /// The answers are not what the wire format says.
  case garbled(String)

  public var description: String {
    switch self {
    case .noTargets(let searched):
      "targets/run: expected in \(searched) or a folder above it, found none; run snn-check inside "
        + "the repository, or set SNN_TARGETS to its folder targets"
    case .unknownBoard(let name, let known):
      "--target: expected one of \(known.joined(separator: ", ")), or all, found '\(name)'"
    case .failed(let board, let reason): "\(board): \(reason)"
    case .refused(let request, let status):
      "the firmware refused request \(request) with status \(status) of snn/status.h"
    case .garbled(let what): "answers of the firmware: \(what)"
    }
  }
}
