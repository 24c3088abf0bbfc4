import Tensors
import TestMathematics
import Testing

@testable import Spiking

@Suite struct SynapticCurrentTests {
  private static func run(
    _ arriving: [Float], leak: [Float], steps: Int, onGrid: Bool = false
  ) -> [Float] {
    synapticCurrent(
      Variable(Tensor([arriving.count], arriving)), leak: Variable(Tensor([leak.count], leak)),
      steps: steps, onGrid: onGrid, on: Tape()
    ).value.elements
  }

  @Test func oneSpikeDecaysOverTheSteps() {
    #expect(Self.run([8, 0, 0, 0], leak: [0.5], steps: 4) == [8, 4, 2, 1])
  }

  @Test func aLeakOfOneAddsUpAndOfZeroKeepsNothing() {
    #expect(Self.run([1, 2, 3], leak: [1], steps: 3) == [1, 3, 6])
    #expect(Self.run([1, 2, 3], leak: [0], steps: 3) == [1, 2, 3])
  }

  @Test func theGridTruncatesTowardZero() {
    // ±7 · 0.5 = ±3.5, ±3 · 0.5 = ±1.5.
    #expect(Self.run([7, 0, 0], leak: [0.5], steps: 3, onGrid: true) == [7, 3, 1])
    #expect(Self.run([-7, 0, 0], leak: [0.5], steps: 3, onGrid: true) == [-7, -3, -1])
  }

  @Test func theGridIsExactAtItsLargestNumbers() {
    // (2^24 − 1) · 255/256 = 16711679.004: a product of 32 bits, beyond a float's 24.
    #expect(
      Self.run([16_777_215, 0], leak: [255 / 256], steps: 2, onGrid: true)
        == [16_777_215, 16_711_679])
  }

  @Test func eachLaneHasItsOwnLeak() {
    // Two samples of two neurons, two steps.
    #expect(
      Self.run([4, 4, 8, 8, 0, 0, 0, 0], leak: [0.5, 0.25], steps: 2)
        == [4, 4, 8, 8, 2, 1, 4, 2])
  }

  @Test func stepByStepIsTheSameAsAllAtOnce() {
    var random = RandomSource(seed: 1)
    let arriving = (0..<12).map { _ in Float(random.uniform(-2...2)) }
    let leak = Variable(Tensor([3], [0.9, 0.5, 0.1]), needsGradient: true)
    let tape = Tape()
    var earlier: Variable?
    var stepped: [Float] = []
    for step in 0..<4 {
      let now = synapticCurrent(
        Variable(Tensor([3], Array(arriving[3 * step..<3 * step + 3]))), after: earlier,
        leak: leak, steps: 1, onGrid: false, on: tape)
      stepped += now.value.elements
      earlier = now
    }
    #expect(stepped == Self.run(arriving, leak: [0.9, 0.5, 0.1], steps: 4))
  }

  @Test(arguments: [false, true]) func gradientsEqualDifferences(stepByStep: Bool) {
    var random = RandomSource(seed: 2)
    let arriving = Tensor.random([4, 2, 2], in: -1...1, using: &random)
    let leak = Tensor.random([2], in: 0.2...0.9, using: &random)
    // Cubic in the leak: a step of 2^-8 errs by 2^-16 of its third derivative.
    let error = gradientError(of: [arriving, leak], step: 1 / 256) { inputs, tape in
      guard stepByStep else {
        return synapticCurrent(inputs[0], leak: inputs[1], steps: 4, onGrid: false, on: tape)
      }
      var currents: [Variable] = []
      for step in 0..<4 {
        currents.append(
          synapticCurrent(
            part(step, of: 4, inputs[0], shape: [2, 2], on: tape), after: currents.last,
            leak: inputs[1], steps: 1, onGrid: false, on: tape))
      }
      return joined(currents, shape: [4, 2, 2], on: tape)
    }
    #expect(error < 1e-4)
  }
}
