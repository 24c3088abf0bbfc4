import Tensors
import Testing
import Wiring

@testable import Spiking

/// Asks for the parameters in its own order, one of them twice, its own first, the leaks not at all.
private final class WilfulArithmetic: Arithmetic {
  let steps: [Parameter]

  init(_ network: Network) {
    steps = network.populations.map {
      Parameter("\($0.name).step", role: .step, value: Tensor([1], [1]))
    }
  }

  func parameters(of population: Int) -> [Parameter] { [steps[population]] }

  func numbers(
    of network: Network, on tape: Tape, variable: (Parameter) -> Variable
  ) -> Numbers {
    for step in steps.reversed() { _ = variable(step) }
    let populations = network.populations.reversed().map { population in
      _ = population.threshold.map(variable)
      return PopulationNumbers(
        threshold: population.threshold.map(variable),
        leak: population.leak.map { Variable($0.value) }, bias: nil, initial: nil)
    }
    return Numbers(
      populations: populations.reversed(),
      projections: network.projections.map { ProjectionNumbers(weight: variable($0.weight)) },
      isOnGrid: false)
  }
}

@Suite struct NetworkParametersTests {
  private func network() throws -> Network {
    try Network(
      name: "test", architecture: Architecture("3C3-5-2"),
      input: .events(Shape(channels: 1, height: 4, width: 4)), classes: 2, steps: 2,
      neurons: NeuronConfiguration(), random: RandomSource(seed: 1))
  }

  @Test func leavesStandInTheOrderOfTheParameters() throws {
    let network = try network()
    #expect(
      network.prepare(on: Tape()).leaves.map(\.parameter.name) == network.parameters.map(\.name))
  }

  /// Gradients are matched to parameters by position; a replacement of numbers once moved them.
  @Test func anArithmeticCannotMoveTheLeaves() throws {
    let network = try network()
    let arithmetic = WilfulArithmetic(network)
    #expect(
      network.prepare(with: arithmetic, on: Tape()).leaves.map(\.parameter.name)
        == network.parameters(with: arithmetic).map(\.name))
    #expect(network.parameters(with: arithmetic).last?.name == "readout.step")
  }

  @Test func aShardsGradientsArriveAtTheLeaves() throws {
    let network = try network()
    let prepared = network.prepare(on: Tape())
    let shard = prepared.shard()
    let tape = Tape()
    let output = shard.forward([Tensor([2, 3, 4, 4, 1], filledWith: 1)], batch: 3, on: tape)
    tape.backward(from: try #require(output.membranes))
    #expect(prepared.leaves.allSatisfy { $0.variable.gradient == nil })
    prepared.accumulate(shard.takeGradients())
    #expect(
      prepared.leaves.allSatisfy { $0.variable.gradient?.count == $0.parameter.value.count })
  }
}
