/// The schema's enums to this module's and back; a value of a later minor version is refused.
extension WeightForm.Coding {
  /// The schema's name for it.
  var message: PBWeights.Coding {
    switch self {
    case .int8: .int8
    case .int4: .int4
    case .ternary: .ternary
    case .codebook: .codebook
    }
  }
}

extension WeightForm.Layout {
  /// The schema's name for it.
  var message: PBWeights.Layout {
    switch self {
    case .full: .full
    case .csr: .csr
    case .bitmap: .bitmap
    }
  }
}

extension PBWeights {
  /// The three choices of this message; throws on unknown ones and on wrong code books.
  func form(
    at place: String
  ) throws(ModelError) -> (WeightCoding, WeightForm.Layout, WeightForm.Compression) {
    let kind: WeightForm.Coding
    switch coding {
    case .int8: kind = .int8
    case .int4: kind = .int4
    case .ternary: kind = .ternary
    case .codebook: kind = .codebook
    case .UNRECOGNIZED(let value): throw unknownEnum(value, at: place + ".coding")
    }
    let layout: WeightForm.Layout
    switch self.layout {
    case .full: layout = .full
    case .csr: layout = .csr
    case .bitmap: layout = .bitmap
    case .UNRECOGNIZED(let value): throw unknownEnum(value, at: place + ".layout")
    }
    let compression: WeightForm.Compression
    switch self.compression {
    case .stored: compression = .stored
    case .zlib: compression = .zlib
    case .UNRECOGNIZED(let value): throw unknownEnum(value, at: place + ".compression")
    }
    var levels: [Int8] = []
    for (index, level) in codebook.enumerated() {
      try require(Int(level), in: -128...127, at: "\(place).codebook[\(index)]")
      levels.append(Int8(level))
    }
    guard let coding = WeightCoding(kind, levels: levels) else {
      throw .wrongCount(
        place: place + ".codebook",
        expected: kind == .codebook ? "2, 4 or 16 levels" : "no levels", found: "\(levels.count)")
    }
    return (coding, layout, compression)
  }
}

/// The refusal of an enum value this version does not know.
func unknownEnum(_ value: Int, at place: String) -> ModelError {
  .malformed(place: place, expected: "a value this version knows", found: "\(value)")
}
