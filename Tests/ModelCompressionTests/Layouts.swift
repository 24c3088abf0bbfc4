import Spiking
import Tensors
import Wiring

/// At which of `channels` channels the weights of `shape` end.
func layout(
  _ shape: [Int], _ topology: Topology = .dense, taps: Int = 1, channels: Int
) -> Projection.ChannelLayout {
  Projection(
    name: "test", from: .input(0), to: 0, topology: topology, taps: taps,
    weight: Parameter("test.weight", role: .weight, value: Tensor(shape))
  ).channelLayout(channels: channels)
}

/// A network of a plan whose last population answers.
func network(
  _ ports: [InputPort], _ populations: [NetworkPlan.Population],
  _ projections: [NetworkPlan.Projection], steps: Int = 4, seed: UInt64 = 1
) throws -> Network {
  try Network(
    name: "test",
    plan: NetworkPlan(
      ports: ports, populations: populations, projections: projections,
      readout: populations.count - 1),
    steps: steps, random: RandomSource(seed: seed))
}

extension Network {
  /// The projection of a name that exists.
  func projection(_ name: String) -> Projection {
    guard let found = projections.first(where: { $0.name == name }) else {
      preconditionFailure("no projection \(name)")
    }
    return found
  }

  /// Replaces the weights of a projection by its name.
  func setWeights(of name: String, _ weights: [Float]) {
    let weight = projection(name).weight
    weight.value = Tensor(weight.value.shape, weights)
  }

  /// Everything learned of one population.
  func parameters(
    of population: Int, with arithmetic: any Arithmetic = RealArithmetic()
  ) -> [Parameter] {
    incoming[population].map { projections[$0].weight } + populations[population].parameters
      + arithmetic.parameters(of: population)
  }
}
