import Foundation
import Wiring

/// Which form the writer chose for a projection's weights, what every form would have cost, and
/// how little they could cost.
public struct WeightEncoding: Equatable, Sendable {
  /// A form that can hold the weights.
  public struct Candidate: Equatable, Sendable {
    /// The form.
    public let form: WeightForm
    /// The size of the file's whole weights message in this form.
    public let bytes: Int
  }

  /// The form in the file.
  public let chosen: WeightForm
  /// The size of the file's weights message in the chosen form.
  public let bytes: Int
  /// Every form that can hold the weights, in the order of ``WeightForm/all``.
  public let candidates: [Candidate]
  /// Entries that are not zero.
  public let nonZeroCount: Int
  /// Entries of the matrix times the entropy of their values in bits, zeros included.
  public let entropyBits: Double
}

extension WeightMatrix {
  /// Entries times the entropy of the distribution of their values, in bits, zeros included:
  /// −Σ n_v · log2(n_v / n).
  public var entropyBits: Double {
    var counts = [Int](repeating: 0, count: 256)
    for value in values { counts[Int(value) + 128] += 1 }
    return counts.reduce(0.0) { sum, count in
      count == 0 ? sum : sum - Double(count) * log2(Double(count) / Double(values.count))
    }
  }

  /// The weights message in the smallest form, or in `form` if one is asked for.
  ///
  /// Throws where the weights do not fit the asked form, such as 9 in INT4.
  func encoded(
    as form: WeightForm?, at place: @autoclosure () -> String
  ) throws(ModelError) -> (message: PBWeights, encoding: WeightEncoding) {
    var candidates: [WeightEncoding.Candidate] = []
    var best: (message: PBWeights, form: WeightForm, bytes: Int)?
    for (candidate, message) in messages() {
      let bytes = try size(of: message, at: place())
      candidates.append(WeightEncoding.Candidate(form: candidate, bytes: bytes))
      if form == nil || form == candidate, best.map({ bytes < $0.bytes }) ?? true {
        best = (message, candidate, bytes)
      }
    }
    guard let best else {
      throw .outOfRange(
        place: place(), expected: "weights that \(form.map(\.description) ?? "a form") can hold",
        found: "others")
    }
    let encoding = WeightEncoding(
      chosen: best.form, bytes: best.bytes, candidates: candidates, nonZeroCount: nonZeroCount,
      entropyBits: entropyBits)
    return (best.message, encoding)
  }

  /// The weights in every form that can hold them, in the order of ``WeightForm/all``.
  private func messages() -> [(form: WeightForm, message: PBWeights)] {
    let sparse = values.filter { $0 != 0 }
    let stored: [(form: WeightForm, message: PBWeights)] = WeightForm.Layout.allCases.flatMap {
      layout in
      let kept = layout == .full ? values : sparse
      let index =
        switch layout {
        case .full: [UInt8]()
        case .csr: WeightIndex.csr(of: self)
        case .bitmap: WeightIndex.bitmap(of: self)
        }
      return WeightForm.Coding.allCases.compactMap { kind in
        WeightCoding(kind, for: kept).map { coding in
          (
            WeightForm(kind, layout, .stored),
            message(kept: kept, coding: coding, layout: layout, index: index)
          )
        }
      }
    }
    return stored
      + stored.map { form, message in
        var deflated = message
        deflated.compression = .zlib
        deflated.values = Data(Zlib.deflated([UInt8](message.values)))
        if form.layout != .full {
          deflated.index = Data(Zlib.deflated([UInt8](message.index)))
        }
        return (WeightForm(form.coding, form.layout, .zlib), deflated)
      }
  }

  private func message(
    kept: [Int8], coding: WeightCoding, layout: WeightForm.Layout, index: [UInt8]
  ) -> PBWeights {
    var message = PBWeights()
    message.rows = UInt32(rows)
    message.columns = UInt32(columns)
    message.coding = coding.kind.message
    message.codebook = coding.levels.map(Int32.init)
    message.layout = layout.message
    message.stored = UInt32(kept.count)
    message.values = Data(coding.pack(kept))
    message.index = Data(index)
    message.valuesSize = UInt32(message.values.count)
    message.indexSize = UInt32(index.count)
    return message
  }

  private func size(
    of message: PBWeights, at place: @autoclosure () -> String
  ) throws(ModelError) -> Int {
    do {
      return try message.serializedData().count
    } catch {
      throw .malformed(place: place(), expected: "a message of at most 2 GiB", found: "\(error)")
    }
  }

  /// The matrix a message holds; checks every size before anything of that size is allocated.
  ///
  /// `budget`: entries the matrix may have.
  init(_ message: PBWeights, budget: Int, at place: String) throws(ModelError) {
    let (rows, columns, stored) = (
      Int(message.rows), Int(message.columns), Int(message.stored)
    )
    try require(rows, in: 1...Shape.maximumCount, at: place + ".rows")
    try require(columns, in: 1...Model.maximumWeights, at: place + ".columns")
    let entries = rows * columns
    try require(entries, in: 1...max(budget, 1), at: place + " (entries)")

    let (coding, layout, compression) = try message.form(at: place)
    let stores = layout == .full ? entries...entries : 0...entries
    try require(stored, in: stores, at: place + ".stored")
    let valuesSize = coding.byteCount(of: stored)
    let indexSizes =
      switch layout {
      case .full: 0...0
      case .csr: WeightIndex.csrByteCounts(rows: rows, stored: stored)
      case .bitmap: (entries + 7) / 8...(entries + 7) / 8
      }
    try require(Int(message.valuesSize), in: valuesSize...valuesSize, at: place + ".values_size")
    try require(Int(message.indexSize), in: indexSizes, at: place + ".index_size")

    let valueBytes = try Self.content(
      of: message.values, size: valuesSize, compression, at: place + ".values")
    // FULL has no index at all, compressed or not.
    let indexBytes = try Self.content(
      of: message.index, size: Int(message.indexSize), layout == .full ? .stored : compression,
      at: place + ".index")
    let kept = try coding.unpack(valueBytes, count: stored, at: place)

    let positions: [Int]
    switch layout {
    case .full:
      self.init(rows: rows, columns: columns, values: kept)
      return
    case .csr:
      positions = try WeightIndex.positions(
        csr: indexBytes, rows: rows, columns: columns, stored: stored, at: place)
    case .bitmap:
      positions = try WeightIndex.positions(
        bitmap: indexBytes, entries: entries, stored: stored, at: place)
    }
    var values = [Int8](repeating: 0, count: entries)
    for (position, value) in zip(positions, kept) { values[position] = value }
    self.init(rows: rows, columns: columns, values: values)
  }

  private static func content(
    of bytes: Data, size: Int, _ compression: WeightForm.Compression, at place: String
  ) throws(ModelError) -> [UInt8] {
    switch compression {
    case .zlib: return try Zlib.inflated([UInt8](bytes), size: size, at: place)
    case .stored:
      guard bytes.count == size else {
        throw .wrongCount(place: place, expected: "\(size) bytes", found: "\(bytes.count)")
      }
      return [UInt8](bytes)
    }
  }
}
