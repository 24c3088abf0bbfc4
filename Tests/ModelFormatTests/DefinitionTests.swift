import ModelFixtures
import ModelFormat
import Testing
import Wiring

/// The simulator and the bounds against FORMAT.md §3 written the other way round: for every target
/// the formula is asked which weight each source has on it.
@Suite struct DefinitionTests {
  /// The weight of a tap from pooled cell `i` to target `j` straight from the table of FORMAT.md §3.
  private func weight(
    _ projection: Projection, _ model: Model, tap: Int, from i: Int, to j: Int
  ) -> Int {
    let cells = model.sourceShape(of: projection).pooled(by: projection.pool)
    let target = model.populations[projection.target].shape
    let weights = projection.weights
    let first = tap * (weights.rows / projection.taps)
    switch projection.topology {
    case .dense: return Int(weights[first + i, j])
    case .lateral: return i == j ? 0 : Int(weights[first, 0])
    case .oneToOne:
      guard i == j else { return 0 }
      if weights.columns == 1 { return Int(weights[first, 0]) }
      return Int(weights[first, weights.columns == target.count ? j : j % target.channels])
    case .convolution(let c):
      let (ci, iy, ix) = cells.coordinates(of: i)
      let (co, oy, ox) = target.coordinates(of: j)
      let perGroup = target.channels / c.groups
      guard ci / (cells.channels / c.groups) == co / perGroup else { return 0 }
      func from(_ axis: Convolution.Axis, _ output: Int, _ tap: Int) -> Int {
        output * axis.stride + tap * axis.dilation - axis.paddingBefore
      }
      for ky in 0..<c.y.kernel where from(c.y, oy, ky) == iy {
        for kx in 0..<c.x.kernel where from(c.x, ox, kx) == ix {
          return Int(weights[first + ci, (ky * c.x.kernel + kx) * perGroup + co % perGroup])
        }
      }
      return 0
    }
  }

  /// The whole matrix from pooled cells to targets, of every tap.
  private func matrices(_ projection: Projection, _ model: Model) -> [[[Int]]] {
    let cells = model.sourceShape(of: projection).pooled(by: projection.pool).count
    let targets = model.populations[projection.target].shape.count
    return (0..<projection.taps).map { tap in
      (0..<cells).map { i in
        (0..<targets).map { weight(projection, model, tap: tap, from: i, to: $0) }
      }
    }
  }

  /// A_p(j) of FORMAT.md §5 from the matrix.
  private func arrivingBound(_ column: [Int], _ projection: Projection, _ model: Model) -> Int {
    let sum = column.reduce(0) { $0 + abs($1) } * projection.pool * projection.pool
    guard case .input(let port) = projection.source, model.inputs[port].encoder == nil else {
      return sum
    }
    switch model.inputs[port].kind {
    case .events(.once): return sum
    case .events(.every(let maximum)): return maximum * (column.map { abs($0) }.max() ?? 0)
    case .values(let minimum, let maximum, _): return sum * max(abs(minimum), abs(maximum))
    }
  }

  @Test func boundsFollowTheDefinition() throws {
    for seed in 0..<200 as Range<UInt64> {
      let model = RandomModels.model(seed: seed)
      let bounds = try model.validate()
      for (index, population) in model.populations.enumerated() {
        var sums = [Int](repeating: 0, count: population.shape.count)
        for projection in model.projections where projection.target == index {
          let matrices = matrices(projection, model)
          for neuron in sums.indices {
            let bound = matrices.reduce(0) { sum, matrix in
              sum + arrivingBound(matrix.map { $0[neuron] }, projection, model)
            }
            let half = projection.shift == 0 ? 0 : 1 << (projection.shift - 1)
            sums[neuron] +=
              model.carriesValues(projection)
              ? (bound + half) >> projection.shift : bound << projection.shift
          }
        }
        for neuron in sums.indices {
          if let leak = currentLeak(of: neuron, in: population) {
            let geometric = leak == 1 << 15 ? Int.max : (sums[neuron] << 15) / (1 << 15 - leak)
            sums[neuron] = min(model.maximumSteps * sums[neuron], geometric)
          }
          sums[neuron] += abs(population.bias(of: neuron))
        }
        #expect(bounds.populations[index].largest == sums.max(), "seed \(seed) \(index)")
        #expect(bounds.populations[index].neuron == sums.firstIndex(of: sums.max() ?? 0))
      }
    }
  }

