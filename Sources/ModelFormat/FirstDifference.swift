/// The first place at which two engines disagree.
public struct FirstDifference: Equatable, Sendable {
  /// What differs.
  public enum What: Equatable, Sendable {
    /// Whether a neuron spiked, 1 or 0.
    case spike
    /// A membrane after a step.
    case membrane
    /// The number of steps, populations, neurons or scores; nothing can be compared further.
    case count(String)
    /// A score.
    case score
    /// The named counter.
    case counter(String)
  }

  /// The sample, as the caller numbers them.
  public let sample: Int
  /// The step; nil for scores and counters, which belong to the sample.
  public let step: Int?
  /// The population; nil where none is concerned.
  public let population: Int?
  /// The neuron; nil where none is concerned.
  public let neuron: Int?
  /// What differs.
  public let what: What
  /// What the first engine says.
  public let expected: Int
  /// What the second engine says.
  public let found: Int

  /// The first difference of two engines' steps of one sample, or nil if there is none.
  ///
  /// First by step, then by `order` of populations (the evaluation order, so that a cause comes
  /// before its effects; by default their index), then by neuron, then spikes before membranes.
  public static func between(
    expected: [StepRecord], found: [StepRecord], sample: Int = 0, order: [Int]? = nil
  ) -> FirstDifference? {
    for (step, pair) in zip(expected, found).enumerated() {
      let populations = expected[step].spikes.count
      guard populations == pair.1.spikes.count, populations == pair.1.membranes.count else {
        return FirstDifference(
          sample: sample, step: step, population: nil, neuron: nil, what: .count("populations"),
          expected: populations, found: pair.1.spikes.count)
      }
      for population in order ?? Array(0..<populations) {
        let place = (sample: sample, step: step, population: population)
        if let difference = between(pair.0, pair.1, at: place) { return difference }
      }
    }
    return expected.count == found.count
      ? nil
      : FirstDifference(
        sample: sample, step: nil, population: nil, neuron: nil, what: .count("steps"),
        expected: expected.count, found: found.count)
  }

  private static func between(
    _ expected: StepRecord, _ found: StepRecord,
    at place: (sample: Int, step: Int, population: Int)
  ) -> FirstDifference? {
    func difference(_ what: What, _ neuron: Int?, _ expected: Int, _ found: Int) -> Self {
      FirstDifference(
        sample: place.sample, step: place.step, population: place.population, neuron: neuron,
        what: what, expected: expected, found: found)
    }
    let membranes = (expected.membranes[place.population], found.membranes[place.population])
    let spikes = (Set(expected.spikes[place.population]), Set(found.spikes[place.population]))
    guard membranes.0.count == membranes.1.count else {
      return difference(.count("neurons"), nil, membranes.0.count, membranes.1.count)
    }
    if membranes.0 != membranes.1 || spikes.0 != spikes.1 {
      for neuron in membranes.0.indices {
        let fired = (spikes.0.contains(UInt32(neuron)), spikes.1.contains(UInt32(neuron)))
        if fired.0 != fired.1 {
          return difference(.spike, neuron, fired.0 ? 1 : 0, fired.1 ? 1 : 0)
        }
        let v = (Int(membranes.0[neuron]), Int(membranes.1[neuron]))
        if v.0 != v.1 { return difference(.membrane, neuron, v.0, v.1) }
      }
    }
    // Equal sets of different lists: an engine that reports a spike twice, or of no neuron.
    let counts = (expected.spikes[place.population].count, found.spikes[place.population].count)
    return counts.0 == counts.1 ? nil : difference(.count("spikes"), nil, counts.0, counts.1)
  }

  /// The first difference of two engines' answers, scores before counters, or nil if there is none.
  public static func between(
    expected: Inference, found: Inference, sample: Int = 0
  ) -> FirstDifference? {
    let pairs = zip(expected.scores, found.scores).enumerated()
    for (neuron, scores) in pairs where scores.0 != scores.1 {
      return FirstDifference(
        sample: sample, step: nil, population: nil, neuron: neuron, what: .score,
        expected: Int(scores.0), found: Int(scores.1))
    }
    guard expected.scores.count == found.scores.count else {
      return FirstDifference(
        sample: sample, step: nil, population: nil, neuron: nil, what: .count("scores"),
        expected: expected.scores.count, found: found.scores.count)
    }
    let counters = (expected.counters.named, found.counters.named)
    for (left, right) in zip(counters.0, counters.1) where left != right {
      return FirstDifference(
        sample: sample, step: nil, population: nil, neuron: nil, what: .counter(left.name),
        expected: left.value, found: right.value)
    }
    guard counters.0.count == counters.1.count else {
      return FirstDifference(
        sample: sample, step: nil, population: nil, neuron: nil, what: .count("counters"),
        expected: counters.0.count, found: counters.1.count)
    }
    return nil
  }
}

extension FirstDifference: CustomStringConvertible {
  /// The place and both values in one line.
  public var description: String {
    let places = [("step", step), ("population", population), ("neuron", neuron)]
    let place = places.reduce("sample \(sample)") { text, part in
      part.1.map { "\(text) \(part.0) \($0)" } ?? text
    }
    return "\(place): \(what) expected \(expected), found \(found)"
  }
}

extension Counters {
  /// Every counter with its name, in a fixed order.
  fileprivate var named: [NamedCounter] {
    var list: [NamedCounter] = []
    for (index, port) in ports.enumerated() {
      list.append(NamedCounter(name: "ports[\(index)].events", value: port.events))
      list.append(NamedCounter(name: "ports[\(index)].outside", value: port.droppedOutside))
      list.append(NamedCounter(name: "ports[\(index)].late", value: port.droppedLate))
      list.append(NamedCounter(name: "ports[\(index)].overflow", value: port.droppedOverflow))
    }
    for (index, projection) in projections.enumerated() {
      let place = "projections[\(index)]"
      list.append(NamedCounter(name: "\(place).spikes_in", value: projection.spikesIn))
      list.append(NamedCounter(name: "\(place).synops", value: projection.synops))
      list.append(NamedCounter(name: "\(place).macs", value: projection.macs))
    }
    for (index, population) in populations.enumerated() {
      let place = "populations[\(index)]"
      list.append(NamedCounter(name: "\(place).spikes_out", value: population.spikesOut))
      list.append(NamedCounter(name: "\(place).updates", value: population.updates))
      list.append(NamedCounter(name: "\(place).saturations", value: population.saturations))
    }
    return list
  }
}

private struct NamedCounter: Equatable {
  let name: String
  let value: Int
}
