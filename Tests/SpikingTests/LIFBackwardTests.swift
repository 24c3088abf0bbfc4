import Tensors
import TestMathematics
import Testing
import Wiring

@testable import Spiking

@Suite struct LIFBackwardTests {
  static let surrogates: [Surrogate] = [
    .triangular(scale: 0.3), .arctan(sharpness: 2), .fastSigmoid(sharpness: 10),
    .rectangular(scale: 0.5, halfWidth: 0.37), .spikeTime(scale: 0.3, decay: 0.25),
  ]

  /// One population's shape and which of its neurons share parameters.
  struct Population: CustomTestStringConvertible {
    var shape = Shape(channels: 5, height: 2, width: 2)
    var batch = 3
    var steps = 5
    var threshold = Granularity.channel
    var leak = Granularity.channel
    var bias: Granularity?
    var held = false
    var penalty: ActivityPenalty?
    var dynamics = LIFDynamics()

    var testDescription: String {
      "\(dynamics), θ by \(threshold), λ by \(leak), held \(held), batch \(batch)"
    }
  }

  /// The worst relative difference of any gradient from the reference's.
  private func error(_ p: Population, seed: UInt64) -> Double {
    var random = RandomSource(seed: seed)
    // Short binary fractions: float and double see the same membranes, some exactly at the threshold.
    let row = p.batch * p.shape.count
    let extents = [p.batch, p.shape.height, p.shape.width, p.shape.channels]
    let current = Tensor.randomIntegers(
      p.held ? extents : [p.steps] + extents, in: -16...32, unit: 0x1p-5, using: &random)
    func parameter(_ granularity: Granularity, _ range: ClosedRange<Int>) -> Tensor {
      .randomIntegers([granularity.count(in: p.shape)], in: range, unit: 0.125, using: &random)
    }
    let threshold = parameter(p.threshold, 4...9)
    let leak = parameter(p.leak, 0...8)
    let bias = p.bias.map { parameter($0, -1...2) }

    let tape = Tape()
    let variables = [current, threshold, leak].map { Variable($0, needsGradient: true) }
    let biasVariable = bias.map { Variable($0, needsGradient: true) }
    let output = lif(
      variables[0], held: p.held, steps: p.steps, batch: p.batch, threshold: variables[1],
      leak: variables[2], bias: biasVariable, dynamics: p.dynamics, penalty: p.penalty, on: tape)
    let seeds = Tensor.random([p.steps] + extents, in: -1...1, using: &random)
    tape.backward(from: output.spikes, seed: seeds)

    // 2·strength·(rate − target) for every spike's share of the mean.
    var offset = 0.0
    if let penalty = p.penalty {
      let rate = output.spikes.value.sum / Double(output.spikes.value.count)
      offset =
        2 * Double(penalty.strength) * max(0, rate - Double(penalty.targetRate))
        / Double(output.spikes.value.count)
    }
    var expectedCurrent = [Double](repeating: 0, count: current.count)
    var expectedThreshold = [Double](repeating: 0, count: threshold.count)
    var expectedLeak = [Double](repeating: 0, count: leak.count)
    var expectedBias = [Double](repeating: 0, count: bias?.count ?? 0)
    // A parameter's gradient may cancel to nearly nothing: its rounding is relative to its terms.
    var (thresholdTerms, leakTerms, biasTerms) = (0.0, 0.0, 0.0)
    for index in 0..<row {
      // Channels are the last axis, so position mod count finds the parameter of every granularity.
      let neuron = index % p.shape.count
      let reference = LIFReference(
        threshold: Double(threshold[neuron % threshold.count]),
        leak: Double(leak[neuron % leak.count]),
        bias: bias.map { Double($0[neuron % $0.count]) } ?? 0, dynamics: p.dynamics)
      let trajectory = reference.forward(
        (0..<p.steps).map { Double(current[p.held ? index : $0 * row + index]) })
      let gradients = reference.backward(
        trajectory, spikeGradients: (0..<p.steps).map { Double(seeds[$0 * row + index]) + offset })
      for step in 0..<p.steps {
        expectedCurrent[p.held ? index : step * row + index] += gradients.currents[step]
      }
      expectedThreshold[neuron % threshold.count] += gradients.threshold
      expectedLeak[neuron % leak.count] += gradients.leak
      if let bias { expectedBias[neuron % bias.count] += gradients.bias }
      thresholdTerms += gradients.threshold.magnitude / Double(threshold.count)
      leakTerms += gradients.leak.magnitude / Double(leak.count)
      biasTerms += gradients.bias.magnitude / Double(bias?.count ?? 1)
    }
    func elements(_ variable: Variable?) -> [Float] { variable?.gradient?.elements ?? [] }
    return max(
      relativeDifference(elements(variables[0]), expectedCurrent),
      relativeDifference(elements(variables[1]), expectedThreshold, unit: thresholdTerms),
      relativeDifference(elements(variables[2]), expectedLeak, unit: leakTerms),
      relativeDifference(elements(biasVariable), expectedBias, unit: biasTerms))
  }

