import Wiring

/// What FORMAT.md §5 proves of a model: how large any neuron's sum can get, and hence in which
/// machine type a device may keep it.
public struct ModelBounds: Equatable, Sendable {
  /// The narrowest way a device may integrate a population, all with the same result.
  public enum Path: Equatable, Sendable {
    /// Weights are added straight to int16 membranes: a LIF population without refractory steps,
    /// max(|floor|, ceiling) + B < 2^15.
    case membrane16
    /// An int16 accumulator beside int16 membranes: a LIF population with B < 2^15.
    case accumulator16
    /// An int32 accumulator beside int16 membranes: any other LIF population.
    case accumulator32
    /// Weights are added straight to int32 membranes: a read-out.
    case membrane32
  }

  /// The bound of one population.
  public struct Population: Equatable, Sendable {
    /// The largest B(j) of its neurons, in membrane units.
    public let largest: Int
    /// The lowest neuron that has it.
    public let neuron: Int
    /// How a device may integrate it.
    public let path: Path
  }

  /// Per population, in order.
  public let populations: [Population]

  /// Proves the bounds of a model whose structure is valid; throws
  /// ``ModelError/boundExceeded(place:expected:found:)`` where they do not hold.
  init(of model: Model) throws(ModelError) {
    var sums = model.populations.map { [Int](repeating: 0, count: $0.shape.count) }
    for (index, projection) in model.projections.enumerated() {
      // 2^26 entries of 2^7 in all projections, times 2^8 of a window, times 2^15 of a value or a shift:
      // 2^56. A lateral entry counts 2^20 sources, windows included, in 2^5 taps: 2^47 for each of 1024.
      let arriving = model.arrivingBounds(of: projection)
      let target = projection.target
      if model.carriesValues(projection) {
        let half = projection.shift == 0 ? 0 : 1 << (projection.shift - 1)
        for (neuron, bound) in arriving.enumerated() {
          guard bound + half < 1 << 24 else {
            throw .boundExceeded(
              place: model.place(ofProjection: index),
              expected: "Σ|w|·|value| + 2^(shift−1) < 2^24 at neuron \(neuron) of its target",
              found: "\(bound) + \(half)")
          }
          sums[target][neuron] += (bound + half) >> projection.shift
        }
      } else {
        for (neuron, bound) in arriving.enumerated() {
          sums[target][neuron] += bound << projection.shift
        }
      }
    }
    var proven: [Population] = []
    for (index, population) in model.populations.enumerated() {
      proven.append(
        try Self.prove(population, arriving: sums[index], steps: model.maximumSteps) {
          model.place(ofPopulation: index)
        })
    }
    populations = proven
  }

  private static func prove(
    _ population: ModelFormat.Population, arriving: [Int], steps: Int, place: () -> String
  ) throws(ModelError) -> Population {
    var largest = -1
    var lowest = 0
    for (neuron, arriving) in arriving.enumerated() {
      let current = population.currentBound(of: neuron, arriving: arriving, steps: steps)
      let sum = current + abs(population.bias(of: neuron))
      switch population.kind {
      case .lif:
        guard sum + 32768 < 1 << 24 else {
          throw .boundExceeded(
            place: place(), expected: "B + 32768 < 2^24 at neuron \(neuron)", found: "B = \(sum)")
        }
      case .readout:
        let initial = abs(population.initial(of: neuron))
        // The first comparison keeps the product below 2^47.
        guard sum < 1 << 31, initial + steps * sum < 1 << 31 else {
          throw .boundExceeded(
            place: place(), expected: "|initial| + max_steps·B < 2^31 at neuron \(neuron)",
            found: "\(initial) + \(steps)·\(sum)")
        }
      }
      if sum > largest { (largest, lowest) = (sum, neuron) }
    }
    return Population(largest: largest, neuron: lowest, path: path(of: population, bound: largest))
  }

  private static func path(of population: ModelFormat.Population, bound: Int) -> Path {
    guard case .lif(let lif) = population.kind else { return .membrane32 }
    guard lif.currentLeak.values.isEmpty else { return .accumulator32 }
    // Input that arrives in a refractory step is lost, so it must not reach the membrane first.
    if lif.refractorySteps == 0, max(-lif.floor, lif.ceiling) + bound < 1 << 15 {
      return .membrane16
    }
    return bound < 1 << 15 ? .accumulator16 : .accumulator32
  }
}

extension Population {
  /// I(j) of FORMAT.md §5 for a neuron at which at most `arriving` arrives in a step.
  fileprivate func currentBound(of neuron: Int, arriving: Int, steps: Int) -> Int {
    guard case .lif(let lif) = kind, !lif.currentLeak.values.isEmpty else { return arriving }
    let lost = Self.noLeak - lif.currentLeak.value(of: neuron, in: shape, default: 0)
    // 2^57 arrive at most; far less is refused all the same, and stays far from overflow here.
    let most = min(arriving, 1 << 24)
    return lost == 0 ? steps * most : min(steps * most, most * Self.noLeak / lost)
  }
}

