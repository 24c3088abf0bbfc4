import Tensors
import TestMathematics
import Testing

@testable import Spiking

/// One neuron's trajectory. All numbers are short binary fractions, hence exact.
struct Trajectory {
  var potentials: [Float]
  var spikes: [Float]

  init(
    _ currents: [Float], threshold: Float = 1, leak: Float = 1, bias: Float? = nil,
    reset: Reset = .subtract, compare: Compare = .greater, range: ClosedRange<Float>? = nil,
    currentScale: Float = 1
  ) {
    let output = lif(
      Variable(Tensor([currents.count, 1, 1], currents)), held: false, steps: currents.count,
      batch: 1, threshold: Variable(Tensor([1], [threshold])), leak: Variable(Tensor([1], [leak])),
      bias: bias.map { Variable(Tensor([1], [$0])) },
      dynamics: LIFDynamics(reset: reset, compare: compare), range: range,
      currentScale: currentScale, on: Tape())
    potentials = output.potentials.elements
    spikes = output.spikes.value.elements
  }
}

@Suite struct LIFForwardTests {
  @Test func subtractResetKeepsTheResidue() {
    let run = Trajectory([0.75, 0.75, 0.75, 0])
    #expect(run.potentials == [0.75, 1.5, 1.25, 0.25])
    #expect(run.spikes == [0, 1, 1, 0])
  }

  @Test func zeroResetForgetsTheResidue() {
    let run = Trajectory([0.75, 0.75, 0.75, 0], reset: .zero)
    #expect(run.potentials == [0.75, 1.5, 0.75, 0.75])
    #expect(run.spikes == [0, 1, 0, 0])
  }

  @Test func aNeuronFiresAtMostOnceAStep() {
    let run = Trajectory([5, 0, 0, 0, 0, 0])
    #expect(run.potentials == [5, 4, 3, 2, 1, 1])
    #expect(run.spikes == [1, 1, 1, 1, 0, 0])
  }

  @Test func equalityFiresOnlyWhereIncluded() {
    #expect(Trajectory([1, 0], compare: .greater).spikes == [0, 0])
    let inclusive = Trajectory([1, 0], compare: .greaterOrEqual)
    #expect(inclusive.spikes == [1, 0])
    #expect(inclusive.potentials == [1, 0])
  }

  @Test func leakActsBeforeTheCurrent() {
    let run = Trajectory([1, 0.5, 0.5, 0], threshold: 1.125, leak: 0.5)
    #expect(run.potentials == [1, 1, 1, 0.5])
    #expect(run.spikes == [0, 0, 0, 0])
  }

  @Test func theResidueLeaks() {
    #expect(Trajectory([1.5, 0, 0], leak: 0.5).potentials == [1.5, 0.25, 0.125])
  }

  @Test func aNeuronWithoutMemoryComparesItsCurrent() {
    #expect(Trajectory([0.75, 1.25, 0.75], leak: 0).potentials == [0.75, 1.25, 0.75])
  }

  @Test func biasArrivesEveryStep() {
    let run = Trajectory([0, 0, 0.25, 0], bias: 0.5)
    #expect(run.potentials == [0.5, 1, 1.75, 1.25])
    #expect(run.spikes == [0, 0, 1, 1])
  }

  @Test func negativeMembranesNeitherFireNorReset() {
    let run = Trajectory([-1, -1, 4], leak: 0.5)
    #expect(run.potentials == [-1, -1.5, 3.25])
    #expect(run.spikes == [0, 0, 1])
  }

  @Test func currentScaleMultipliesTheCurrentAlone() {
    let run = Trajectory([1, 2], threshold: 100, bias: 1, currentScale: 8)
    #expect(run.potentials == [9, 26])
  }

  @Test func aHeldCurrentArrivesEveryStep() {
    func run(_ current: Variable, held: Bool) -> LIFRun {
      lif(
        current, held: held, steps: 3, batch: 2, threshold: Variable(Tensor([1], [1])),
        leak: Variable(Tensor([1], [0.5])), bias: nil, dynamics: LIFDynamics(), on: Tape())
    }
    let row: [Float] = [0.75, -0.5, 1.5, 1, 0.25, 0]
    let held = run(Variable(Tensor([2, 3], row)), held: true)
    let repeated = run(Variable(Tensor([3, 2, 3], row + row + row)), held: false)
    #expect(held.spikes.value == repeated.spikes.value)
    #expect(held.potentials == repeated.potentials)
    #expect(held.potentials.shape == [6, 1, 1, 3])
  }

