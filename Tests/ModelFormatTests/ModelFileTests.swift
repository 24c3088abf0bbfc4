import Foundation
import ModelFixtures
import Testing

@testable import ModelFormat

@Suite struct ModelFileTests {
  /// 5000 models where `SNN_LONG_TESTS` is set.
  private let seeds: Range<UInt64> =
    ProcessInfo.processInfo.environment["SNN_LONG_TESTS"] == "1" ? 0..<5000 : 0..<300

  @Test func readingWhatWasWrittenGivesTheModel() throws {
    for seed in seeds {
      let model = RandomModels.model(seed: seed)
      let encoded = try ModelFile.encode(model)
      #expect(try ModelFile.decode(encoded.bytes) == model, "seed \(seed)")
    }
  }

  @Test func sameModelGivesSameBytes() throws {
    for seed in 0..<20 as Range<UInt64> {
      let first = try ModelFile.encode(RandomModels.model(seed: seed))
      #expect(try ModelFile.encode(RandomModels.model(seed: seed)) == first)
      #expect(try ModelFile.encode(ModelFile.decode(first.bytes)).bytes == first.bytes)
    }
  }

  @Test func askedFormsAreWritten() throws {
    let model = ValidationTests.valid
    let form = WeightForm(.int4, .bitmap, .zlib)
    let encoded = try ModelFile.encode(model, forms: [2: form])
    #expect(encoded.weights[2].chosen == form)
    #expect(try ModelFile.decode(encoded.bytes) == model)
  }

  @Test func fileIsWrittenWholeAndReadBack() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("model.snnpb").path
    for model in [ValidationTests.valid, RandomModels.model(seed: 3)] {
      try ModelFile.write(model, to: path)
      #expect(try ModelFile.read(path) == model)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.snnpb"])
    #expect(throws: ModelError.self) { try ModelFile.read(path + ".missing") }
    #expect(throws: ModelError.self) { try ModelFile.write(ValidationTests.valid, to: "/no/x") }
  }

  // MARK: Versions

  private func message(_ change: (inout PBModel) -> Void) throws -> [UInt8] {
    var message = try PBModel(serializedBytes: ModelFile.encode(ValidationTests.valid).bytes)
    change(&message)
    return try message.fileBytes()
  }

