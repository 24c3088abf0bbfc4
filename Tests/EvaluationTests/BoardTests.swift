import Foundation
import ModelFixtures
import ModelFormat
import Testing

@testable import Evaluation

/// The wire to a firmware, and a firmware on a board.
@Suite struct BoardTests {
  // MARK: The wire

  /// An answer as `targets/README.md` lays it out, its CRC by zlib's rule.
  private static func answer(_ kind: Character, _ argument: UInt16, _ words: [UInt32]) -> [UInt8] {
    let numbers = [UInt32(4 * words.count)] + words
    var bytes: [UInt8] = [
      UInt8(ascii: "S"), kind.asciiValue ?? 0, UInt8(argument & 255), UInt8(argument >> 8),
    ]
    bytes += numbers.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    var remainder: UInt32 = .max
    for byte in bytes {
      remainder ^= UInt32(byte)
      for _ in 0..<8 {
        remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1
      }
    }
    return bytes + (0..<4).map { UInt8(truncatingIfNeeded: ~remainder >> (8 * $0)) }
  }

  /// Class 1 of two scores, one layer, one projection.
  private static let result = answer(
    "a", 0,
    [
      1, 2, 1, 1, 0, 300, UInt32(bitPattern: -5), 7, 3, 40, 0, 2, 0, 0xDEAD_BEEF, 4, 5, 0, 6, 0, 7,
      0,
    ])

  @Test func answersAreReadFieldByField() throws {
    let answers = try BoardWire.answers(in: Self.result + Self.answer("q", 0, [0, 300]))
    let answer = try #require(answers.first)
    #expect(answers.count == 1 && answer.classIndex == 1 && answer.scores == [-5, 7])
    #expect(answer.stackBytes == 300)
    #expect(
      answer.populations == [3: .init(spikesOut: 40, saturations: 2, digest: 0xDEAD_BEEF)])
    #expect(answer.projections == [4: .init(spikesIn: 5, synops: 6, macs: 7)])
  }

  @Test func brokenAnswersAreRefused() {
    for count in 1..<Self.result.count {
      #expect(throws: BoardError.self) {
        try BoardWire.answers(in: Array(Self.result.prefix(count)))
      }
    }
    for place in Self.result.indices {
      var broken = Self.result
      broken[place] ^= 0x10
      #expect(throws: BoardError.self) { try BoardWire.answers(in: broken) }
    }
    #expect(throws: BoardError.refused(request: "R", status: -11)) {
      try BoardWire.answers(
        in: Self.answer("x", UInt16(UInt8(ascii: "R")), [UInt32(bitPattern: -11)]))
    }
  }

  @Test func digestsTellNeuronsStepsAndSpikesApart() {
    func digest(_ steps: [(spikes: [UInt32], membranes: [Int32])]) -> UInt32 {
      var digest = StateDigest(neurons: 2)
      for step in steps { digest.add(spikes: step.spikes, membranes: step.membranes) }
      return digest.value
    }
    let all = [
      digest([([], [1, 2])]), digest([([], [2, 1])]), digest([([0], [1, 2])]),
      digest([([1], [1, 2])]), digest([([], [1, 2]), ([], [0, 0])]),
      digest([([], [0, 0]), ([], [1, 2])]),
    ]
    #expect(Set(all).count == all.count)
  }

  // MARK: A firmware

  /// `targets/run host` needs no emulator: gcc and python3 are enough.
  @Test func aFirmwareGivesTheHostsIntegersAndAWrongModelDoesNot() throws {
    let model = Models.camera(side: 6, steps: 5)
    let file = try ModelFile.encode(model).bytes
    let samples = (0..<4 as Range<UInt64>).map { seed in
      var input = RandomModels.input(for: model, seed: seed)
      // A firmware refuses addresses outside the sensor, where the host drops them.
      if case .events(let steps) = input.ports[0] {
        let count = model.inputs[0].shape.count
        input.ports[0] = .events(steps.map { $0.filter { $0 < count } })
      }
      return (input: input, label: 0)
    }
    let emulator = try Emulator(near: URL(fileURLWithPath: #filePath))
    let host = try #require(emulator.boards().first { $0.name == "host" })
    func report(_ run: [UInt8]) throws -> BoardReport {
      try BoardCheck(
        SessionModel(file), samples: samples, image: [], layers: Array(model.populations.indices),
        file: run
      ).run(on: host, of: emulator)
    }
    let equal = try report(file)
    #expect(equal.identical == true && equal.samples == 4, "\(equal.text)")
    // Linux gives a program more stack than it can ask for.
    #expect(equal.text.contains("stack used –"), "\(equal.text)")
    var wrong = model
    wrong.projections[1].weights[5, 3] += 1
    let unequal = try report(ModelFile.encode(wrong).bytes)
    #expect(unequal.identical == false)
    #expect(unequal.difference?.contains("population \"dense\"") == true, "\(unequal.text)")
  }

  @Test func aBoardLeftOutSaysWhyAndNothingElse() throws {
    var report = BoardReport(target: "cortex-m0")
    report.skipped = .tooSmall("RAM overflows")
    #expect(report.text == "cortex-m0: left out: RAM overflows\n")
    let object = try JSONSerialization.jsonObject(with: Data(jsonText(of: report).utf8))
    let found = try #require(object as? [String: Any])
    #expect(Set(found.keys) == ["target", "skipped", "regions"])
    #expect(found["skipped"] as? String == "RAM overflows")
  }

  @Test func missingTargetsAreNamed() {
    #expect(throws: BoardError.noTargets(searched: "/")) {
      try Emulator(near: URL(fileURLWithPath: "/"))
    }
  }
}