  @Test func aHeldCurrentIsNotConsumed() {
    let current = Variable(Tensor([1, 2], [3, 4]))
    _ = lif(
      current, held: true, steps: 2, batch: 1, threshold: Variable(Tensor([1], [1])),
      leak: Variable(Tensor([1], [1])), bias: nil, dynamics: LIFDynamics(), on: Tape())
    #expect(current.value.elements == [3, 4])
  }

  @Test func aConsumedCurrentLeavesItsCopiesAlone() {
    let kept = Tensor([1, 1, 2], [3, 4])
    _ = lif(
      Variable(kept), held: false, steps: 1, batch: 1, threshold: Variable(Tensor([1], [1])),
      leak: Variable(Tensor([1], [1])), bias: Variable(Tensor([1], [7])),
      dynamics: LIFDynamics(), on: Tape())
    #expect(kept.elements == [3, 4])
  }

  @Test func parametersByChannelFollowTheLastAxis() {
    // Two samples of 1 × 2 cells with two channels, thresholds 1 and 2.
    let output = lif(
      Variable(Tensor([1, 2, 1, 2, 2], filledWith: 1.5)), held: false, steps: 1, batch: 2,
      threshold: Variable(Tensor([2], [1, 2])), leak: Variable(Tensor([1], [1])), bias: nil,
      dynamics: LIFDynamics(), on: Tape())
    #expect(output.spikes.value.elements == [1, 0, 1, 0, 1, 0, 1, 0])
    #expect(output.rate == 0.5)
  }

  @Test func parametersByNeuronRepeatEverySample() {
    let output = lif(
      Variable(Tensor([1, 2, 1, 2, 2], filledWith: 1.5)), held: false, steps: 1, batch: 2,
      threshold: Variable(Tensor([4], [1, 2, 2, 1])), leak: Variable(Tensor([2], [1, 1])),
      bias: Variable(Tensor([1], [0])), dynamics: LIFDynamics(), on: Tape())
    #expect(output.spikes.value.elements == [1, 0, 0, 1, 1, 0, 0, 1])
  }

  /// Neurons are computed eight by eight and block by block: sizes around both.
  @Test(arguments: [1, 7, 8, 9, 15, 17, 1023, 1024, 1025, 2049], [1, 3])
  func everyNeuronFollowsTheReference(neurons: Int, batch: Int) {
    var random = RandomSource(seed: UInt64(neurons))
    let steps = 3
    let current = Tensor.randomIntegers(
      [steps, batch, neurons], in: -96...192, unit: 0x1p-6, using: &random)
    let threshold = Tensor.randomIntegers([neurons], in: 4...10, unit: 0.125, using: &random)
    let leak = Tensor.randomIntegers([neurons], in: 0...8, unit: 0.125, using: &random)
    let output = lif(
      Variable(current), held: false, steps: steps, batch: batch, threshold: Variable(threshold),
      leak: Variable(leak), bias: nil, dynamics: LIFDynamics(), on: Tape())
    var potentials = [Float](repeating: 0, count: current.count)
    var spikes = potentials
    let (thresholds, leaks, currents) = (threshold.elements, leak.elements, current.elements)
    let row = batch * neurons
    for index in 0..<row {
      let reference = LIFReference(
        threshold: Double(thresholds[index % neurons]), leak: Double(leaks[index % neurons]),
        bias: 0, dynamics: LIFDynamics()
      ).forward((0..<steps).map { Double(currents[$0 * row + index]) })
      for step in 0..<steps {
        potentials[step * row + index] = Float(reference.potentials[step])
        spikes[step * row + index] = Float(reference.spikes[step])
      }
    }
    #expect(output.potentials.elements == potentials)
    #expect(output.spikes.value.elements == spikes)
    #expect(output.rate == spikes.reduce(0, +) / Float(spikes.count))
  }

  @Test func samplesDoNotDependOnEachOther() {
    var random = RandomSource(seed: 1)
    let current = Tensor.randomIntegers([2, 3, 11], in: -50...90, unit: 0x1p-5, using: &random)
    func spikes(_ current: Tensor, batch: Int) -> [Float] {
      lif(
        Variable(current), held: false, steps: 2, batch: batch,
        threshold: Variable(Tensor([1], [1])), leak: Variable(Tensor([1], [0.75])), bias: nil,
        dynamics: LIFDynamics(), on: Tape()
      ).spikes.value.elements
    }
    let together = spikes(current, batch: 3)
    for sample in 0..<3 {
      let positions = (0..<2).flatMap { step in
        (0..<11).map { (step * 3 + sample) * 11 + $0 }
      }
      let alone = spikes(Tensor([2, 1, 11], positions.map { current[$0] }), batch: 1)
      #expect(alone == positions.map { together[$0] }, "sample \(sample)")
    }
  }

