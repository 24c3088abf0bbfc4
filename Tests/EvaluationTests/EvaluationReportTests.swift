import Datasets
import Foundation
import ModelFormat
import Testing

@testable import Evaluation

@Suite struct EvaluationReportTests {
  private func report(threads: Int) throws -> EvaluationReport {
    var options = DatasetCatalog.Options()
    (options.trainCount, options.validationCount, options.testCount) = (1, 1, 21)
    let dataset = try DatasetCatalog.open("moving-shapes", environment: [:], options: options)
    guard case .events(let shape, let stepMicroseconds, let steps) = dataset.input else {
      throw RuntimeError.unsuitable(path: "moving-shapes", expected: "events", found: "values")
    }
    let model = Models.camera(
      side: shape.height, steps: steps, stepMicroseconds: stepMicroseconds)
    let bytes = try ModelFile.encode(model).bytes
    let loaded = try SessionModel(bytes)
    let totals = try loaded.score(
      dataset, split: .test,
      options: ScoringOptions(limit: 20, threads: threads, neuroBenchSamples: 4))
    return EvaluationReport(
      of: totals, loaded: loaded, modelBytes: bytes.count, dataset: dataset.name, split: "test")
  }

  @Test func resultsDoNotDependOnTheNumberOfThreads() throws {
    #expect(try report(threads: 1) == report(threads: 3))
  }

  @Test func jsonHasThePromisedKeysAndReturns() throws {
    let report = try report(threads: 2)
    let json = try report.json()
    let content = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    let keys = [
      "accuracy", "samples", "spikes", "synops", "macs", "updates", "saturations", "dense_macs",
      "model_bytes", "state_bytes", "populations", "projections", "energy",
    ]
    for key in keys { #expect(content?[key] != nil, "\(key)") }
    #expect(try JSONDecoder().decode(EvaluationReport.self, from: Data(json.utf8)) == report)
    #expect(report.samples == 20 && report.neuroBenchSamples == 4)
    #expect(report.spikes > 0 && report.synops > 0)
  }

  @Test func textIsNarrowAndNamesEveryPart() throws {
    let report = try report(threads: 2)
    for line in report.text.split(separator: "\n") {
      #expect(line.count <= 100, "\(line.count): \(line)")
    }
    for name in ["conv", "dense-answer", "Horowitz", "NeuroBench", "dense network"] {
      #expect(report.text.contains(name), "\(name)")
    }
  }
}