  /// Membranes, spikes, synops and macs of some hundred random models, step by step.
  @Test func simulatorFollowsTheDefinition() throws {
    for seed in 0..<250 as Range<UInt64> {
      let model = RandomModels.model(seed: seed)
      let input = RandomModels.input(for: model, seed: seed)
      var simulator = try ReferenceSimulator(model)
      var records: [StepRecord] = []
      let answer = try simulator.run(input) { records.append($0) }
      let matrices = model.projections.map { self.matrices($0, model) }
      var synops = model.projections.map { _ in 0 }
      var counts = model.projections.map { _ in 0 }
      var currents = model.populations.map { [Int](repeating: 0, count: $0.shape.count) }
      let last = records.indices.first { exits(model, records[$0]) } ?? input.steps - 1
      #expect(records.count == last + 1, "seed \(seed)")
      for step in records.indices {
        for (index, population) in model.populations.enumerated() {
          var sums = [Int](repeating: 0, count: population.shape.count)
          for (p, projection) in model.projections.enumerated() where projection.target == index {
            let isNew = step == 0 || !model.isHeld(projection)
            let isValue = model.carriesValues(projection)
            var arriving = [Int](repeating: 0, count: sums.count)
            for tap in 0..<projection.taps {
              let from = step - projection.delay - tap * projection.tapStep
              guard from >= 0 || model.isHeld(projection) else { continue }
              let presented = presented(projection, model, input, records, from)
              for (cell, amount) in presented.enumerated() where amount != 0 && isNew {
                let synapses = matrices[p][tap][cell].reduce(0) { $1 == 0 ? $0 : $0 + 1 }
                synops[p] += synapses * (isValue ? 1 : amount)
                counts[p] += isValue ? 0 : amount
              }
              for neuron in sums.indices {
                arriving[neuron] += presented.indices.reduce(0) {
                  $0 + presented[$1] * matrices[p][tap][$1][neuron]
                }
              }
            }
            for (neuron, sum) in arriving.enumerated() {
              let half = projection.shift == 0 ? 0 : 1 << (projection.shift - 1)
              sums[neuron] += isValue ? (sum + half) >> projection.shift : sum << projection.shift
            }
          }
          for neuron in sums.indices {
            guard let leak = currentLeak(of: neuron, in: population) else { continue }
            let product = currents[index][neuron] * leak
            sums[neuron] += (abs(product) >> 15) * product.signum()
            currents[index][neuron] = sums[neuron]
          }
          checkMembranes(of: index, sums, in: model, records, step, "seed \(seed) step \(step)")
        }
      }
      for (p, counted) in answer.counters.projections.enumerated() {
        let isValue = model.carriesValues(model.projections[p])
        #expect(counted.synops == (isValue ? 0 : synops[p]), "seed \(seed) projection \(p)")
        #expect(counted.macs == (isValue ? synops[p] : 0), "seed \(seed) projection \(p)")
        #expect(counted.spikesIn == counts[p], "seed \(seed) projection \(p)")
      }
    }
  }

  /// A frame's values, or 1 for each that the encoder of this gain makes spike.
  private func encoded(
    _ frame: [Int16], _ gain: Int?, seed: UInt32, port: Int, step: Int
  ) -> [Int] {
    guard let gain else { return frame.map(Int.init) }
    return frame.enumerated().map { index, value in
      let place = UInt64(step * frame.count + index + 1)
      var r = (UInt64(seed) + UInt64(port) * 0x85EB_CA6B) % (1 << 32)
      r ^= place * 0x9E37_79B1 % (1 << 32)
      r = (r ^ (r >> 16)) * 0x7FEB_352D % (1 << 32)
      r = (r ^ (r >> 15)) * 0x846C_A68B % (1 << 32)
      r = (r ^ (r >> 16)) >> 8
      return Int(r) < Int(value) * gain ? 1 : 0
    }
  }

