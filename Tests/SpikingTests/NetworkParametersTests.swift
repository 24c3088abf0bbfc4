import Tensors
import Testing
import Wiring

@testable import Spiking

/// Asks for the layer's parameters in its own order, one of them twice, its own first, the leak not at all.
private final class WilfulHook: LayerHook {
  let step = Parameter("hook.step", role: .step, value: Tensor([1], [1]))
  var parameters: [Parameter] { [step] }

  func arithmetic(
    of layer: Layer, on tape: Tape, parameter: (Parameter) -> Variable
  ) -> LayerArithmetic {
    _ = parameter(step)
    let threshold = layer.threshold.map(parameter)
    _ = layer.threshold.map(parameter)
    return LayerArithmetic(
      weight: parameter(layer.weight), threshold: threshold,
      leak: layer.leak.map { Variable($0.value) }, bias: nil, grid: nil)
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

  /// Gradients are matched to parameters by position; a hook once moved them.
  @Test func aHookCannotMoveTheLeaves() throws {
    let network = try network()
    network.layers[0].hook = WilfulHook()
    #expect(
      network.prepare(on: Tape()).leaves.map(\.parameter.name) == network.parameters.map(\.name))
  }

  @Test func aShardsGradientsArriveAtTheLeaves() throws {
    let network = try network()
    let prepared = network.prepare(on: Tape())
    let shard = prepared.shard()
    let tape = Tape()
    let output = shard.forward(Tensor([2, 3, 4, 4, 1], filledWith: 1), batch: 3, on: tape)
    tape.backward(from: try #require(output.membranes))
    #expect(prepared.leaves.allSatisfy { $0.variable.gradient == nil })
    prepared.accumulate(shard.takeGradients())
    #expect(
      prepared.leaves.allSatisfy { $0.variable.gradient?.count == $0.parameter.value.count })
  }
}
