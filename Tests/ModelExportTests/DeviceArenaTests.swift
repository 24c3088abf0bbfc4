import ModelFixtures
import ModelFormat
import Testing
import Wiring

@testable import ModelExport

/// Buffers that are needed at once lie apart.
@Suite struct DeviceArenaTests {
  @Test func partsLieApart() throws {
    var images = 0
    for seed in 0..<400 as Range<UInt64> {
      var model = RandomModels.model(seed: seed)
      for index in model.inputs.indices {
        if case .events = model.inputs[index].kind { model.inputs[index].kind = .events(.once) }
      }
      if seed % 2 == 0 { model.maximumSteps = min(model.maximumSteps, 12) }
      guard (try? model.validate()) != nil, let image = try? DeviceImage(model) else { continue }
      images += 1
      let graph = try DeviceGraph(model)
      let parts = image.arena.parts
      for (index, part) in parts.enumerated() {
        #expect(part.offset >= 4 && part.offset % 4 == 0 && part.bytes % 4 == 0 && part.bytes > 0)
        // The word behind a bitmap may be read.
        let behind = part.name == "maps" || part.name == "events" ? 4 : 0
        #expect(part.offset + part.bytes + behind <= image.arena.bytes)
        for other in parts[..<index] where overlap(part, other) {
          #expect(mayOverlap(part, other, in: graph), "seed \(seed): \(part) \(other)")
        }
      }
    }
    #expect(images > 40)
  }

  @Test func mapsThatNeverMeetShareSpace() throws {
    // A chain of four: the first map is read for the last time when the third begins.
    let shape = Shape(channels: 64)
    func hidden(_ name: String) -> Population {
      Population(name: name, shape: shape, kind: .lif(Population.LIF(threshold: 1)))
    }
    let projections = (0..<4).map { index in
      Projection(
        name: "\(index)", from: index == 0 ? .input(0) : .population(index - 1), to: index,
        topology: .oneToOne, weights: WeightMatrix(rows: 1, columns: 1, values: [1]))
    }
    let model = Model(
      name: "chain", steps: 4,
      inputs: [
        InputPort(
          name: "in", shape: shape, kind: .values(minimum: 0, maximum: 1, framePerStep: false))
      ],
      populations: [
        hidden("a"), hidden("b"), hidden("c"), Population(name: "d", shape: shape, kind: .readout),
      ], projections: projections, readout: 3)
    let maps = try DeviceImage(model).arena.parts.filter { $0.name == "maps" }
    #expect(maps.map(\.bytes) == [32, 32, 32])
    #expect(maps[0].offset == maps[2].offset && maps[1].offset == maps[0].offset + 32)
  }

  private func overlap(_ a: DeviceArena.Part, _ b: DeviceArena.Part) -> Bool {
    a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes
  }

  /// Maps may where no layer works while both hold something that is still read.
  private func mayOverlap(
    _ a: DeviceArena.Part, _ b: DeviceArena.Part, in graph: DeviceGraph
  ) -> Bool {
    guard a.name == "maps", b.name == "maps", let a = a.owner, let b = b.owner else { return false }
    func holds(_ map: Int, while layer: Int) -> Bool {
      let readers = graph.layers.indices.filter { reader in
        graph.layers[reader].windows.contains { $0.source == .layer(map) }
      }
      return map == layer || (map < layer && readers.contains { $0 >= layer })
    }
    return graph.layers.indices.allSatisfy { !(holds(a, while: $0) && holds(b, while: $0)) }
  }
}