  /// Sums over at most 60 neurons and 5 steps of a handful of factors, and a fast sigmoid of sharpness
  /// 10 that multiplies the rounding of z by 20: some hundred roundings of 6e-8 at the worst.
  private static let tolerance = 1e-5

  @Test(arguments: surrogates, [Reset.subtract, .zero])
  func everyGranularityFollowsTheReference(surrogate: Surrogate, reset: Reset) {
    for compare in [Compare.greater, .greaterOrEqual] {
      for held in [false, true] {
        for threshold in Granularity.allCases {
          for leak in Granularity.allCases {
            var population = Population(threshold: threshold, leak: leak, held: held)
            population.bias = threshold == leak ? .channel : nil
            population.dynamics = LIFDynamics(
              reset: reset, compare: compare, surrogate: surrogate)
            let error = error(population, seed: 11)
            #expect(error < Self.tolerance, "\(population.testDescription)")
          }
        }
      }
    }
  }

  /// More neurons than a block of the kernels, in blocks that do not end at a multiple of eight. With the
  /// penalty even a neuron beyond a block's end would have a gradient.
  @Test(arguments: surrogates)
  func blocksFollowTheReference(surrogate: Surrogate) {
    for threshold in Granularity.allCases {
      var population = Population(batch: 60, steps: 3, threshold: threshold, bias: .layer)
      population.dynamics = LIFDynamics(surrogate: surrogate)
      population.penalty = ActivityPenalty(strength: 5000, targetRate: 0)
      // 1200 neurons share a parameter: rounding grows with the number of terms.
      #expect(error(population, seed: 12) < 2e-5, "\(population.testDescription)")
    }
  }

  @Test(arguments: [Reset.subtract, .zero], [Float(0), 0.2, 0.99])
  func thePenaltyIsAddedToEverySpikesGradient(reset: Reset, targetRate: Float) {
    var population = Population()
    population.penalty = ActivityPenalty(strength: 50, targetRate: targetRate)
    population.dynamics = LIFDynamics(reset: reset)
    #expect(error(population, seed: 13) < Self.tolerance)
  }

  @Test func thePenaltyIsTheSquareOfTheExcess() {
    func penalty(_ target: Float) -> Float {
      lif(
        Variable(Tensor([1, 1, 4], [2, 2, 2, 0])), held: false, steps: 1, batch: 1,
        threshold: Variable(Tensor([1], [1])), leak: Variable(Tensor([1], [1])), bias: nil,
        dynamics: LIFDynamics(), penalty: ActivityPenalty(strength: 8, targetRate: target),
        on: Tape()
      ).penalty
    }
    #expect(penalty(0.25) == 8 * 0.5 * 0.5)
    #expect(penalty(0.75) == 0)
    #expect(penalty(1) == 0)
  }

