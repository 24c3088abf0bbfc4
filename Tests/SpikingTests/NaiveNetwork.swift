import TestMathematics
import Wiring

@testable import Spiking

/// A network computed sample by sample, step by step and neuron by neuron with plain loops. With `Int`
/// numbers it is the arithmetic of models/FORMAT.md, section 4.
struct NaiveNetwork<N: Numeric & Comparable> {
  /// The numbers of a population; parameters of 1, C or N values.
  struct Neurons {
    /// Empty for a read-out.
    var threshold: [N]
    var bias: [N] = [0]
    var initial: [N] = [0]
    /// The membrane after a spike where the reset is to a value.
    var resetValue: N = 0
    /// The membrane of a neuron after its leak.
    var decayed: (_ membrane: N, _ neuron: Int) -> N
    var clamped: (N) -> N
  }

  struct Step {
    /// Each population's membranes before reset.
    var potentials: [[N]] = []
    /// Each population's spikes; empty for a read-out.
    var spikes: [[N]] = []
  }

  var network: Network
  /// By projection.
  var weights: [[N]]
  /// The arriving sum of a projection as the membrane sees it.
  var scaled: (_ sum: N, _ projection: Int) -> N
  /// By population.
  var neurons: [Neurons]

  /// The steps of one sample; `inputs` by port and step, one entry where held.
  func run(_ inputs: [[[N]]]) throws -> [Step] {
    let populations = network.populations
    var membranes = populations.indices.map { index in
      (0..<populations[index].shape.count).map {
        neurons[index].initial[$0 % neurons[index].initial.count]
      }
    }
    var lost = populations.map { [Int](repeating: 0, count: $0.shape.count) }
    var steps: [Step] = []
    for step in 0..<network.steps {
      var now = Step(
        potentials: populations.map { _ in [] }, spikes: populations.map { _ in [] })
      for index in try order() {
        var sums = [N](repeating: 0, count: populations[index].shape.count)
        for projection in network.projections.indices
        where network.projections[projection].target == index {
          for (tap, delay) in network.projections[projection].delays.enumerated() {
            guard let signal = signal(projection, step, delay, inputs, now, steps) else { continue }
            for (neuron, sum) in projected(signal, projection, tap: tap).enumerated() {
              sums[neuron] += scaled(sum, projection)
            }
          }
        }
        update(index, sums, &membranes[index], &lost[index], &now)
      }
      steps.append(now)
    }
    return steps
  }

  private func order() throws -> [Int] {
    try Graph(
      nodes: network.populations.count,
      edges: network.projections.compactMap { projection in
        guard case .population(let source) = projection.source else { return nil }
        return Graph.Edge(from: source, to: projection.target, delay: projection.delay)
      }
    ).order()
  }

  /// What a projection's source sends, nil before its first step.
  private func signal(
    _ index: Int, _ step: Int, _ delay: Int, _ inputs: [[[N]]], _ now: Step, _ earlier: [Step]
  ) -> [N]? {
    switch network.projections[index].source {
    case .input(let port):
      if network.ports[port].isHeld { return inputs[port][0] }
      return step >= delay ? inputs[port][step - delay] : nil
    case .population(let source):
      if delay == 0 { return now.spikes[source] }
      return step >= delay ? earlier[step - delay].spikes[source] : nil
    }
  }

  private func projected(_ signal: [N], _ index: Int, tap: Int) -> [N] {
    let projection = network.projections[index]
    let pooled = network.pooledSource(of: projection)
    let source =
      switch projection.source {
      case .input(let port): network.ports[port].shape
      case .population(let population): network.populations[population].shape
      }
    let cells = NaiveLayers.sumPool(
      signal, height: source.height, width: source.width, channels: source.channels,
      side: projection.pool)
    let count = weights[index].count / projection.taps
    let weight = Array(weights[index][tap * count..<(tap + 1) * count])
    let target = network.populations[projection.target].shape
    switch projection.topology {
    case .dense: return NaiveLayers.dense(cells, weight: weight, outputs: target.count)
    case .convolution(let geometry):
      return NaiveLayers.convolution(
        cells, pooled, weight: weight, outputs: target.channels, geometry)
    case .oneToOne: return cells.indices.map { cells[$0] * weight[$0 % weight.count] }
    case .lateral:
      return cells.indices.map { neuron in
        cells.indices.reduce(0) { $1 == neuron ? $0 : $0 + cells[$1] * weight[0] }
      }
    }
  }

  private func update(
    _ index: Int, _ sums: [N], _ membranes: inout [N], _ lost: inout [Int], _ now: inout Step
  ) {
    let rules = neurons[index]
    for (neuron, sum) in sums.enumerated() {
      if lost[neuron] > 0 {
        lost[neuron] -= 1
        now.potentials[index].append(membranes[neuron])
        now.spikes[index].append(0)
        continue
      }
      let bias = rules.bias[neuron % rules.bias.count]
      let potential = rules.clamped(rules.decayed(membranes[neuron], neuron) + bias + sum)
      now.potentials[index].append(potential)
      membranes[neuron] = potential
      guard case .lif(let dynamics) = network.populations[index].neuron else { continue }
      let threshold = rules.threshold[neuron % rules.threshold.count]
      let fires = dynamics.compare == .greater ? potential > threshold : potential >= threshold
      now.spikes[index].append(fires ? 1 : 0)
      guard fires else { continue }
      switch dynamics.reset {
      case .subtract: membranes[neuron] = potential - threshold
      case .zero: membranes[neuron] = 0
      case .value: membranes[neuron] = rules.resetValue
      }
      lost[neuron] = dynamics.refractorySteps
    }
  }
}
