import Foundation
import ModelFixtures
import Tensors
import Testing

@testable import ModelFormat

@Suite struct WeightEncodingTests {
  private func message(_ matrix: WeightMatrix, _ form: WeightForm) throws -> PBWeights {
    try matrix.encoded(as: form, at: "weights").message
  }

  private func decode(_ message: PBWeights) throws -> WeightMatrix {
    try WeightMatrix(message, budget: 1 << 20, at: "weights")
  }

  // MARK: Hand-worked bytes

  private let ternary = WeightMatrix(rows: 2, columns: 3, values: [0, 1, 0, -1, 0, 1])

  @Test func codingsFillBytesFromTheLeastSignificantBit() throws {
    #expect(
      try [UInt8](message(ternary, .init(.int8, .full, .stored)).values)
        == [0, 1, 0, 0xFF, 0, 1])
    #expect(
      try [UInt8](message(ternary, .init(.int4, .full, .stored)).values)
        == [0x10, 0xF0, 0x10])
    // 00 01 00 11 | 00 01, the first field lowest.
    #expect(
      try [UInt8](message(ternary, .init(.ternary, .full, .stored)).values)
        == [0b1100_0100, 0b0000_0100])
    let book = try message(ternary, .init(.codebook, .full, .stored))
    #expect(book.codebook == [-1, 0, 1, 1])
    #expect([UInt8](book.values) == [0b0001_1001, 0b0000_1001])
    let pair = try message(ternary, .init(.codebook, .csr, .stored))
    #expect(pair.codebook == [-1, 1])
    #expect([UInt8](pair.values) == [0b101])
  }

  @Test func layoutsNameTheStoredEntries() throws {
    // Row 0: 1 column, 1. Row 1: 2 columns, 0 and 0 + 1 + 1.
    #expect(try [UInt8](message(ternary, .init(.int8, .csr, .stored)).index) == [1, 1, 2, 0, 1])
    #expect(try [UInt8](message(ternary, .init(.int8, .bitmap, .stored)).index) == [0b101010])
    let wide = WeightMatrix(
      rows: 1, columns: 300, values: .init(repeating: 0, count: 299) + [5])
    #expect(try [UInt8](message(wide, .init(.int8, .csr, .stored)).index) == [1, 0xAB, 0x02])
  }

  @Test func entropyIsTheWorkedOne() {
    // Four values alike of eight, two of eight twice: 4·1 + 2·2 + 2·2 = 12 bits.
    let matrix = WeightMatrix(rows: 2, columns: 4, values: [0, 0, 0, 0, 1, 1, -7, -7])
    #expect(abs(matrix.entropyBits - 12) < 1e-12)
    #expect(WeightMatrix(rows: 1, columns: 3, values: [4, 4, 4]).entropyBits == 0)
    // Half zeros: one bit an entry.
    #expect(abs(WeightMatrix(rows: 1, columns: 2, values: [0, 9]).entropyBits - 2) < 1e-12)
  }

  // MARK: Choice

  @Test func everyFormHoldsEveryMatrixItOffersTo() throws {
    for seed in 0..<40 as Range<UInt64> {
      for projection in RandomModels.model(seed: seed).projections {
        let matrix = projection.weights
        for candidate in try matrix.encoded(as: nil, at: "weights").encoding.candidates {
          let encoded = try matrix.encoded(as: candidate.form, at: "weights")
          #expect(encoded.encoding.chosen == candidate.form)
          #expect(try encoded.message.serializedData().count == candidate.bytes)
          #expect(try decode(encoded.message) == matrix, "seed \(seed) \(candidate.form)")
        }
      }
    }
  }

  @Test func theWriterTakesTheSmallest() throws {
    for seed in 0..<40 as Range<UInt64> {
      for projection in RandomModels.model(seed: seed).projections {
        let (message, encoding) = try projection.weights.encoded(as: nil, at: "weights")
        #expect(encoding.bytes == encoding.candidates.map(\.bytes).min())
        #expect(encoding.bytes == (try message.serializedData().count))
        #expect(encoding.candidates.first { $0.bytes == encoding.bytes }?.form == encoding.chosen)
      }
    }
  }

  @Test func typicalMatricesTakeTheExpectedForm() throws {
    func chosen(_ values: [Int8], columns: Int) throws -> WeightForm {
      let matrix = WeightMatrix(rows: values.count / columns, columns: columns, values: values)
      return try matrix.encoded(as: nil, at: "weights").encoding.chosen
    }
    var random = RandomSource(seed: 1)
    let far: [Int8] = (0..<256).map { _ in random.integer(below: 2) == 0 ? -100 : 90 }
    #expect(try chosen(far, columns: 16) == WeightForm(.codebook, .full, .stored))
    var sparse = [Int8](repeating: 0, count: 400)
    sparse[17] = 99
    #expect(try chosen(sparse, columns: 400).layout == .csr)
    #expect(try chosen([Int8](repeating: 0, count: 40_000), columns: 200).compression == .zlib)
  }

  @Test func formThatCannotHoldTheWeightsIsRefused() {
    let matrix = WeightMatrix(rows: 1, columns: 1, values: [9])
    #expect(throws: ModelError.self) {
      try matrix.encoded(as: WeightForm(.int4, .full, .stored), at: "weights")
    }
  }

  // MARK: Damage

  private func fault(
    _ form: WeightForm, _ change: (inout PBWeights) -> Void
  ) throws -> String? {
    var damaged = try message(ternary, form)
    change(&damaged)
    do {
      _ = try decode(damaged)
      return nil
    } catch let error as ModelError {
      return error.place
    }
  }

  @Test func damagedWeightsAreRefusedWithTheirPlace() throws {
    let full = WeightForm(.ternary, .full, .stored)
    let csr = WeightForm(.int8, .csr, .stored)
    let bitmap = WeightForm(.int8, .bitmap, .stored)
    let book = WeightForm(.codebook, .full, .stored)
    #expect(try fault(full) { _ in } == nil)
    #expect(try fault(full) { $0.rows = 0 } == "weights.rows")
    #expect(try fault(full) { $0.columns = 0 } == "weights.columns")
    #expect(try fault(full) { ($0.rows, $0.columns) = (1 << 20, 1 << 26) } == "weights (entries)")
    #expect(try fault(full) { $0.rows = .max } == "weights.rows")
    #expect(try fault(full) { $0.stored = 5 } == "weights.stored")
    #expect(try fault(full) { $0.valuesSize = 3 } == "weights.values_size")
    #expect(try fault(full) { $0.values = Data([0xC4]) } == "weights.values")
    #expect(try fault(full) { $0.values = Data([0xC4, 4, 0]) } == "weights.values")
    #expect(try fault(full) { $0.values = Data([0xC6, 4]) } == "weights.values[0]")
    #expect(try fault(full) { $0.values = Data([0xC4, 0x14]) } == "weights.values")
    #expect(try fault(full) { $0.index = Data([1]) } == "weights.index")
    #expect(try fault(full) { $0.indexSize = 1 } == "weights.index_size")
    #expect(try fault(full) { $0.codebook = [1, 2] } == "weights.codebook")
    #expect(try fault(full) { $0.coding = .UNRECOGNIZED(9) } == "weights.coding")
    #expect(try fault(full) { $0.layout = .UNRECOGNIZED(3) } == "weights.layout")
    #expect(try fault(full) { $0.compression = .UNRECOGNIZED(2) } == "weights.compression")
    #expect(try fault(book) { $0.codebook = [1, 2, 3] } == "weights.codebook")
    #expect(try fault(book) { $0.codebook[1] = 128 } == "weights.codebook[1]")
    #expect(try fault(csr) { $0.stored = 7 } == "weights.stored")
    for index in [[1, 1, 2, 0, 2], [1, 3, 2, 0, 1], [1, 1, 2, 2, 0], [4, 0, 0, 0, 0]] as [[UInt8]] {
      let place = try #require(try fault(csr) { $0.index = Data(index) })
      #expect(place.hasPrefix("weights.index (row"), "\(index)")
    }
    // A count short of the stored values, a padded varint, an endless one, one cut off.
    #expect(try fault(csr) { $0.index = Data([1, 1, 1, 0, 1]) } == "weights.index")
    for index in [[0x81, 0, 1, 2, 0, 1], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], [1, 1, 2, 0, 0x80]]
      as [[UInt8]]
    {
      let place = try #require(
        try fault(csr) {
          $0.index = Data(index)
          $0.indexSize = UInt32(index.count)
        })
      #expect(place.hasPrefix("weights.index["), "\(index)")
    }
    #expect(try fault(bitmap) { $0.index = Data([0b111010]) } == "weights.index")
    #expect(try fault(bitmap) { $0.index = Data([0b1001010]) } == "weights.index")
  }

  @Test func zlibStreamsMustBeWholeAndOfTheirSize() throws {
    let form = WeightForm(.int8, .csr, .zlib)
    #expect(try fault(form) { _ in } == nil)
    #expect(try fault(form) { $0.values.removeLast() } == "weights.values")
    #expect(try fault(form) { $0.values.append(0) } == "weights.values")
    #expect(try fault(form) { $0.index = Data([1, 1, 2, 0, 1]) } == "weights.index")
    #expect(try fault(form) { $0.values = Data() } == "weights.values")
    #expect(try fault(form) { $0.indexSize = 6 } == "weights.index")
    // 16 MiB of zeros in 16 KiB never get more room than the three values they should be.
    let bomb = Data(Zlib.deflated([UInt8](repeating: 0, count: 1 << 24)))
    #expect(try fault(form) { $0.values = bomb } == "weights.values")
    #expect(try fault(form) { $0.valuesSize = 1 << 31 } == "weights.values_size")
  }

  /// A code book may store zeros, which are no synapses.
  @Test func storedZerosAreEntriesLikeAnyOther() throws {
    var sparse = try message(ternary, WeightForm(.int8, .csr, .stored))
    sparse.values[0] = 0
    #expect(try decode(sparse).values == [0, 0, 0, -1, 0, 1])
  }
}