extension Model {
  /// A_p(j) of FORMAT.md §5 for every neuron j of the projection's target.
  fileprivate func arrivingBounds(of projection: Projection) -> [Int] {
    let combination = combination(of: projection)
    let target = populations[projection.target].shape
    var bounds = [Int](repeating: 0, count: target.count)
    switch projection.topology {
    case .oneToOne:
      let weights = Parameter(projection.magnitudes)
      for neuron in bounds.indices {
        bounds[neuron] = weights.value(of: neuron, in: target, default: 0)
      }
    case .lateral:
      let others = combination.takesLargest ? min(target.count - 1, 1) : target.count - 1
      bounds = [Int](repeating: projection.magnitudes[0] * others, count: target.count)
    case .dense, .convolution:
      for tap in 0..<projection.taps {
        let matrix = projection.weights(ofTap: tap)
        let arriving = arrivingBounds(of: projection, matrix, combination: combination)
        for neuron in bounds.indices { bounds[neuron] += arriving[neuron] }
      }
    }
    return bounds.map { $0 * combination.factor }
  }

  /// The combined weights of one tap of a dense or convolutional projection, per target neuron.
  private func arrivingBounds(
    of projection: Projection, _ weights: WeightMatrix, combination: Combination
  ) -> [Int] {
    let target = populations[projection.target].shape
    if case .convolution(let convolution) = projection.topology {
      let source = sourceShape(of: projection).pooled(by: projection.pool)
      return convolutionBounds(
        convolution, weights, over: source, onto: target, combination: combination)
    }
    var bounds = [Int](repeating: 0, count: target.count)
    for row in 0..<weights.rows {
      for column in 0..<weights.columns {
        combination.include(weights[row, column], in: &bounds[column])
      }
    }
    return bounds
  }

  /// How the weights onto one neuron combine to A_p: their sum or their maximum, times a factor.
  private func combination(of projection: Projection) -> Combination {
    let window = projection.pool * projection.pool
    guard case .input(let port) = projection.source, inputs[port].encoder == nil else {
      return Combination(takesLargest: false, factor: window)
    }
    switch inputs[port].kind {
    case .events(.once): return Combination(takesLargest: false, factor: window)
    case .events(.every(let maximum)): return Combination(takesLargest: true, factor: maximum)
    case .values(let minimum, let maximum, _):
      return Combination(takesLargest: false, factor: window * max(abs(minimum), abs(maximum)))
    }
  }

  /// The combined weights of the taps that fall inside the source, per target neuron.
  ///
  /// Which taps those are depends on the neuron's row and column only through two ranges, and few
  /// ranges differ, so each pair of ranges is worked out once.
  private func convolutionBounds(
    _ convolution: Convolution, _ weights: WeightMatrix, over source: Shape, onto target: Shape,
    combination: Combination
  ) -> [Int] {
    let perTap = tapBounds(convolution, weights, target: target, combination: combination)
    let xTaps = (0..<target.width).map { convolution.x.taps(of: $0, over: source.width) }
    var known: [[Range<Int>]: [Int]] = [:]
    var bounds: [Int] = []
    bounds.reserveCapacity(target.count)
    for y in 0..<target.height {
      let yTaps = convolution.y.taps(of: y, over: source.height)
      for x in 0..<target.width {
        if let channels = known[[yTaps, xTaps[x]]] {
          bounds += channels
          continue
        }
        var channels = [Int](repeating: 0, count: target.channels)
        for ky in yTaps {
          for kx in xTaps[x] {
            let tap = (ky * convolution.x.kernel + kx) * target.channels
            for channel in 0..<target.channels {
              combination.include(perTap[tap + channel], in: &channels[channel])
            }
          }
        }
        known[[yTaps, xTaps[x]]] = channels
        bounds += channels
      }
    }
    return bounds
  }

  /// The weights of one tap onto one target channel, combined over the source channels of its
  /// group; indexed `tap · C_out + channel`.
  private func tapBounds(
    _ convolution: Convolution, _ weights: WeightMatrix, target: Shape, combination: Combination
  ) -> [Int] {
    let taps = convolution.y.kernel * convolution.x.kernel
    let outputs = target.channels / convolution.groups
    let inputs = weights.rows / convolution.groups
    var bounds = [Int](repeating: 0, count: taps * target.channels)
    for row in 0..<weights.rows {
      let first = row / inputs * outputs
      for tap in 0..<taps {
        for output in 0..<outputs {
          combination.include(
            weights[row, tap * outputs + output],
            in: &bounds[tap * target.channels + first + output])
        }
      }
    }
    return bounds
  }
}

extension Projection {
  /// Σ|w| over the taps, per column: of a projection with one synapse from a source to a target.
  fileprivate var magnitudes: [Int] {
    var sums = [Int](repeating: 0, count: weights.columns)
    for (position, weight) in weights.values.enumerated() {
      sums[position % weights.columns] += abs(Int(weight))
    }
    return sums
  }
}

/// How weights onto one neuron combine to the bound A_p (FORMAT.md §5).
private struct Combination {
  /// True for EVERY: all events of a step may take the heaviest synapse.
  let takesLargest: Bool
  /// What the sum or maximum is multiplied with: events, values, sources of a pooled cell.
  let factor: Int

  func include(_ weight: some BinaryInteger, in bound: inout Int) {
    let magnitude = abs(Int(weight))
    bound = takesLargest ? max(bound, magnitude) : bound + magnitude
  }
}
