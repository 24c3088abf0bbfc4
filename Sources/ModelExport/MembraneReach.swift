import ModelFormat

/// How far a neuron's membrane can go before it is clamped, over all inputs.
///
/// Let every step add d to a membrane, lower ≤ d ≤ upper (bias included), and let v lie in
/// low...high after the last reset. Leak and sum of FORMAT.md, section 4 rise with v and d, so
///
///     trunc0(low · leak / 2^15) + lower  ≤  u  ≤  trunc0(high · leak / 2^15) + upper
///
/// and both ends are attained if `low` and `high` are. Clamping keeps the order. Let θ be the
/// threshold and f the least membrane that fires, θ or θ + 1. Reset by subtraction takes u < f to u
/// and u ≥ f to u − θ ≥ f − θ ≥ 0, hence after it
///
///     high' = max(min(u_max, f − 1), u_max − θ where u_max ≥ f)
///     low'  = min(u_min, f − θ where u_max ≥ f).
///
/// Started from the initial membrane this map is iterated `steps` times, or until it rests: being
/// monotone it moves either end in one direction only, among at most 2^16 membranes, so it rests
/// or ends soon. The ends of u that were met on the way are ``least`` and ``greatest``. The bound
/// is safe but not tight: it takes, in every step, the worst input for each neuron, and no single
/// recording may be that.
struct MembraneReach: Equatable {
  /// The least and the greatest membrane before clamping in any of the steps.
  private(set) var least = Int.max
  private(set) var greatest = Int.min
  /// Whether a membrane is clamped at the ceiling without firing, or fires only above int16.
  private(set) var restsHigh = false

  /// What decides how far a neuron's membrane goes.
  struct Neuron: Hashable {
    /// The ends of what a step adds, bias included.
    var lower: Int
    var upper: Int
    var leak: Int
    var threshold: Int
    var initial: Int
  }

  /// The reach of all `neurons` of a population with reset by subtraction and no refractory steps.
  init(of neurons: Set<Neuron>, as lif: Population.LIF, steps: Int) {
    for neuron in neurons { include(neuron, lif, steps: steps) }
  }

  /// Whether no membrane is ever clamped.
  func stays(within lif: Population.LIF) -> Bool { least >= lif.floor && greatest <= lif.ceiling }

  /// Whether the fast kernel can clamp as the format does: a membrane above the ceiling fires.
  var canClampFast: Bool { !restsHigh }

  private mutating func include(_ neuron: Neuron, _ lif: Population.LIF, steps: Int) {
    let fires = neuron.threshold + (lif.compare == .greater ? 1 : 0)
    var (low, high) = (neuron.initial, neuron.initial)
    for _ in 0..<steps {
      let bottom = low * neuron.leak / 32768 + neuron.lower
      let top = high * neuron.leak / 32768 + neuron.upper
      (least, greatest) = (min(least, bottom), max(greatest, top))
      if fires > lif.ceiling && top > lif.ceiling { restsHigh = true }
      if fires > 32767 && top >= 32767 { restsHigh = true }
      let clampedTop = min(max(top, lif.floor), lif.ceiling)
      let clampedBottom = min(max(bottom, lif.floor), lif.ceiling)
      let canFire = clampedTop >= fires
      let nextLow = canFire ? min(clampedBottom, fires - neuron.threshold) : clampedBottom
      let nextHigh = canFire ? max(fires - 1, clampedTop - neuron.threshold) : clampedTop
      if nextLow == low && nextHigh == high { return }
      (low, high) = (nextLow, nextHigh)
    }
  }
}

extension DeviceGraph.Layer {
  /// The neurons of the layer's population as far as ``MembraneReach`` tells them apart.
  func neurons(of population: Population, _ lif: Population.LIF) -> Set<MembraneReach.Neuron> {
    var neurons: Set<MembraneReach.Neuron> = []
    var known: [[Range<Int>]: (lower: [Int], upper: [Int])] = [:]
    let parameters = [lif.threshold, population.leak, population.bias, population.initial]
    let isUniform = parameters.allSatisfy { $0.values.count <= shape.channels }
    for y in 0..<shape.height {
      for x in 0..<shape.width {
        let taps = windows.flatMap { window in
          [
            window.y.taps(of: y, over: window.pooled.height),
            window.x.taps(of: x, over: window.pooled.width),
          ]
        }
        let isKnown = known[taps] != nil
        if isKnown && isUniform { continue }
        let sums = known[taps] ?? self.sums(taps)
        known[taps] = sums
        for channel in 0..<shape.channels {
          // A layer made a vector keeps linear indices, so the population's shape serves.
          let neuron = shape.index(channel: channel, y: y, x: x)
          let bias = population.bias(of: neuron)
          neurons.insert(
            MembraneReach.Neuron(
              lower: sums.lower[channel] + bias, upper: sums.upper[channel] + bias,
              leak: population.leak(of: neuron),
              threshold: lif.threshold.value(of: neuron, in: population.shape, default: 0),
              initial: population.initial(of: neuron)))
        }
      }
    }
    return neurons
  }

  /// The ends of what all projections add to a pixel in a step, per channel; `taps`: of every
  /// window, its rows and columns inside the source.
  private func sums(_ taps: [Range<Int>]) -> (lower: [Int], upper: [Int]) {
    var sums = (
      lower: [Int](repeating: 0, count: shape.channels),
      upper: [Int](repeating: 0, count: shape.channels)
    )
    // The taps of one projection are scaled together (FORMAT.md, section 4).
    var unscaled = sums
    for (index, window) in windows.enumerated() {
      let arriving = window.arriving(taps[2 * index], taps[2 * index + 1])
      let isLast =
        index + 1 == windows.count || windows[index + 1].projection != window.projection
      for channel in 0..<shape.channels {
        unscaled.lower[channel] += arriving.lower[channel]
        unscaled.upper[channel] += arriving.upper[channel]
        guard isLast else { continue }
        sums.lower[channel] += window.scaled(unscaled.lower[channel])
        sums.upper[channel] += window.scaled(unscaled.upper[channel])
        (unscaled.lower[channel], unscaled.upper[channel]) = (0, 0)
      }
    }
    return sums
  }
}

extension DeviceWindow {
  /// The ends of the sums of arriving weights, per column. A spike may be missing; so may a value,
  /// where none is presented.
  fileprivate func arriving(
    _ ys: Range<Int>, _ xs: Range<Int>
  ) -> (lower: [Int], upper: [Int]) {
    var lower = [Int](repeating: 0, count: columns)
    var upper = lower
    // A cell of a pool passes on every spike of its sources.
    let least = min(values?.lowerBound ?? 0, 0)
    let greatest = max(values?.upperBound ?? pool * pool, 0)
    for ky in ys {
      for kx in xs {
        let first = (ky * x.kernel + kx) * shape.channels
        for row in first..<first + shape.channels {
          for column in 0..<columns {
            let weight = Int(weights[row * columns + column])
            if weight == 0 { continue }
            if let most {
              // All spikes may take the heaviest synapse.
              lower[column] = min(lower[column], weight * most)
              upper[column] = max(upper[column], weight * most)
              continue
            }
            lower[column] += min(weight * least, weight * greatest)
            upper[column] += max(weight * least, weight * greatest)
          }
        }
      }
    }
    return (lower, upper)
  }
}

extension DeviceWindow {
  /// A sum of arriving weights in the target's unit (FORMAT.md, section 4).
  func scaled(_ sum: Int) -> Int {
    if values == nil { return sum << shift }
    return shift == 0 ? sum : (sum + (1 << (shift - 1))) >> shift
  }
}
