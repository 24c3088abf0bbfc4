/// Which entries of a matrix are stored, to bytes and back (FORMAT.md §7, *layout*).
///
/// Both sparse layouts name positions `row · columns + column`, ascending.
enum WeightIndex {
  // MARK: CSR

  /// Per row a varint count and the columns, each but the first as distance from its
  /// predecessor − 1.
  static func csr(of matrix: WeightMatrix) -> [UInt8] {
    var bytes: [UInt8] = []
    for row in 0..<matrix.rows {
      let columns = (0..<matrix.columns).filter { matrix[row, $0] != 0 }
      appendVarint(columns.count, to: &bytes)
      var next = 0
      for column in columns {
        appendVarint(column - next, to: &bytes)
        next = column + 1
      }
    }
    return bytes
  }

  /// The positions a CSR index names: exactly `stored` of them.
  static func positions(
    csr bytes: [UInt8], rows: Int, columns: Int, stored: Int, at place: String
  ) throws(ModelError) -> [Int] {
    var reader = VarintReader(bytes: bytes, place: place + ".index")
    var positions: [Int] = []
    positions.reserveCapacity(stored)
    for row in 0..<rows {
      let count = try reader.next()
      guard count <= columns, count <= stored - positions.count else {
        throw .malformed(
          place: "\(place).index (row \(row))",
          expected: "at most \(min(columns, stored - positions.count)) columns", found: "\(count)")
      }
      var next = 0
      for _ in 0..<count {
        let column = next + (try reader.next())
        guard column < columns else {
          throw .malformed(
            place: "\(place).index (row \(row))", expected: "a column in 0..<\(columns)",
            found: "\(column)")
        }
        positions.append(row * columns + column)
        next = column + 1
      }
    }
    guard reader.isAtEnd, positions.count == stored else {
      throw .wrongCount(
        place: place + ".index", expected: "\(stored) columns in \(bytes.count) bytes",
        found: "\(positions.count) columns in \(reader.position) bytes")
    }
    return positions
  }

  /// The least and the most bytes of a CSR index of `stored` entries: a varint of a number below
  /// 2^32 takes 1 to 5 bytes.
  static func csrByteCounts(rows: Int, stored: Int) -> ClosedRange<Int> {
    (rows + stored)...(5 * (rows + stored))
  }

  // MARK: Bitmap

  /// One bit per entry, least significant bit first.
  static func bitmap(of matrix: WeightMatrix) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: (matrix.values.count + 7) / 8)
    for (position, value) in matrix.values.enumerated() where value != 0 {
      bytes[position / 8] |= 1 << (position % 8)
    }
    return bytes
  }

  /// The positions a bitmap names: exactly `stored` of them.
  ///
  /// Precondition: `bytes` holds `entries` bits.
  static func positions(
    bitmap bytes: [UInt8], entries: Int, stored: Int, at place: String
  ) throws(ModelError) -> [Int] {
    try requireZeroPadding(after: entries, in: bytes, at: place + ".index")
    let set = bytes.reduce(0) { $0 + $1.nonzeroBitCount }
    guard set == stored else {
      throw .wrongCount(place: place + ".index", expected: "\(stored) set bits", found: "\(set)")
    }
    return (0..<entries).filter { bytes[$0 / 8] >> ($0 % 8) & 1 == 1 }
  }

  /// Appends LEB128 in its shortest form.
  private static func appendVarint(_ value: Int, to bytes: inout [UInt8]) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

/// Reads LEB128 numbers below 2^32, shortest form only.
private struct VarintReader {
  let bytes: [UInt8]
  let place: String
  var position = 0

  var isAtEnd: Bool { position == bytes.count }

  mutating func next() throws(ModelError) -> Int {
    let start = position
    var value = 0
    for length in 0..<5 {
      guard position < bytes.count else {
        throw .malformed(
          place: "\(place)[\(start)]", expected: "a varint", found: "the end of the index")
      }
      let byte = bytes[position]
      position += 1
      value |= Int(byte & 0x7F) << (7 * length)
      guard byte & 0x80 == 0 else { continue }
      guard byte != 0 || length == 0 else {
        throw .malformed(
          place: "\(place)[\(start)]", expected: "a varint in its shortest form",
          found: "a padded one")
      }
      guard value < 1 << 32 else { break }
      return value
    }
    throw .malformed(
      place: "\(place)[\(start)]", expected: "a varint below 2^32", found: "a longer one")
  }
}
