import ModelFixtures
import ModelFormat
import Testing

/// The simulator and the bounds against FORMAT.md §3 written the other way round: for every target
/// the formula is asked which weight each source has on it.
@Suite struct DefinitionTests {
  /// The weight from pooled cell `i` to target `j` straight from the table of FORMAT.md §3.
  private func weight(_ projection: Projection, _ model: Model, from i: Int, to j: Int) -> Int {
    let cells = model.sourceShape(of: projection).pooled(by: projection.pool)
    let target = model.populations[projection.target].shape
    let weights = projection.weights
    switch projection.topology {
    case .dense: return Int(weights[i, j])
    case .lateral: return i == j ? 0 : Int(weights[0, 0])
    case .oneToOne:
      guard i == j else { return 0 }
      if weights.columns == 1 { return Int(weights[0, 0]) }
      return Int(weights[0, weights.columns == target.count ? j : j % target.channels])
    case .convolution(let c):
      let (ci, iy, ix) = cells.coordinates(of: i)
      let (co, oy, ox) = target.coordinates(of: j)
      let perGroup = target.channels / c.groups
      guard ci / (cells.channels / c.groups) == co / perGroup else { return 0 }
      for ky in 0..<c.y.kernel where oy * c.y.stride + ky * c.y.dilation - c.y.paddingBefore == iy {
        for kx in 0..<c.x.kernel where ox * c.x.stride + kx * c.x.dilation - c.x.paddingBefore == ix {
          return Int(weights[ci, (ky * c.x.kernel + kx) * perGroup + co % perGroup])
        }
      }
      return 0
    }
  }

  /// The whole matrix from pooled cells to targets.
  private func matrix(_ projection: Projection, _ model: Model) -> [[Int]] {
    let cells = model.sourceShape(of: projection).pooled(by: projection.pool).count
    let targets = model.populations[projection.target].shape.count
    return (0..<cells).map { i in
      (0..<targets).map { weight(projection, model, from: i, to: $0) }
    }
  }

  /// A_p(j) of FORMAT.md §5 from the matrix.
  private func arrivingBound(_ column: [Int], _ projection: Projection, _ model: Model) -> Int {
    let sum = column.reduce(0) { $0 + abs($1) } * projection.pool * projection.pool
    guard case .input(let port) = projection.source else { return sum }
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
        var sums = population.bias.expanded(to: population.shape, default: 0).map { abs($0) }
        for projection in model.projections where projection.target == index {
          let matrix = matrix(projection, model)
          for neuron in sums.indices {
            let bound = arrivingBound(matrix.map { $0[neuron] }, projection, model)
            let half = projection.shift == 0 ? 0 : 1 << (projection.shift - 1)
            sums[neuron] +=
              model.carriesValues(projection)
              ? (bound + half) >> projection.shift : bound << projection.shift
          }
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
      let matrices = model.projections.map { matrix($0, model) }
      var synops = model.projections.map { _ in 0 }
      var counts = model.projections.map { _ in 0 }
      for step in 0..<input.steps {
        for (index, population) in model.populations.enumerated() {
          var sums = [Int](repeating: 0, count: population.shape.count)
          for (p, projection) in model.projections.enumerated() where projection.target == index {
            let presented = presented(projection, model, input, records, step)
            let isNew = step == 0 || !isHeld(projection, model)
            let isValue = model.carriesValues(projection)
            for (cell, amount) in presented.enumerated() where amount != 0 && isNew {
              let synapses = matrices[p][cell].reduce(0) { $1 == 0 ? $0 : $0 + 1 }
              synops[p] += synapses * (isValue ? 1 : amount)
              counts[p] += isValue ? 0 : amount
            }
            for neuron in sums.indices {
              let sum = presented.indices.reduce(0) {
                $0 + presented[$1] * matrices[p][$1][neuron]
              }
              let half = projection.shift == 0 ? 0 : 1 << (projection.shift - 1)
              sums[neuron] += isValue ? (sum + half) >> projection.shift : sum << projection.shift
            }
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

  private func isHeld(_ projection: Projection, _ model: Model) -> Bool {
    guard case .input(let port) = projection.source,
      case .values(_, _, framePerStep: false) = model.inputs[port].kind
    else { return false }
    return true
  }

  /// The spikes or values in every pooled cell at a step.
  private func presented(
    _ projection: Projection, _ model: Model, _ input: InferenceInput, _ records: [StepRecord],
    _ step: Int
  ) -> [Int] {
    let source = model.sourceShape(of: projection)
    var amounts = [Int](repeating: 0, count: source.count)
    switch projection.source {
    case .population(let population):
      let from = step - projection.delay
      if from >= 0 { for spike in records[from].spikes[population] { amounts[Int(spike)] = 1 } }
    case .input(let port):
      switch input.ports[port] {
      case .held(let frame): amounts = frame.map(Int.init)
      case .frames(let frames): amounts = frames[step].map(Int.init)
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
