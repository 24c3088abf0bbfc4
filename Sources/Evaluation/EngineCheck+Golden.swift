import ModelFormat

extension EngineCheck {
  /// Replays a golden trace (FORMAT.md §8) by the reference and by every engine that shows steps,
  /// and compares hashes, scores and counters with what the trace says.
  ///
  /// The difference, if any, names the engine and the population whose hash differs; the values
  /// are the hashes then. Throws what an engine throws.
  public func replay(_ trace: GoldenTrace) throws -> CheckReport {
    var report = CheckReport(
      model: model.name, engines: engines.filter(\.showsSteps).map(\.name),
      neurons: model.populations.reduce(0) { $0 + $1.shape.count })
    if let digest = model.goldenDigest, digest != trace.digest {
      report.difference = CheckReport.Difference(
        engine: "trace", sample: 0, what: "digest of the trace", expected: Int(digest),
        found: Int(trace.digest))
      return report
    }
    let model = self.model
    let reference = CheckedEngine(name: "reference") {
      var simulator = try ReferenceSimulator(model)
      return { input, observe in
        var failure: (any Error)?
        let inference = try simulator.run(input) { record in
          do { try observe(record) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
        return EngineAnswer(scores: inference.scores, counters: inference.counters)
      }
    }
    let replayed = [reference] + engines.filter(\.showsSteps)
    let runners = try replayed.map { try $0.makeRunner() }
    for (index, sample) in trace.samples.enumerated() {
      for (engine, run) in zip(replayed, runners) {
        report.difference = try difference(of: engine, run, from: sample, index: index)
        if report.difference != nil { return report }
      }
      report.samples += 1
      report.steps += sample.input.steps
    }
    return report
  }

  private func difference(
    of engine: CheckedEngine,
    _ run: (InferenceInput, (StepRecord) throws -> Void) throws -> EngineAnswer,
    from sample: GoldenTrace.Sample, index: Int
  ) throws -> CheckReport.Difference? {
    var hashes = model.populations.map { _ in TraceHash() }
    let answer = try run(sample.input) { record in
      for population in hashes.indices {
        hashes[population].add(
          spikes: record.spikes[population], membranes: record.membranes[population])
      }
    }
    for population in try model.evaluationOrder()
    where hashes[population].value != sample.hashes[population] {
      return CheckReport.Difference(
        engine: engine.name, sample: index, population: model.populations[population].name,
        what: "hash", expected: Int(sample.hashes[population]),
        found: Int(hashes[population].value))
    }
    var expected = Counters(zeroFor: model)
    expected.populations = sample.populations
    expected.projections = sample.projections
    var found = answer.counters ?? expected
    // A trace says nothing of ports.
    found.ports = expected.ports
    return FirstDifference.between(
      expected: Inference(scores: sample.scores, counters: expected),
      found: Inference(scores: answer.scores, counters: found), sample: index
    ).map { CheckReport.Difference($0, engine: engine.name, in: model) }
  }
}
