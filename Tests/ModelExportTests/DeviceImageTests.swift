import Foundation
import ModelFixtures
import ModelFormat
import Testing
import Wiring

@testable import ModelExport

/// What stands at which byte of an image.
@Suite struct DeviceImageTests {
  /// Values 0...255 of 1 × 4 × 4 onto a 2 × 2 convolution of 5 channels onto 3 scores.
  private func model(steps: Int = 3) -> Model {
    let hidden = Population(
      name: "hidden", shape: Shape(channels: 5, height: 2, width: 2),
      kind: .lif(Population.LIF(threshold: [10, 20, 30, 40, 50], compare: .greater)), leak: 16384)
    let readout = Population(
      name: "answer", shape: Shape(channels: 3), kind: .readout, bias: [1, -2, 3])
    return Model(
      name: "small net", stepMicroseconds: 1000, steps: 2, maximumSteps: steps,
      inputs: [
        InputPort(
          name: "image", shape: Shape(channels: 1, height: 4, width: 4),
          kind: .values(minimum: 0, maximum: 255, framePerStep: false))
      ],
      populations: [readout, hidden],
      projections: [
        Projection(
          name: "last", from: .population(1), to: 0, topology: .dense, shift: 2,
          weights: WeightMatrix(
            rows: 20, columns: 3, values: (0..<60).map { Int8($0 % 3 == 1 ? 0 : $0 % 15 - 7) })),
        Projection(
          name: "first", from: .input(0), to: 1,
          topology: .convolution(Convolution(kernel: 2, stride: 2)), shift: 4,
          weights: WeightMatrix(rows: 1, columns: 20, values: (0..<20).map { Int8($0 - 10) })),
      ], readout: 0)
  }

  @Test func headerStandsAsDeclared() throws {
    let image = try DeviceImage(model())
    let reader = ImageReader(image)
    #expect(Array(image.bytes[0..<4]) == Array("SNNI".utf8))
    #expect(reader.half(4) == 1 && reader.half(6) == 3)
    #expect(reader.word(8) == image.bytes.count && image.bytes.count % 4 == 0)
    #expect(reader.word(12) == Int(crc32(of: image.bytes[16...])))
    #expect(reader.word(16) == image.arena.bytes && image.arena.bytes % 4 == 0)
    #expect([20, 24, 28].map(reader.word) == [2, 3, 1000])
    // Layer by layer, nothing general; one port, two layers, two projections.
    #expect([32, 34, 36, 38, 40, 42].map(reader.half) == [3, 0, 1, 2, 2, 0])
    #expect([44, 48, 52].map(reader.word) == [76, 92, 220])
    #expect(try DeviceImage(model()) == image)
  }

  @Test func crcIsZlibs() {
    #expect(crc32(of: Array("123456789".utf8)[...]) == 0xCBF4_3926)
  }

  @Test func portStandsAsDeclared() throws {
    let reader = ImageReader(try DeviceImage(model()))
    let port = reader.port(0)
    #expect([0, 2, 4].map { reader.half(port + $0) } == [1, 4, 4])
    #expect(reader.byte(port + 6) == 1 && reader.byte(port + 7) == 0)
    #expect(reader.signedHalf(port + 8) == 0 && reader.signedHalf(port + 10) == 255)
    #expect(reader.word(port + 12) == 0)
  }

