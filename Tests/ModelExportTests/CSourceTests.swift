import ModelFixtures
import ModelFormat
import Testing

@testable import ModelExport

@Suite struct CSourceTests {
  private func model(density: Int) -> Model {
    var values = [Int8](repeating: 0, count: 60)
    for index in 0..<density { values[index * 60 / density] = Int8(index - 30) }
    return TinyModels.chain(
      input: InputPort(name: "in", shape: Shape(channels: 6), kind: .events(.once)),
      hidden: Population(
        name: "hidden", shape: Shape(channels: 10), kind: .lif(Population.LIF(threshold: 5))),
      first: Projection(
        name: "first", from: .input(0), to: 0, topology: .dense,
        weights: WeightMatrix(rows: 6, columns: 10, values: values)))
  }

  @Test func rowsAreSparseWhereThatIsSmaller() throws {
    let full = try CSource(model(density: 20), stateBytes: 1)
    #expect(!full.implementation.contains("SNN_ROWS_SPARSE"))
    let sparse = try CSource(model(density: 19), stateBytes: 1)
    #expect(sparse.implementation.contains("SNN_ROWS_SPARSE"))
    #expect(sparse.implementation.contains("projection0_columns"))
    // 19 values, 19 columns of 2, 7 starts of 4; a threshold of 2 and a weight of 1.
    #expect(sparse.arrayBytes == 19 + 38 + 28 + 2 + 1)
  }

  @Test func namesBecomeIdentifiers() {
    #expect(CSource.identifier("Fashion-MNIST (DIET) ü4") == "fashion_mnist_diet_4")
    #expect(CSource.identifier("·") == "model")
    #expect(CSourceWriter.literal("a\"b\\?ü1") == "\"a\\042b\\134\\077\\303\\2741\"")
  }

  @Test func headerStatesSizes() throws {
    let source = try CSource(model(density: 20), name: "Tiny", stateBytes: 321)
    #expect(source.name == "tiny")
    #expect(source.header.contains("#define SNN_MODEL_TINY_STATE_BYTES 321\n"))
    #expect(source.header.contains("#define SNN_MODEL_TINY_CLASSES 10\n"))
    #expect(try source == CSource(model(density: 20), name: "Tiny", stateBytes: 321))
  }
}
