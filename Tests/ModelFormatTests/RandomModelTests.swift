import ModelFixtures
import ModelFormat
import Testing

/// The generator of random models draws what it promises.
@Suite struct RandomModelTests {
  @Test func sameSeedGivesSameModelAndInput() {
    for seed in 0..<20 as Range<UInt64> {
      let model = RandomModels.model(seed: seed)
      #expect(RandomModels.model(seed: seed) == model)
      #expect(
        RandomModels.input(for: model, seed: seed) == RandomModels.input(for: model, seed: seed))
    }
  }

  @Test func everyKindOccursAndSpikesFlow() throws {
    var seen: Set<String> = []
    var spikes = 0
    for seed in 0..<400 as Range<UInt64> {
      let model = RandomModels.model(seed: seed)
      let bounds = try model.validate()
      #expect(model.populations.reduce(0) { $0 + $1.shape.count } <= 600)
      for bound in bounds.populations { seen.insert("\(bound.path)") }
      for input in model.inputs {
        switch input.kind {
        case .events(.once): seen.insert("once")
        case .events(.every): seen.insert("every")
        case .values(_, _, let framePerStep): seen.insert(framePerStep ? "frames" : "held")
        }
        if input.encoder != nil { seen.insert("encoder") }
        if input.sensor != nil { seen.insert("sensor") }
      }
      for population in model.populations {
        guard case .lif(let lif) = population.kind else { continue }
        switch lif.reset {
        case .subtract: seen.insert("subtract")
        case .zero: seen.insert("zero")
        case .value: seen.insert("value")
        }
        seen.insert("\(lif.compare)")
        if !lif.currentLeak.values.isEmpty { seen.insert("current") }
        if lif.refractorySteps > 0 { seen.insert("refractory") }
        if lif.threshold.values.count > 1 { seen.insert("thresholds") }
      }
      for projection in model.projections {
        switch projection.topology {
        case .dense: seen.insert("dense")
        case .oneToOne: seen.insert("oneToOne")
        case .lateral: seen.insert("lateral")
        case .convolution(let geometry):
          seen.insert(geometry.groups > 1 ? "grouped" : "convolution")
          if geometry.x.dilation > 1 { seen.insert("dilated") }
        }
        if projection.pool > 1 { seen.insert("pool") }
        if projection.delay == 1 { seen.insert("delay") }
        if projection.delay > 1 { seen.insert("long delay") }
        if projection.taps > 1 {
          seen.insert(model.carriesValues(projection) ? "taps of values" : "taps")
        }
        if projection.source == .population(projection.target) { seen.insert("self") }
      }
      switch model.exit {
      case nil: break
      case .margin: seen.insert("margin")
      case .firstSpike: seen.insert("first spike")
      }
      var simulator = try ReferenceSimulator(model)
      let answer = try simulator.run(RandomModels.input(for: model, seed: seed))
      spikes += answer.counters.populations.reduce(0) { $0 + $1.spikesOut }
    }
    let expected: Set = [
      "membrane16", "accumulator16", "accumulator32", "membrane32", "once", "every", "frames",
      "held", "subtract", "zero", "value", "greater", "greaterEqual", "refractory", "thresholds",
      "dense", "oneToOne", "lateral", "grouped", "convolution", "dilated", "pool", "delay", "self",
      "long delay", "taps", "taps of values", "encoder", "sensor", "current", "margin",
      "first spike",
    ]
    #expect(expected.subtracting(seen) == [])
    #expect(spikes > 5000)
  }
}
