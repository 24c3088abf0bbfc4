/// The checksum at the end of a file (FORMAT.md §9): a tag of two bytes and the CRC-32 of every byte
/// before the tag, little-endian.
enum Checksum {
  private static let tag: [UInt8] = [0xFD, 0x7F]
  private static let size = tag.count + 4

  /// The bytes that end a file of the given message.
  static func field(of message: [UInt8]) -> [UInt8] {
    let sum = crc32(of: message[...])
    return tag + (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) }
  }

  /// Throws unless the bytes of a file end with their checksum.
  static func check(_ bytes: [UInt8]) throws(ModelError) {
    let message = bytes.dropLast(size)
    let end = bytes.suffix(size)
    guard end.count == size, Array(end.prefix(tag.count)) == tag else {
      throw .malformed(
        place: "checksum", expected: "as the last \(size) bytes of the file",
        found: "none: the file is cut short or damaged")
    }
    let found = end.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let sum = crc32(of: message)
    guard found == sum else {
      throw .malformed(
        place: "checksum",
        expected: hexadecimal(sum) + ", that of the \(message.count) bytes before",
        found: hexadecimal(found) + ": the file is damaged")
    }
  }

  private static func hexadecimal(_ sum: UInt32) -> String {
    let digits = String(sum, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
