import Foundation
import ModelFixtures
import SwiftProtobuf
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

  /// The message with a field that no version knows: number 1000, a varint.
  private static func unknown<Message: SwiftProtobuf.Message>(_ message: Message) -> Message {
    try! Message(serializedBytes: try! message.serializedBytes() + [0xC0, 0x3E, 5] as [UInt8])
  }

  @Test func unknownFieldsAreRefusedButInTheTask() throws {
    let poisson = PBPoisson.with { $0.gain = 1 }
    let changes: [(String, (inout PBModel) -> Void)] = [
      ("model", { $0 = Self.unknown($0) }), ("exit", { $0.exit = Self.unknown($0.exit) }),
      ("inputs[0] \"events\"", { $0.inputs[0] = Self.unknown($0.inputs[0]) }),
      ("inputs[0] \"events\".shape", { $0.inputs[0].shape = Self.unknown($0.inputs[0].shape) }),
      ("inputs[0] \"events\".sensor", { $0.inputs[0].sensor = Self.unknown(PBSensor()) }),
      ("inputs[1] \"values\".encoder", { $0.inputs[1].encoder = Self.unknown(PBEncoder()) }),
      (
        "inputs[1] \"values\".encoder.poisson",
        { $0.inputs[1].encoder.poisson = Self.unknown(poisson) }
      ),
      ("populations[1] \"loop\"", { $0.populations[1] = Self.unknown($0.populations[1]) }),
      (
        "populations[1] \"loop\".shape",
        { $0.populations[1].shape = Self.unknown($0.populations[1].shape) }
      ),
      ("projections[2] \"down\"", { $0.projections[2] = Self.unknown($0.projections[2]) }),
      (
        "projections[2] \"down\".weights",
        { $0.projections[2].weights = Self.unknown($0.projections[2].weights) }
      ),
      (
        "projections[0] \"in\".convolution",
        { $0.projections[0].convolution = Self.unknown($0.projections[0].convolution) }
      ),
    ]
    for (place, change) in changes {
      let bytes = try message(change)
      #expect(
        throws: ModelError.malformed(
          place: place, expected: "the fields of format 2.0", found: "field 1000"),
        "\(place)"
      ) { try ModelFile.decode(bytes) }
    }
    let bytes = try message { $0.task = Self.unknown($0.task) }
    #expect(try ModelFile.decode(bytes) == ValidationTests.valid)
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
      ("model.checksum", { $0.checksum = 1 }), ("model.exit", { $0.exit.margin = 1 }),
      (".encoder", { $0.inputs[1].encoder.poisson.gain = 1 }),
      (".sensor", { $0.inputs[0].sensor.width = 1 }),
      (".current_leak", { $0.populations[0].currentLeak = [1] }),
      (".tap_step", { $0.projections[3].tapStep = 1 }),
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