  @Test func unknownMajorIsRefusedAndNewerMinorIsRead() throws {
    for major in [0, 3, UInt32.max] {
      let bytes = try message { $0.formatMajor = major }
      #expect(
        throws: ModelError.unsupportedVersion(
          place: "format_major", expected: "1 or 2", found: "\(major)")
      ) { try ModelFile.decode(bytes) }
    }
    #expect(try ModelFile.decode(message { $0.formatMinor = 7 }) == ValidationTests.valid)
  }

  @Test func unknownFieldsOfTheMajorAreIgnored() throws {
    // Field 1000, a varint, at the end of the model.
    let bytes = try ModelFile.encode(ValidationTests.valid).bytes.dropLast(6) + [0xC0, 0x3E, 5]
    let sealed = Array(bytes) + Checksum.field(of: Array(bytes))
    #expect(try ModelFile.decode(sealed) == ValidationTests.valid)
  }

  /// A file of 1.0: no checksum, and one padding for both sides (FORMAT.md §10).
  private func olderFile(_ change: (inout PBModel) -> Void = { _ in }) throws -> [UInt8] {
    var message = try PBModel(serializedBytes: ModelFile.encode(ValidationTests.valid).bytes)
    message.formatMajor = 1
    message.checksum = 0
    for index in message.projections.indices where message.projections[index].hasConvolution {
      message.projections[index].convolution.paddingBottom = 0
      message.projections[index].convolution.paddingRight = 0
    }
    change(&message)
    return try message.serializedBytes()
  }

  @Test func filesOfVersion1AreRead() throws {
    #expect(try ModelFile.decode(olderFile()) == ValidationTests.valid)
  }

  @Test func fieldsOfVersion2AreRefusedInVersion1() throws {
    let convolution = try #require(
      ValidationTests.valid.projections.firstIndex {
        if case .convolution = $0.topology { true } else { false }
      })
    let changes: [(String, (inout PBModel) -> Void)] = [
      ("format_major 1.checksum", { $0.checksum = 1 }),
      ("taps", { $0.projections[3].taps = 2 }),
      (".delay", { $0.projections[0].delay = 1 }), (".delay", { $0.projections[3].delay = 2 }),
      ("padding_bottom", { $0.projections[convolution].convolution.paddingBottom = 1 }),
      ("padding_right", { $0.projections[convolution].convolution.paddingRight = 1 }),
    ]
    for (field, change) in changes {
      let bytes = try olderFile(change)
      let error = #expect(throws: ModelError.self) { try ModelFile.decode(bytes) }
      #expect(error?.place.hasSuffix(field) == true, "\(field): \(String(describing: error))")
    }
  }

  @Test func unknownEnumValuesAndFieldsOfOtherKindsAreRefused() throws {
    let changes: [(String, (inout PBModel) -> Void)] = [
      ("inputs[0] \"events\".kind", { $0.inputs[0].kind = .UNRECOGNIZED(2) }),
      ("inputs[0] \"events\".multiplicity", { $0.inputs[0].multiplicity = .UNRECOGNIZED(2) }),
      ("inputs[0] \"events\".min_value", { $0.inputs[0].minValue = -1 }),
      ("inputs[0] \"events\".max_value", { $0.inputs[0].maxValue = 1 }),
      ("inputs[0] \"events\".frame_per_step", { $0.inputs[0].framePerStep = true }),
      ("inputs[0] \"events\".max_events_per_step", { $0.inputs[0].multiplicity = .once }),
      ("inputs[1] \"values\".multiplicity", { $0.inputs[1].multiplicity = .every }),
      ("inputs[1] \"values\".max_events_per_step", { $0.inputs[1].maxEventsPerStep = 1 }),
      ("populations[0] \"conv\".kind", { $0.populations[0].kind = .UNRECOGNIZED(2) }),
      ("populations[0] \"conv\".reset", { $0.populations[0].reset = .UNRECOGNIZED(3) }),
      ("populations[0] \"conv\".compare", { $0.populations[0].compare = .UNRECOGNIZED(2) }),
      ("populations[0] \"conv\".reset_value", { $0.populations[0].resetValue = 1 }),
      ("populations[2] \"answer\".threshold", { $0.populations[2].threshold = [1] }),
      ("populations[2] \"answer\".ceiling", { $0.populations[2].ceiling = 1 }),
      ("projections[2] \"down\"", { $0.projections[2].source = nil }),
      ("projections[2] \"down\".topology", { $0.projections[2].topology = .UNRECOGNIZED(4) }),
      ("projections[2] \"down\".convolution", { $0.projections[2].convolution = .init() }),
      ("projections[2] \"down\".tap_step", { $0.projections[2].tapStep = 1 }),
      ("golden_digest", { $0.goldenDigest = Data([1, 2, 3]) }),
    ]
    for (place, change) in changes {
      let bytes = try message(change)
      do {
        _ = try ModelFile.decode(bytes)
        Issue.record("accepted: \(place)")
      } catch {
        #expect(error.place == place)
      }
    }
  }

  // MARK: Damage

  @Test func everyTruncationIsRefused() throws {
    for seed in [2, 5] as [UInt64] {
      let bytes = try ModelFile.encode(RandomModels.model(seed: seed)).bytes
      for length in bytes.indices {
        #expect(throws: ModelError.self, "seed \(seed), \(length) bytes") {
          try ModelFile.decode(Array(bytes.prefix(length)))
        }
      }
    }
  }

  @Test func everyFlippedBitIsRefused() throws {
    let bytes = try ModelFile.encode(ValidationTests.valid).bytes
    let forms = [0, 1, 2, 3, 4].map { ($0, WeightForm(.codebook, .csr, .stored)) }
    let others = try ModelFile.encode(
      ValidationTests.valid, forms: Dictionary(uniqueKeysWithValues: forms)
    ).bytes
    for bytes in [bytes, others] {
      for position in bytes.indices {
        for bit in 0..<8 {
          var damaged = bytes
          damaged[position] ^= 1 << bit
          #expect(throws: ModelError.self, "byte \(position), bit \(bit)") {
            try ModelFile.decode(damaged)
          }
        }
      }
    }
  }

  /// What the checksum of a file of 2.0 would refuse: read as a valid model, or refused; no trap.
  @Test func damagedFilesOfVersion1NeverTrap() throws {
    let whole = try olderFile()
    for position in whole.indices {
      var flipped = whole
      flipped[position] ^= 1 << UInt8(position % 8)
      for bytes in [Array(whole.prefix(position)), flipped] {
        if let model = try? ModelFile.decode(bytes) {
          #expect(throws: Never.self) { try model.validate() }
        }
      }
    }
  }

  @Test func damageIsNamed() throws {
    let bytes = try ModelFile.encode(ValidationTests.valid).bytes
    #expect(
      throws: ModelError.malformed(
        place: "checksum", expected: "as the last 6 bytes of the file",
        found: "none: the file is cut short or damaged")
    ) { try ModelFile.decode(Array(bytes.dropLast(6))) }
    var flipped = bytes
    flipped[bytes.count - 7] ^= 1
    let error = #expect(throws: ModelError.self) { try ModelFile.decode(flipped) }
    #expect(error?.place == "checksum" && "\(error!)".hasSuffix(": the file is damaged"))
  }
}
