import ModelFormat
import Testing
import Wiring

@testable import ModelExport

/// How rows are packed and which form is taken.
@Suite struct DeviceRowsTests {
  private func window(
    _ weights: [Int8], rows: Int, shape: Shape? = nil, convolution: Convolution? = nil,
    pool: Int = 1
  ) throws -> DeviceWindow {
    let columns = weights.count / rows
    let source = shape ?? Shape(channels: rows)
    var target = Shape(channels: columns)
    if let convolution {
      let taps = convolution.y.kernel * convolution.x.kernel
      target = convolution.outputShape(
        of: source.pooled(by: pool), channels: columns / taps * convolution.groups)
    }
    let model = Model(
      name: "rows", steps: 1, inputs: [InputPort(name: "in", shape: source, kind: .events(.once))],
      populations: [
        Population(
          name: "out", shape: target, kind: .lif(Population.LIF(threshold: 1)))
      ],
      projections: [
        Projection(
          name: "all", from: .input(0), to: 0,
          topology: convolution.map { .convolution($0) } ?? .dense, pool: pool,
          weights: WeightMatrix(rows: rows, columns: columns, values: weights))
      ], readout: 0)
    return try DeviceWindow(
      projection: 0, tap: 0, of: model, from: .port(0), of: source, onto: target)
  }

  @Test func bytesChangePlacesWithinFour() throws {
    let packed = try window(Array(0..<8), rows: 1).packedBytes()
    #expect(packed == [0, 2, 1, 3, 4, 6, 5, 7].map { $0 + 128 })
  }

  @Test func nibblesChangePlacesWithinEight() throws {
    let packed = try window([-8, -7, -6, -5, -4, -3, -2, -1, 7], rows: 1).packedNibbles()
    // Columns 0 4 2 6 1 5 3 7 from the least significant nibble; padding is weight 0.
    #expect(packed == [0x40, 0x62, 0x51, 0x73, 0x8F, 0x88, 0x88, 0x88])
  }

  @Test func listsHoldSynapsesAlone() throws {
    let list = try window([0, 5, -1, 0, 0, 0, 0, 127, 0], rows: 3).packedList()
    #expect(list.starts == [0, 2, 2, 3])
    #expect(list.synapses == [1, 5, 2, 255, 1, 127])
  }

  @Test func dilationAndGroupsBecomeZeros() throws {
    // Two groups of one channel; kernel of 2 with dilation 2 covers 3.
    let convolution = Convolution(
      y: .init(kernel: 1), x: .init(kernel: 2, dilation: 2), groups: 2)
    let window = try window(
      [1, 2, 3, 4], rows: 2, shape: Shape(channels: 2, height: 1, width: 5),
      convolution: convolution)
    #expect(window.x.kernel == 3 && window.rows == 6 && window.columns == 2)
    #expect(window.weights == [1, 0, 0, 3, 0, 0, 0, 0, 2, 0, 0, 4])
  }

  @Test func placesFollowThePool() throws {
    let window = try window(
      [1, 1, 1, 1], rows: 2, shape: Shape(channels: 2, height: 2, width: 4),
      convolution: Convolution(y: .init(kernel: 1), x: .init(kernel: 2)), pool: 2)
    #expect(window.places == [0, 1, 0, 1, 2, 3, 2, 3])
  }

  @Test func formsFollowCostAndPreference() throws {
    var weights = [Int8](repeating: 0, count: 64 * 64)
    func chosen(_ preference: DevicePreference, isWide: Bool = false) throws -> DeviceRows {
      try window(weights, rows: 64)
        .chosenRows(.dsp, isWide: isWide, preferring: preference)
    }
    for row in 0..<64 { weights[row * 65] = 7 }
    #expect(try chosen(.speed) == .list)
    for index in weights.indices where index % 4 == 0 { weights[index] = 7 }
    #expect(try chosen(.speed) == .four && chosen(.flash) == .four)
    #expect(try chosen(.speed, isWide: true) == .list)
    weights[0] = 8
    // 16 of 64 synapses: 156 instructions against 62, 2 · 1024 + 4 · 65 bytes against 4096.
    #expect(try chosen(.speed) == .eight && chosen(.flash) == .list)
    #expect(
      try window(weights, rows: 64).forms(.dsp, isWide: false).map(\.rows) == ["8 bits", "list"])
  }

  @Test func wideTargetsTakeNoLists() throws {
    let weights = [Int8](repeating: 0, count: 257)
    #expect(
      try window(weights, rows: 1).chosenRows(.dsp, isWide: false, preferring: .flash) == .four)
  }
}
