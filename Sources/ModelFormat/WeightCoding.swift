/// Stored values to bits and back (FORMAT.md §7, *coding*).
///
/// A coding packs fields of 1, 2, 4 or 8 bits from the least significant bit of each byte.
struct WeightCoding: Equatable {
  /// The kind of coding.
  let kind: WeightForm.Coding
  /// The levels of a code book, 2, 4 or 16; empty for other codings.
  let levels: [Int8]

  /// The coding of `kind` for these stored values, or nil if it cannot hold them.
  ///
  /// A code book holds the distinct values in ascending order, its last level repeated up to 2, 4
  /// or 16 levels.
  init?(_ kind: WeightForm.Coding, for values: [Int8]) {
    self.kind = kind
    switch kind {
    case .int8: levels = []
    case .int4:
      guard values.allSatisfy({ (-8...7).contains($0) }) else { return nil }
      levels = []
    case .ternary:
      guard values.allSatisfy({ (-1...1).contains($0) }) else { return nil }
      levels = []
    case .codebook:
      var present = [Bool](repeating: false, count: 256)
      for value in values { present[Int(value) + 128] = true }
      let distinct = present.indices.filter { present[$0] }.map { Int8($0 - 128) }
      guard let last = distinct.last, let size = [2, 4, 16].first(where: { $0 >= distinct.count })
      else { return nil }
      levels = distinct + [Int8](repeating: last, count: size - distinct.count)
    }
  }

  /// The coding a file names, or nil if its code book has a wrong number of levels.
  init?(_ kind: WeightForm.Coding, levels: [Int8]) {
    guard kind == .codebook ? [2, 4, 16].contains(levels.count) : levels.isEmpty else { return nil }
    self.kind = kind
    self.levels = levels
  }

  /// Bits of one field.
  var bits: Int {
    switch kind {
    case .int8: 8
    case .int4: 4
    case .ternary: 2
    case .codebook: levels.count == 2 ? 1 : levels.count == 4 ? 2 : 4
    }
  }

  /// Bytes that `count` fields fill.
  func byteCount(of count: Int) -> Int { (count * bits + 7) / 8 }

  /// The fields of `values`. Precondition: the coding can hold them.
  func pack(_ values: [Int8]) -> [UInt8] {
    let mask = UInt8(truncatingIfNeeded: (1 << bits) - 1)
    // Of levels that repeat, the first is the code.
    var codes = [UInt8](repeating: 0, count: 256)
    for (code, level) in levels.enumerated().reversed() {
      codes[Int(level) + 128] = UInt8(code)
    }
    var bytes = [UInt8](repeating: 0, count: byteCount(of: values.count))
    for (position, value) in values.enumerated() {
      let bit = position * bits
      let code = kind == .codebook ? codes[Int(value) + 128] : UInt8(bitPattern: value) & mask
      bytes[bit / 8] |= code << (bit % 8)
    }
    return bytes
  }

  /// The `count` values of `bytes`; throws where a field has no value or padding is not 0.
  ///
  /// Precondition: `bytes.count == byteCount(of: count)`.
  func unpack(_ bytes: [UInt8], count: Int, at place: String) throws(ModelError) -> [Int8] {
    let mask = UInt8(truncatingIfNeeded: (1 << bits) - 1)
    var meanings = levels
    if kind != .codebook {
      // The sign bit of the field moves up to the sign bit of the byte and back.
      let unused = 8 - bits
      meanings = (0...mask).map { Int8(bitPattern: $0 << unused) >> unused }
    }
    var values: [Int8] = []
    values.reserveCapacity(count)
    for position in 0..<count {
      let bit = position * bits
      let code = (bytes[bit / 8] >> (bit % 8)) & mask
      if kind == .ternary && code == 2 {
        throw .malformed(
          place: "\(place).values[\(position)]", expected: "a ternary −1, 0 or 1",
          found: "binary 10")
      }
      values.append(meanings[Int(code)])
    }
    try requireZeroPadding(after: count * bits, in: bytes, at: place + ".values")
    return values
  }
}

/// Throws unless the bits of the last byte from bit number `end` of the whole on are 0.
func requireZeroPadding(
  after end: Int, in bytes: [UInt8], at place: @autoclosure () -> String
) throws(ModelError) {
  guard end % 8 != 0, let last = bytes.last, last >> (end % 8) != 0 else { return }
  throw .malformed(
    place: place(), expected: "unused bits of the last byte to be 0", found: "byte \(last)")
}
