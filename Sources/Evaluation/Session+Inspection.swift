import ModelFormat
import SNNRuntime

/// What the C runtime did to compute a sample. Another engine, or a later version, does otherwise.
public struct EngineCounters: Equatable, Sendable {
  /// Pairs of a population and a step without any work.
  public var populationStepsSkipped: Int
  /// Bytes of weights and sparse columns that were read.
  public var weightBytesRead: Int

  /// The given counters.
  public init(populationStepsSkipped: Int, weightBytesRead: Int) {
    self.populationStepsSkipped = populationStepsSkipped
    self.weightBytesRead = weightBytesRead
  }
}

/// What can be seen of a network after a step.
extension Session {
  /// Scores and counters since the reset.
  public var inference: Inference { Inference(scores: scores, counters: counters) }

  /// What the runtime did since the reset.
  public var engineCounters: EngineCounters {
    let counted: snn_engine_counters = snn_engine_counters(network)
    return EngineCounters(
      populationStepsSkipped: Int(counted.population_steps_skipped),
      weightBytesRead: Int(counted.weight_bytes_read))
  }

  /// How the runtime sums a population's input.
  public func path(of population: Int) -> ModelBounds.Path {
    precondition(model.populations.indices.contains(population), "no population \(population)")
    switch snn_accumulator(network, UInt32(population)) {
    case SNN_ACCUMULATOR_DIRECT:
      return model.populations[population].isReadout ? .membrane32 : .membrane16
    case SNN_ACCUMULATOR_S16: return .accumulator16
    default: return .accumulator32
    }
  }

  /// The linear indices of a population's neurons that spiked in the last step, ascending.
  public func spikes(of population: Int) -> [UInt32] {
    precondition(model.populations.indices.contains(population), "no population \(population)")
    var count: UInt32 = 0
    guard let map = snn_spikes(network, UInt32(population), &count) else { return [] }
    let words = (model.populations[population].shape.count + 31) / 32
    var indices: [UInt32] = []
    indices.reserveCapacity(Int(count))
    for word in 0..<words {
      var bits = map[word]
      while bits != 0 {
        indices.append(UInt32(word * 32 + bits.trailingZeroBitCount))
        bits &= bits - 1
      }
    }
    return indices
  }

  /// Spikes and membranes after the last step.
  public var record: StepRecord {
    StepRecord(
      spikes: model.populations.indices.map(spikes),
      membranes: model.populations.enumerated().map { index, population in
        (0..<population.shape.count).map { snn_membrane(network, UInt32(index), UInt32($0)) }
      })
  }

  /// The read-out's membranes after the last step.
  var scores: [Int32] {
    var count: UInt32 = 0
    guard let first = snn_scores(network, &count) else { return [] }
    return Array(UnsafeBufferPointer(start: first, count: Int(count)))
  }

  private var counters: Counters {
    var counters = Counters(zeroFor: model)
    for index in model.populations.indices {
      let counted: snn_population_counters = snn_population_counters(network, UInt32(index))
      counters.populations[index] = Counters.Population(
        spikesOut: Int(counted.spikes_out), updates: Int(counted.updates),
        saturations: Int(counted.saturations))
    }
    for index in model.projections.indices {
      let counted: snn_projection_counters = snn_projection_counters(network, UInt32(index))
      counters.projections[index] = Counters.Projection(
        spikesIn: Int(counted.spikes_in), synops: Int(counted.synops), macs: Int(counted.macs))
    }
    for index in model.inputs.indices {
      let counted: snn_input_counters = snn_input_counters(network, UInt32(index))
      counters.ports[index] = Counters.Port(
        events: Int(counted.events), droppedOutside: Int(counted.dropped_outside),
        droppedLate: Int(counted.dropped_late), droppedOverflow: Int(counted.dropped_overflow))
    }
    return counters
  }
}
