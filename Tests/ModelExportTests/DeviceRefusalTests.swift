import ModelFixtures
import ModelFormat
import Testing
import Wiring

@testable import ModelExport

/// Models that the firmware engine does not run are refused by name.
@Suite struct DeviceRefusalTests {
  private func model(
    _ input: InputPort.Kind = .events(.once), pool: Int = 1
  ) -> Model {
    let shape = Shape(channels: 2, height: 2, width: 2)
    return TinyModels.chain(
      input: InputPort(name: "in", shape: shape, kind: input),
      hidden: Population(
        name: "hidden", shape: shape.pooled(by: pool),
        kind: .lif(Population.LIF(threshold: 1))),
      first: Projection(
        name: "first", from: .input(0), to: 0, topology: .oneToOne, pool: pool,
        weights: WeightMatrix(rows: 1, columns: 1, values: [1])))
  }

  private func refusal(_ model: Model) throws -> DeviceImageError? {
    try model.validate()
    do {
      _ = try DeviceImage(model)
      return nil
    } catch let error as DeviceImageError {
      #expect("\(error)".contains("expected"))
      return error
    }
  }

  @Test func theFixtureItselfIsNot() throws {
    #expect(try refusal(model()) == nil)
    #expect(try refusal(model(pool: 2)) == nil)
  }

  @Test func moreThanFourPorts() throws {
    var model = model()
    model.inputs += (0..<4).map { _ in model.inputs[0] }
    #expect(
      try refusal(model)
        == .tooLarge(place: "inputs (count)", expected: "at most 4", found: "5"))
  }

  /// The header counts projections and taps together.
  @Test func moreThan1024Taps() throws {
    var model = model()
    func taps(_ count: Int) -> WeightMatrix {
      WeightMatrix(rows: count, columns: 1, values: [Int8](repeating: 1, count: count))
    }
    for index in 0..<32 {
      let count = index < 31 ? 32 : 30
      model.projections.append(
        Projection(
          name: "late \(index)", from: .input(0), to: 0, taps: count, topology: .oneToOne,
          weights: taps(count)))
    }
    #expect(try refusal(model) == nil, "2 of one tap, 31 of 32 and one of 30 are 1024")
    model.projections[33].taps = 31
    model.projections[33].weights = taps(31)
    #expect(
      try refusal(model)
        == .tooLarge(
          place: "projections (taps, added up)", expected: "at most 1024", found: "1025"))
  }

  @Test func moreThan255Rings() throws {
    let one = WeightMatrix(rows: 1, columns: 1, values: [1])
    var model = TinyModels.neuron(lif: Population.LIF(threshold: 1))
    for index in 0..<254 {
      var copy = model.populations[0]
      copy.name = "neuron \(index)"
      model.populations.append(copy)
    }
    for index in model.populations.indices where index != model.readout {
      model.projections.append(
        Projection(
          name: "own \(index)", from: .population(index), to: index, delay: 1,
          topology: .oneToOne, weights: one))
    }
    #expect(
      try refusal(model)
        == .tooLarge(
          place: "rings of delays, EVERY event and encoders (count)", expected: "at most 255",
          found: "256"))
    model.projections.removeLast()
    #expect(try refusal(model) == nil)
  }

  @Test func pooledValues() throws {
    let kind = InputPort.Kind.values(minimum: 0, maximum: 1, framePerStep: false)
    #expect(
      try refusal(model(kind, pool: 2))
        == .unsupportedProjection(
          place: "projections[0] \"first\"", expected: "no pool of values", found: "a pool of 2"))
  }

  @Test func valuesTwice() throws {
    var model = model(.values(minimum: 0, maximum: 1, framePerStep: false))
    model.projections.append(model.projections[0])
    #expect(
      try refusal(model)
        == .unsupportedPopulation(
          place: "populations[0] \"hidden\"", expected: "values by one projection",
          found: "2 of them"))
  }

  @Test func twoReadouts() throws {
    var model = model()
    model.populations.append(model.populations[1])
    #expect(
      try refusal(model)
        == .unsupportedPopulation(
          place: "populations[2] \"readout\"", expected: "one READOUT",
          found: "another beside populations[1] \"readout\""))
  }

  @Test func poolsOverVectors() throws {
    var model = model()
    model.projections[0].topology = .dense
    model.projections[0].weights = WeightMatrix(
      rows: 8, columns: 8, values: [Int8](repeating: 1, count: 64))
    model.populations[1].shape = Shape(channels: 2)
    model.projections[1].pool = 2
    let refusal = try #require(try refusal(model))
    #expect("\(refusal)".hasPrefix("projections[1] \"copy\": expected no pool, since weights"))
  }

  @Test func tooManyRows() throws {
    var model = model()
    model.inputs[0].shape = Shape(channels: 65528, height: 2)
    model.populations[0].shape = Shape(channels: 1)
    model.populations[1].shape = Shape(channels: 1)
    model.projections[0].topology = .dense
    model.projections[0].weights = WeightMatrix(
      rows: 131_056, columns: 1, values: [Int8](repeating: 0, count: 131_056))
    #expect(
      try refusal(model)
        == .tooLarge(
          place: "projections[0] \"first\"", expected: "at most 65536 weight rows of a window",
          found: "131056"))
    model.inputs[0].shape = Shape(channels: 131_056)
    #expect(
      try refusal(model)
        == .tooLarge(
          place: "inputs[0] \"in\"", expected: "sides of at most 65528", found: "131056×1×1"))
  }
}