  /// Whether a step ends the inference.
  private func exits(_ model: Model, _ record: StepRecord) -> Bool {
    switch model.exit {
    case nil: return false
    case .firstSpike(let population): return record.spikes[population].count > 0
    case .margin(let margin):
      let descending = record.membranes[model.readout].sorted(by: >).map(Int.init)
      return descending[0] - descending[1] >= margin
    }
  }

  /// nil: the neuron has no synaptic current.
  private func currentLeak(of neuron: Int, in population: Population) -> Int? {
    guard case .lif(let lif) = population.kind, !lif.currentLeak.values.isEmpty else { return nil }
    return lif.currentLeak.value(of: neuron, in: population.shape, default: 0)
  }

  /// The spikes or values of a step in every pooled cell.
  private func presented(
    _ projection: Projection, _ model: Model, _ input: InferenceInput, _ records: [StepRecord],
    _ step: Int
  ) -> [Int] {
    let source = model.sourceShape(of: projection)
    var amounts = [Int](repeating: 0, count: source.count)
    switch projection.source {
    case .population(let population):
      for spike in records[step].spikes[population] { amounts[Int(spike)] = 1 }
    case .input(let port):
      let gain = model.inputs[port].encoder?.gain
      switch input.ports[port] {
      case .held(let frame):
        amounts = encoded(frame, gain, seed: input.seed, port: port, step: step)
      case .frames(let frames):
        amounts = encoded(frames[step], gain, seed: input.seed, port: port, step: step)
      case .events(let events):
        let inside = events[step].filter { $0 < source.count }
        if case .events(.every(let maximum)) = model.inputs[port].kind {
          for event in inside.prefix(maximum) { amounts[Int(event)] += 1 }
        } else {
          for event in inside { amounts[Int(event)] = 1 }
        }
      }
    }
    let cells = source.pooled(by: projection.pool)
    var sums = [Int](repeating: 0, count: cells.count)
    for (neuron, amount) in amounts.enumerated() {
      let (c, y, x) = source.coordinates(of: neuron)
      let (py, px) = (y / projection.pool, x / projection.pool)
      if py < cells.height && px < cells.width {
        sums[cells.index(channel: c, y: py, x: px)] += amount
      }
    }
    return sums
  }

  /// Steps without refractory periods, whose state a record does not show, are checked in full.
  private func checkMembranes(
    of index: Int, _ sums: [Int], in model: Model, _ records: [StepRecord], _ step: Int,
    _ message: Comment
  ) {
    let population = model.populations[index]
    let spikes = Set(records[step].spikes[index])
    for neuron in sums.indices {
      let before =
        step == 0
        ? population.initial(of: neuron) : Int(records[step - 1].membranes[index][neuron])
      let product = before * population.leak(of: neuron)
      let decayed = (abs(product) >> 15) * product.signum()
      var v = decayed + sums[neuron] + population.bias(of: neuron)
      if case .lif(let lif) = population.kind {
        let isRefractory = (1...max(lif.refractorySteps, 1)).contains { back in
          lif.refractorySteps > 0 && step - back >= 0
            && records[step - back].spikes[index].contains(UInt32(neuron))
        }
        if isRefractory {
          v = before
          #expect(!spikes.contains(UInt32(neuron)), message)
        } else {
          v = v < lif.floor ? lif.floor : v > lif.ceiling ? lif.ceiling : v
          let threshold = lif.threshold.value(of: neuron, in: population.shape, default: 0)
          let fires = v > threshold || (lif.compare == .greaterEqual && v == threshold)
          #expect(fires == spikes.contains(UInt32(neuron)), message)
          if fires {
            switch lif.reset {
            case .subtract: v -= threshold
            case .zero: v = 0
            case .value(let value): v = value
            }
          }
        }
      }
      #expect(v == Int(records[step].membranes[index][neuron]), message)
    }
  }
}