  @Test func layersAreInOrderOfEvaluation() throws {
    let reader = ImageReader(try DeviceImage(model()))
    let hidden = reader.layer(0)
    #expect(stride(from: 0, to: 12, by: 2).map { reader.half(hidden + $0) } == [1, 5, 2, 2, 8, 8])
    #expect((12..<18).map { reader.byte(hidden + $0) } == [8, 0, 0, 0, 1, 0])
    #expect(reader.signedHalf(hidden + 18) == -32768 && reader.signedHalf(hidden + 20) == 32767)
    // The least membrane that fires is one above the threshold; padding never fires.
    let threshold = reader.word(hidden + 24)
    #expect(
      (0..<8).map { reader.signedHalf(threshold + 2 * $0) } == [
        11, 21, 31, 41, 51, 32767, 32767, 32767,
      ])
    let decay = reader.word(hidden + 28)
    let (half, whole) = (16384 * 65536 + 1, 32768 * 65536 + 1)
    #expect(
      (0..<8).map { reader.word(decay + 4 * $0) } == [
        half, half, half, half, half, whole, whole, whole,
      ])
    // No bias, no initial membranes, no state between samples; a map of 20 bits.
    #expect([32, 36, 44, 48].map { reader.word(hidden + $0) } == [0, 0, 0, 0])
    #expect(reader.word(hidden + 52) != 0 && reader.word(hidden + 56) == 4)
    #expect([60, 62].map { reader.half(hidden + $0) } == [0, 1])
    // 7 and then 7 / 2 + 7 and 5 + 7 are enough for 11; 7 is what rounds from 7 * 16 - 8.
    let drive = reader.word(hidden + 40)
    let never = Int(Int32.max)
    #expect(reader.signedWord(drive) == 7 * 16 - 8)
    #expect((5..<8).map { reader.signedWord(drive + 4 * $0) } == [never, never, never])

    let readout = reader.layer(1)
    #expect(stride(from: 0, to: 12, by: 2).map { reader.half(readout + $0) } == [0, 3, 1, 1, 4, 8])
    #expect((12..<18).map { reader.byte(readout + $0) } == [8, 1, 0, 0, 0, 0])
    #expect(reader.word(readout + 24) == 0 && reader.word(readout + 28) == 0)
    let bias = reader.word(readout + 32)
    #expect((0..<4).map { reader.signedWord(bias + 4 * $0) } == [1, -2, 3, 0])
    #expect([60, 62].map { reader.half(readout + $0) } == [1, 1])
  }

  @Test func projectionsStandBehindEachOtherByTarget() throws {
    let reader = ImageReader(try DeviceImage(model()))
    let first = reader.projection(0)
    #expect([0, 2].map { reader.half(first + $0) } == [1, 0])
    // From a port; bytes in rows of eight bits, held; no pool, shift 4; stride 2, no padding.
    #expect((4..<14).map { reader.byte(first + $0) } == [1, 1, 0, 1, 1, 4, 2, 2, 0, 0])
    #expect(
      stride(from: 14, to: 28, by: 2).map { reader.half(first + $0) } == [1, 4, 4, 4, 4, 2, 2])
    #expect([28, 30].map { reader.half(first + $0) } == [0, 0] && reader.word(first + 40) == 8)
    #expect([32, 36, 48, 52].map { reader.word(first + $0) } == [0, 0, 0, 0])
    let weights = reader.word(first + 44)
    // Tap 0 holds weights -10 ... -6; of four columns the middle two change places.
    #expect(
      (0..<8).map { reader.byte(weights + $0) } == [118, 120, 119, 121, 122, 128, 128, 128])
    let synapses = reader.word(first + 56)
    // Tap 2 holds weights 0 ... 4.
    #expect((0..<4).map { reader.half(synapses + 2 * $0) } == [5, 5, 4, 5])

    let last = reader.projection(1)
    #expect([0, 2].map { reader.half(last + $0) } == [0, 0])
    #expect((4..<14).map { reader.byte(last + $0) } == [0, 0, 1, 0, 1, 2, 1, 1, 0, 0])
    #expect(
      stride(from: 14, to: 28, by: 2).map { reader.half(last + $0) } == [5, 2, 2, 2, 2, 2, 2])
    // It reads the map of layer 0.
    #expect([28, 30].map { reader.half(last + $0) } == [0, 0])
    #expect(reader.word(last + 32) == reader.word(reader.layer(0) + 52))
    #expect(reader.word(last + 36) == 4 && reader.word(last + 40) == 4)
    // Row 1 is -4, 0, -2: nibbles of columns 0 4 2 6 1 5 3 7, from the least significant on.
    #expect(reader.word(reader.word(last + 44) + 4) == 0x8888_8684)
  }

  @Test func manyStepsStream() throws {
    let image = try DeviceImage(model(steps: 65))
    let reader = ImageReader(image)
    #expect(reader.half(32) == 1 && image.report.block == 1)
    #expect(reader.word(reader.layer(0) + 44) != 0 && reader.byte(reader.layer(0) + 17) == 0)
    #expect(reader.word(64) == 0)
  }

  @Test func reportAddsUp() throws {
    let report = try DeviceImage(model()).report
    #expect(report.imageParts.reduce(0) { $0 + $1.bytes } == report.imageBytes)
    #expect(report.arenaParts.reduce(4) { $0 + $1.bytes } == report.arenaBytes)
    #expect(report.layers.map(\.kernel) == ["fast", "read-out"])
    // 4 places of a window of 19 synapses; 20 sources of 2, of which 8 are 0 and one both.
    let dense = (0..<60).count { $0 % 3 != 1 && $0 % 15 != 7 }
    #expect(report.worstOperations == 4 * 19 + dense)
    for line in report.text.split(separator: "\n") { #expect(line.count <= 100, "\(line)") }
  }

  /// All the events that a step takes may come from the address with the most synapses.
  @Test func everyEventMayMeetTheMostSynapses() throws {
    var model = TinyModels.neuron(lif: Population.LIF(threshold: 1))
    #expect(try DeviceImage(model).report.worstOperations == 8 + 1)
    model.inputs[0].shape = Shape(channels: 2)
    model.projections[0].weights = WeightMatrix(rows: 2, columns: 1, values: [0, 1])
    #expect(try DeviceImage(model).report.worstOperations == 8 + 1)
  }

  @Test func boardsSayWhatIsMissing() throws {
    let image = try DeviceImage(model())
    for target in DeviceTarget.all { try target.check(image) }
    #expect(
      throws: DeviceImageError.flashExceeded(
        target: "none", available: 0, needed: image.bytes.count)
    ) { try DeviceTarget("none", "none", flash: 0, memory: 1, .dsp).check(image) }
    #expect(
      throws: DeviceImageError.memoryExceeded(
        target: "none", available: 0, parts: image.report.firmwareParts,
        arena: image.report.arenaParts)
    ) { try DeviceTarget("none", "none", flash: 16, memory: 0, .dsp).check(image) }
    let error = DeviceImageError.memoryExceeded(
      target: "board", available: 100,
      parts: [.init(name: "arena", bytes: 90), .init(name: "stack", bytes: 40)],
      arena: [.init(name: "rings", bytes: 80), .init(name: "maps", bytes: 10)])
    #expect(
      "\(error)".hasSuffix(
        "found about 130 in a firmware that does nothing else (arena 90, stack 40; in the arena "
          + "rings 80, maps 10): 30 bytes are missing"))
    #expect(DeviceTarget(named: "cortex-m1") == nil)
  }

  @Test func aDelayLineTooLongForTheBoardIsNamed() throws {
    var model = model()
    model.projections[0].delay = 255
    let image = try DeviceImage(model)
    let rings = try #require(image.report.arenaParts.first { $0.name == "rings" })
    let target = DeviceTarget("small", "none", flash: 1024, memory: 1, .dsp)
    let error = #expect(throws: DeviceImageError.self) { try target.check(image) }
    #expect("\(try #require(error))".contains("in the arena rings \(rings.bytes)"))
  }

  @Test func firmwareNeedsNetworkFramesAndStackBesideTheArena() throws {
    var model = model()
    let image = try DeviceImage(model)
    #expect(image.report.firmwareParts.map(\.bytes) == [image.arena.bytes, 44, 16, 1664])
    model.inputs[0].kind = .values(minimum: -1, maximum: 255, framePerStep: false)
    #expect(try DeviceImage(model).report.firmwareParts[2].bytes == 32)
    // The arena alone would fit.
    let small = DeviceTarget("small", "none", flash: 16, memory: 1, .dsp)
    #expect(image.arena.bytes < 1024)
    #expect(throws: DeviceImageError.self) { try small.check(image) }
  }

  @Test func theEngineIsNamedThatSuffices() throws {
    let image = try DeviceImage(model())
    #expect(
      image.report.engineOptions == ["-DSNN_DEVICE_GENERAL=0", "-DSNN_DEVICE_STREAMING=0"])
    #expect(
      try DeviceImage(model(steps: 65)).report.engineOptions
        == ["-DSNN_DEVICE_GENERAL=0", "-DSNN_DEVICE_RINGS=0"])
  }

  @Test func boardsAreThoseThatTestsEmulate() throws {
    let table = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../targets/boards")
    var sizes: [String: [Int]] = [:]
    var section = ""
    for line in try String(contentsOf: table, encoding: .utf8).split(separator: "\n") {
      if line.hasPrefix("[") { section = String(line.dropFirst().dropLast()) }
      guard line.hasPrefix("flash = ") || line.hasPrefix("ram = ") else { continue }
      let size = line.split(separator: " ")[3]
      let unit = size.hasSuffix("M") ? 1 << 20 : 1 << 10
      sizes[section, default: []].append((Int(size.dropLast()) ?? 0) * unit)
    }
    #expect(
      sizes
        == Dictionary(
          uniqueKeysWithValues: DeviceTarget.all.map { ($0.name, [$0.flashBytes, $0.memoryBytes]) })
    )
  }
}
