import Foundation
import ModelFixtures
import ModelFormat
import Testing
import Wiring

@testable import ModelExport

@Suite struct ExportReportTests {
  private func model() -> Model {
    var model = TinyModels.chain(
      input: InputPort(name: "in", shape: Shape(channels: 2), kind: .events(.once)),
      hidden: Population(
        name: "hidden", shape: Shape(channels: 2),
        kind: .lif(Population.LIF(threshold: [10, 30], floor: -100, ceiling: 100)), leak: 16384),
      first: Projection(
        name: "first", from: .input(0), to: 0, topology: .dense,
        weights: WeightMatrix(rows: 2, columns: 2, values: [7, 0, 0, -7])))
    model.task.floatAccuracy = 0.75
    model.task.integerAccuracy = 0.5
    model.task.units = [[0.5], [1]]
    return model
  }

  @Test func numbersAreThoseOfTheModel() throws {
    let model = model()
    let encoded = try ModelFile.encode(model)
    let report = try ExportReport(of: model, encoded: encoded, stateBytes: 64, removed: [3, 0])
    #expect(report.drop == 0.25 && report.modelBytes == encoded.bytes.count)
    #expect(report.removedNeurons == 3 && report.populations[0].removed == 3)
    #expect(report.populations[0].thresholds == Spread([10, 20, 30]))
    #expect(report.populations[0].realThresholds == Spread([5, 10, 15]))
    #expect(report.populations[0].leaks == Spread([16384]))
    #expect(report.populations[0].realLeaks == Spread([0.5]))
    #expect(report.populations[0].bound == 7 && report.populations[0].path == "membrane16")
    #expect(report.projections[0].sparsity == 0.5 && report.projections[0].matrix == "2×2")
    // Two of four zeros, and two values once each: 1.5 bits an entry.
    #expect(report.projections[0].entropyBytes == 0.75)
  }

  @Test func realParametersComeFromTrainingWhereGiven() throws {
    let model = model()
    let report = try ExportReport(
      of: model, encoded: try ModelFile.encode(model), stateBytes: 64,
      real: [RealParameters(thresholds: [1, 2], leaks: [0.25])])
    #expect(report.populations[0].realThresholds == Spread([1, 1.5, 2]))
    #expect(report.populations[0].realLeaks == Spread([0.25]))
  }

  @Test func textIsNarrowAndJSONReturns() throws {
    let model = model()
    let report = try ExportReport(of: model, encoded: try ModelFile.encode(model), stateBytes: 64)
    for line in report.text.split(separator: "\n") { #expect(line.count <= 100) }
    #expect(report.text.contains("  state      64 bytes on this host\n"))
    #expect(report.text.contains("float 75.00 %, integer 50.00 %, drop 25.00 %"))
    let decoded = try JSONDecoder().decode(ExportReport.self, from: Data(report.json().utf8))
    #expect(decoded == report)
  }
}
