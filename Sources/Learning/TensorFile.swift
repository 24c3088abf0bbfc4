import Foundation
import Tensors

/// A file of named tensors with a checksum. All integers little-endian:
///
/// | bytes | content |
/// |---|---|
/// | 8 | `SNNCKPT` and a zero byte |
/// | 4 | version, 1 |
/// | 4 | length of the header |
/// | … | header, JSON: `tensors` (`name`, `shape` of each, in order) and `metadata` (base 64) |
/// | … | the tensors' elements, float32, one after the other |
/// | 4 | CRC-32 (IEEE 802.3) of all bytes before |
struct TensorFile {
  var metadata = Data()
  var tensors: [(name: String, tensor: Tensor)] = []

  static let magic: [UInt8] = Array("SNNCKPT".utf8) + [0]
  static let version: UInt32 = 1

  private struct Header: Codable {
    struct Entry: Codable {
      var name: String
      var shape: [Int]
    }
    var tensors: [Entry]
    var metadata: Data
  }

  init() {}

  /// The tensors whose names begin with `prefix`, under the rest of their names.
  func tensors(below prefix: String) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (name, tensor) in tensors where name.hasPrefix(prefix) {
      result[String(name.dropFirst(prefix.count))] = tensor
    }
    return result
  }

  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let header = try encoder.encode(
      Header(
        tensors: tensors.map { Header.Entry(name: $0.name, shape: $0.tensor.shape) },
        metadata: metadata))
    var bytes = Self.magic
    bytes.reserveCapacity(
      20 + header.count + 4 * tensors.reduce(0) { $0 + $1.tensor.count })
    Self.append(Self.version, to: &bytes)
    Self.append(UInt32(header.count), to: &bytes)
    bytes.append(contentsOf: header)
    for (_, tensor) in tensors { FloatBytes.append(tensor, to: &bytes) }
    Self.append(CRC32.checksum(bytes, count: bytes.count), to: &bytes)
    return Data(bytes)
  }

  /// Reads a file; every length is checked before it is used.
  init(_ data: Data, place: String) throws {
    let bytes = [UInt8](data)
    func damaged(_ expected: String, _ found: String) -> LearningError {
      .damagedCheckpoint(place: place, expected: expected, found: found)
    }
    guard bytes.starts(with: Self.magic) else {
      throw damaged("a file that begins with SNNCKPT", "another kind of file")
    }
    guard bytes.count >= 20 else { throw damaged("at least 20 bytes", "\(bytes.count)") }
    let version = Self.word(bytes, at: 8)
    guard version == Self.version else {
      throw damaged("version \(Self.version)", "version \(version)")
    }
    let stated = Self.word(bytes, at: bytes.count - 4)
    let checksum = CRC32.checksum(bytes, count: bytes.count - 4)
    guard stated == checksum else {
      throw damaged(
        "the checksum \(String(stated, radix: 16))",
        "\(String(checksum, radix: 16)) over \(bytes.count) bytes: the file is truncated or altered"
      )
    }
    let length = Int(Self.word(bytes, at: 12))
    guard length <= bytes.count - 20,
      let header = try? JSONDecoder().decode(Header.self, from: Data(bytes[16..<16 + length]))
    else { throw damaged("a header of \(length) bytes", "none") }
    metadata = header.metadata
    var position = 16 + length
    let end = bytes.count - 4
    for entry in header.tensors {
      var count = 1
      for extent in entry.shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard extent > 0, !overflow, product <= (end - position) / 4 else {
          throw damaged("the elements of \(entry.name) \(entry.shape)", "fewer bytes")
        }
        count = product
      }
      guard count <= (end - position) / 4 else {
        throw damaged("the elements of \(entry.name) \(entry.shape)", "fewer bytes")
      }
      let next = position + 4 * count
      tensors.append((entry.name, FloatBytes.tensor(entry.shape, bytes[position..<next])))
      position = next
    }
    guard position == end else {
      throw damaged("nothing after the last tensor", "\(end - position) bytes")
    }
  }

  private static func append(_ word: UInt32, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift)))
    }
  }

  private static func word(_ bytes: [UInt8], at position: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[position + $1]) << UInt32(8 * $1) }
  }
}