  /// Refractory steps lose their input and leave the membrane as it is; a reset to a value and an
  /// initial membrane are where they say.
  @Test func refractoryStepsLoseTheirInput() {
    let output = lif(
      Variable(Tensor([6, 1], [2, 5, 5, 0.5, 3, 1])), held: false, steps: 6, batch: 1,
      threshold: Variable(Tensor([1], [1])), leak: Variable(Tensor([1], [0.5])), bias: nil,
      initial: Variable(Tensor([1], [-1])),
      dynamics: LIFDynamics(reset: .value, resetValue: 0.25, refractorySteps: 2), resetValue: 0.25,
      on: Tape())
    #expect(output.potentials.elements == [1.5, 0.25, 0.25, 0.625, 3.3125, 0.25])
    #expect(output.spikes.value.elements == [1, 0, 0, 0, 1, 0])
  }

  /// Leaks off the grid of 1/256 truncate exactly: 16 bits of membrane times 16 of leak.
  @Test func wideLeaksTruncateExactly() {
    for (membrane, leak) in [(32767, 32767), (-32768, 16385), (12345, 1), (-1, 32767), (3, 21846)] {
      let output = lif(
        Variable(Tensor([2, 1], [Float(membrane), 0])), held: false, steps: 2, batch: 1,
        threshold: Variable(Tensor([1], [32767])),
        leak: Variable(Tensor([1], [Float(leak) / 32768])), bias: nil, dynamics: LIFDynamics(),
        range: -32768...32767, on: Tape())
      #expect(output.potentials.elements == [Float(membrane), Float(membrane * leak / 32768)])
    }
  }

  /// The rules of every pass, step by step as all at once: the same spikes and membranes to the bit.
  @Test(arguments: [Reset.subtract, .zero, .value], [0, 2])
  func stepByStepEqualsAllAtOnce(reset: Reset, refractory: Int) {
    var random = RandomSource(seed: 6)
    let (steps, neurons) = (7, 1030)
    let current = Tensor.random([steps, 2 * neurons], in: -1...2, using: &random)
    let seed = Tensor.random([steps, 2 * neurons], in: -1...1, using: &random)
    let parameters = [0.5...1.5, 0.5...1, -0.1...0.1, -0.5...0.5].map {
      Tensor.random([neurons], in: $0, using: &random)
    }
    func gradients(_ byStep: Bool, _ surrogate: Surrogate) -> [[Float]] {
      let tape = Tape()
      let variables = ([current] + parameters).map { Variable($0, needsGradient: true) }
      let dynamics = LIFDynamics(
        reset: reset, surrogate: surrogate, resetValue: 0.25, refractorySteps: refractory)
      let penalty = ActivityPenalty(strength: 100, targetRate: 0.01)
      let output =
        byStep
        ? lifByStep(
          variables[0], steps: steps, batch: 2, threshold: variables[1], leak: variables[2],
          bias: variables[3], initial: variables[4], dynamics: dynamics, resetValue: 0.25,
          penalty: penalty, on: tape)
        : lif(
          variables[0], held: false, steps: steps, batch: 2, threshold: variables[1],
          leak: variables[2], bias: variables[3], initial: variables[4], dynamics: dynamics,
          resetValue: 0.25, penalty: penalty, on: tape)
      tape.backward(from: output.spikes, seed: seed)
      #expect(output.rate > 0.1)
      return [output.spikes.value.elements, output.potentials.elements]
        + variables.map { $0.gradient?.elements ?? [] }
    }
    for surrogate in [Surrogate.triangular(scale: 0.3), .spikeTime(scale: 0.3, decay: 0.1)] {
      let (once, stepped) = (gradients(false, surrogate), gradients(true, surrogate))
      // All but the parameters' sums, whose order over neurons differs.
      #expect(once[0] == stepped[0] && once[1] == stepped[1] && once[2] == stepped[2])
      for index in 3..<once.count {
        #expect(relativeDifference(once[index], stepped[index]) < 1e-5, "parameter \(index - 3)")
        // Slopes by spike time are 0 before a neuron's first spike, whose reset hides what came before.
        if case .triangular = surrogate { #expect(once[index].contains { $0 != 0 }) }
      }
    }
  }
}
