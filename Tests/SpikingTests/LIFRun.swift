import Tensors
import Wiring

@testable import Spiking

/// What a pass of LIF neurons yields, as ``lif(_:held:steps:batch:threshold:leak:bias:initial:dynamics:resetValue:range:currentScale:penalty:on:)``
/// hands it out.
struct LIFRun {
  var spikes: Variable
  var potentials: Tensor
  var rate: Float
  var saturations: Int
  var penalty: Float
}

/// Runs a population of as many neurons as the current has, all steps at once.
func lif(
  _ current: Variable, held: Bool, steps: Int, batch: Int, threshold: Variable, leak: Variable,
  bias: Variable?, initial: Variable? = nil, dynamics: LIFDynamics, resetValue: Float = 0,
  range: ClosedRange<Float>? = nil, currentScale: Float = 1, penalty: ActivityPenalty? = nil,
  on tape: Tape
) -> LIFRun {
  let pass = lifPass(
    current, held: held, steps: steps, batch: batch, threshold: threshold, leak: leak, bias: bias,
    initial: initial, dynamics: dynamics, resetValue: resetValue, range: range,
    currentScale: currentScale, penalty: penalty, consuming: !held, on: tape)
  let spikes = pass.run(current)
  return LIFRun(
    spikes: spikes, potentials: pass.potentials, rate: pass.rate, saturations: pass.saturations,
    penalty: pass.penalty)
}

/// The same neurons step by step, as where they hear themselves.
func lifByStep(
  _ current: Variable, steps: Int, batch: Int, threshold: Variable, leak: Variable,
  bias: Variable?, initial: Variable? = nil, dynamics: LIFDynamics, resetValue: Float = 0,
  range: ClosedRange<Float>? = nil, penalty: ActivityPenalty? = nil, on tape: Tape
) -> LIFRun {
  let pass = lifPass(
    current, held: false, steps: steps, batch: batch, threshold: threshold, leak: leak,
    bias: bias, initial: initial, dynamics: dynamics, resetValue: resetValue, range: range,
    currentScale: 1, penalty: penalty, consuming: false, on: tape)
  pass.begin()
  let row = [current.value.count / steps]
  let parts = (0..<steps).map {
    pass.step($0, part($0, of: steps, current, shape: row, on: tape))
  }
  let spikes = joined(parts, shape: current.shape, on: tape)
  return LIFRun(
    spikes: spikes, potentials: pass.potentials, rate: pass.rate, saturations: pass.saturations,
    penalty: pass.penalty)
}

private func lifPass(
  _ current: Variable, held: Bool, steps: Int, batch: Int, threshold: Variable, leak: Variable,
  bias: Variable?, initial: Variable?, dynamics: LIFDynamics, resetValue: Float,
  range: ClosedRange<Float>?, currentScale: Float, penalty: ActivityPenalty?, consuming: Bool,
  on tape: Tape
) -> LIFPass {
  let neurons = current.value.count / (held ? 1 : steps) / batch
  return LIFPass(
    Population(name: "test", shape: Shape(channels: neurons), neuron: .lif(dynamics)), dynamics,
    PopulationNumbers(
      threshold: threshold, leak: leak, bias: bias, initial: initial, resetValue: resetValue,
      range: range), steps: steps, batch: batch, held: held, scale: currentScale,
    onGrid: range != nil, current: consuming ? current.consumeValue() : nil,
    inputs: current.needsGradient, penalty: penalty, on: tape)
}
