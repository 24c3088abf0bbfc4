import ModelFormat

/// Requests to a firmware and its answers, byte for byte as `targets/README.md` describes them.
enum BoardWire {
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
    let seed = input.seed == 0 ? [] : littleEndian(input.seed)
    var bytes = frame("B", options.rawValue, seed)
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
    return body + littleEndian(crc32(of: body[...]))
  }

  private static func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  // MARK: Answers

  /// The answers to samples, in order; other answers are left out.
  ///
  /// Throws ``BoardError/garbled(_:)`` where the bytes are no answers and
  /// ``BoardError/refused(request:status:)`` where the firmware refused a request.
  static func answers(in bytes: [UInt8]) throws(BoardError) -> [BoardAnswer] {
    var answers: [BoardAnswer] = []
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
      guard try trailer.number(UInt32.self) == crc32(of: bytes[start..<end]) else {
        throw .garbled("byte \(start): expected an answer with another CRC")
      }
      if kind == "a" { answers.append(try BoardAnswer(&reader)) }
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

    mutating func byte() throws(BoardError) -> UInt8 { try number(UInt8.self) }

    mutating func number<Number: FixedWidthInteger>(
      _ type: Number.Type
    ) throws(BoardError) -> Number {
      let size = Number.bitWidth / 8
      guard position + size <= bytes.count else {
        throw .garbled("byte \(position) of \(bytes.count): an answer ends early")
      }
      var number: Number = 0
      for byte in bytes[position..<position + size].reversed() {
        number = number << 8 | Number(truncatingIfNeeded: byte)
      }
      position += size
      return number
    }
  }
}
