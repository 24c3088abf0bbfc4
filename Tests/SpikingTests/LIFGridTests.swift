import Tensors
import TestMathematics
import Testing

@testable import Spiking

/// The integer grid of models/FORMAT.md, section 4: equality, never a tolerance.
@Suite struct LIFGridTests {
  private static let range: ClosedRange<Float> = -32768...32767

  @Test func leakTruncatesTowardZero() {
    let down = Trajectory([7, 0, 0, 0], threshold: 100, leak: 0.5, range: Self.range)
    #expect(down.potentials == [7, 3, 1, 0])
    let up = Trajectory([-7, 0, 0, 0], threshold: 100, leak: 0.5, range: Self.range)
    #expect(up.potentials == [-7, -3, -1, 0])
  }

  @Test func currentsBeyondTheRangeAreClampedBeforeTheComparison() {
    let run = Trajectory([50_000, 0, -90_000], threshold: 32_767, range: Self.range)
    #expect(run.potentials == [32_767, 32_767, -32_768])
    #expect(run.spikes == [0, 0, 0])
    let inclusive = Trajectory(
      [50_000, 0], threshold: 32_767, compare: .greaterOrEqual, range: Self.range)
    #expect(inclusive.spikes == [1, 0])
    #expect(inclusive.potentials == [32_767, 0])
  }

  @Test func aNarrowRangeIsRespected() {
    #expect(Trajectory([9, -30], threshold: 100, range: -10...5).potentials == [5, -10])
  }

  @Test func currentScaleIsAppliedBeforeTheClamp() {
    let run = Trajectory([3, -5000], threshold: 25, range: Self.range, currentScale: 8)
    #expect(run.potentials == [24, -32_768])
  }

  /// Every membrane times every leak of a sweep: 0, 1, odd ones, around halves and whole.
  @Test(arguments: [0, 1, 2, 3, 7, 64, 85, 127, 128, 129, 171, 192, 231, 254, 255, 256])
  func everyMembraneDecaysAsAnInteger(leak: Int) {
    let membranes = Array(-32768...32767)
    // The threshold lies above the range: no neuron fires.
    let output = lif(
      Variable(Tensor([2, 1, 65_536], membranes.map(Float.init) + membranes.map { _ in 0 })),
      held: false, steps: 2, batch: 1, threshold: Variable(Tensor([1], [40_000])),
      leak: Variable(Tensor([1], [Float(leak) / 256])), bias: nil, dynamics: LIFDynamics(),
      range: Self.range, on: Tape())
    let found = output.potentials.elements[65_536...].map { Int($0) }
    // Swift's integer division rounds toward zero; leaks in a model file are multiples of 2^−15.
    let expected = membranes.map { $0 * (leak << 7) / (1 << 15) }
    let failing = zip(membranes, zip(found, expected)).first { $1.0 != $1.1 }
    #expect(failing == nil, "membrane, (found, expected)")
  }

  /// Random neurons against Int arithmetic, all options, currents that reach both ends of the range.
  @Test(arguments: [Reset.subtract, .zero], [Compare.greater, .greaterOrEqual])
  func trajectoriesEqualIntegerArithmetic(reset: Reset, compare: Compare) {
    var random = RandomSource(seed: 9)
    let (steps, neurons) = (6, 501)
    let current = Tensor.randomIntegers([steps, 1, neurons], in: -4000...5000, using: &random)
    let threshold = Tensor.randomIntegers([neurons], in: 1...30_000, using: &random)
    let leak = Tensor.randomIntegers([neurons], in: 0...256, unit: 0x1p-8, using: &random)
    let bias = Tensor.randomIntegers([neurons], in: -300...300, using: &random)
    let output = lif(
      Variable(current), held: false, steps: steps, batch: 1, threshold: Variable(threshold),
      leak: Variable(leak), bias: Variable(bias),
      dynamics: LIFDynamics(reset: reset, compare: compare), range: Self.range, currentScale: 4,
      on: Tape())
    let (potentials, spikes) = (output.potentials.elements, output.spikes.value.elements)
    for neuron in 0..<neurons {
      let theta = Int(threshold[neuron])
      var v = 0
      for step in 0..<steps {
        v = v * Int(leak[neuron] * 32_768) / 32_768
        v += Int(current[step * neurons + neuron]) * 4 + Int(bias[neuron])
        v = min(max(v, -32_768), 32_767)
        let fires = compare == .greater ? v > theta : v >= theta
        let place = step * neurons + neuron
        guard Int(potentials[place]) == v, spikes[place] == (fires ? 1 : 0) else {
          Issue.record("step \(step), neuron \(neuron): \(potentials[place]), expected \(v)")
          return
        }
        if fires { v = reset == .subtract ? v - theta : 0 }
      }
    }
  }

  @Test func aClampedMembranePassesNoGradientToItsCurrent() {
    let tape = Tape()
    let current = Variable(Tensor([1, 1, 3], [40_000, 20_000, -40_000]), needsGradient: true)
    let output = lif(
      current, held: false, steps: 1, batch: 1, threshold: Variable(Tensor([1], [20_000])),
      leak: Variable(Tensor([1], [1])), bias: nil,
      dynamics: LIFDynamics(surrogate: .fastSigmoid(sharpness: 1)), range: Self.range, on: tape)
    tape.backward(from: output.spikes)
    // At the threshold z = 0 and the slope is 1, of V over 20 000: two roundings.
    #expect(relativeDifference(current.gradient?.elements ?? [], [0, 1.0 / 20_000, 0]) < 1e-6)
  }

  @Test func gradientsOfTheCurrentCarryItsScale() {
    func gradient(scale: Float, current: Float) -> Float? {
      let tape = Tape()
      let variable = Variable(Tensor([1, 1, 1], [current]), needsGradient: true)
      let output = lif(
        variable, held: false, steps: 1, batch: 1, threshold: Variable(Tensor([1], [100])),
        leak: Variable(Tensor([1], [1])), bias: nil, dynamics: LIFDynamics(), range: Self.range,
        currentScale: scale, on: tape)
      tape.backward(from: output.spikes)
      return variable.gradient?[0]
    }
    #expect(gradient(scale: 8, current: 10) == gradient(scale: 1, current: 80).map { $0 * 8 })
  }

  /// Without a leak nothing is truncated; the backward pass must not notice a grid that nothing clamps.
  @Test func gradientsOnTheGridAreThoseOfRealNumbers() {
    var random = RandomSource(seed: 5)
    let current = Tensor.randomIntegers([4, 2, 13], in: -40...90, using: &random)
    let seed = Tensor.random([4, 2, 13], in: -1...1, using: &random)
    func gradients(_ range: ClosedRange<Float>?) -> [Tensor?] {
      let tape = Tape()
      let variables = [current, Tensor([13], filledWith: 60), Tensor([1], [1])].map {
        Variable($0, needsGradient: true)
      }
      let output = lif(
        variables[0], held: false, steps: 4, batch: 2, threshold: variables[1],
        leak: variables[2], bias: nil, dynamics: LIFDynamics(), range: range, on: tape)
      tape.backward(from: output.spikes, seed: seed)
      return variables.map(\.gradient)
    }
    #expect(gradients(Self.range) == gradients(nil))
  }
}