  /// Two steps by hand: θ = 1, λ = ½, currents 1.5 and 0.5, so V̄ = 1.5 and 0.75, s = 1 and 0.
  @Test func twoStepsByHand() {
    let tape = Tape()
    let current = Variable(Tensor([2, 1, 1], [1.5, 0.5]), needsGradient: true)
    let threshold = Variable(Tensor([1], [1]), needsGradient: true)
    let leak = Variable(Tensor([1], [0.5]), needsGradient: true)
    let output = lif(
      current, held: false, steps: 2, batch: 1, threshold: threshold, leak: leak, bias: nil,
      dynamics: LIFDynamics(surrogate: .triangular(scale: 1)), on: tape)
    tape.backward(from: output.spikes)
    // Slopes ½ and ¾. g₁ = ¾, g₀ = λ·g₁ + ½ = ⅞.
    #expect(current.gradient?.elements == [0.875, 0.75])
    // V before the second step is ½: ∂λ = ¾·½.
    #expect(leak.gradient?.elements == [0.375])
    // −½·1.5 − s₀·λ·g₁ − ¾·¾.
    #expect(threshold.gradient?.elements == [-0.75 - 0.375 - 0.5625])
  }

  @Test func aLaterStepDoesNotReachAnEarlierOneWithoutMemory() {
    let tape = Tape()
    let current = Variable(Tensor([3, 1, 1], [0.5, 0.5, 0.5]), needsGradient: true)
    let output = lif(
      current, held: false, steps: 3, batch: 1, threshold: Variable(Tensor([1], [1])),
      leak: Variable(Tensor([1], [0])), bias: nil, dynamics: LIFDynamics(), on: tape)
    tape.backward(from: output.spikes, seed: Tensor([3, 1, 1], [0, 0, 1]))
    #expect(current.gradient?.elements.prefix(2) == [0, 0])
    #expect((current.gradient?[2] ?? 0) > 0)
  }

  @Test func gradientsAreLinearInTheSpikesGradient() {
    func gradient(_ seed: [Float]) -> [Float] {
      let tape = Tape()
      let current = Variable(Tensor([4, 1, 1], [0.5, 1, 0.25, 0.75]), needsGradient: true)
      let output = lif(
        current, held: false, steps: 4, batch: 1, threshold: Variable(Tensor([1], [1])),
        leak: Variable(Tensor([1], [0.5])), bias: nil,
        dynamics: LIFDynamics(surrogate: .triangular(scale: 0.5)), on: tape)
      tape.backward(from: output.spikes, seed: Tensor([4, 1, 1], seed))
      return current.gradient?.elements ?? []
    }
    let sum = zip(gradient([1, 0, 2, 0]), gradient([0, 4, 0, -1])).map { 2 * $0 + $1 }
    #expect(gradient([2, 4, 4, -1]) == sum)
  }

  /// Without readers of its spikes a population once lost the gradient of its own penalty.
  @Test func aPenaltyNeedsNoReaderOfTheSpikes() {
    let tape = Tape()
    let current = Variable(Tensor([2, 1], [3, 3]), needsGradient: true)
    let threshold = Variable(Tensor([1], [2]), needsGradient: true)
    let output = lif(
      current, held: false, steps: 2, batch: 1, threshold: threshold,
      leak: Variable(Tensor([1], [1])), bias: nil,
      dynamics: LIFDynamics(surrogate: .triangular(scale: 1)),
      penalty: ActivityPenalty(strength: 1, targetRate: 0.5), on: tape)
    #expect(output.rate == 1 && output.penalty == 0.25)
    tape.replay()
    // V = 3, then 4: slopes 1/2 and 0; each spike costs 2·(1 − 0.5)/2, over a threshold of 2.
    #expect(current.gradient?.elements == [0.125, 0])
    #expect(threshold.gradient?.elements == [-0.1875])
  }
}
