import Spiking
import Tensors
import TestMathematics
import Testing
import Wiring

@testable import ModelCompression

/// Networks on the integer grid.
@Suite struct QuantizedArithmeticTests {
  private func network(
    _ architecture: String = "3C3-P2-5-3", values: Bool = false, steps: Int = 4,
    neurons: NeuronConfiguration = NeuronConfiguration(threshold: 0.7, leak: 0.8, bias: true),
    seed: UInt64 = 1
  ) throws -> Network {
    let shape = Shape(channels: 2, height: 4, width: 4)
    let network = try Network(
      name: "test", architecture: Architecture(architecture),
      input: values ? .bytes(shape, scale: 1 / 256) : .events(shape), classes: 3, steps: steps,
      neurons: neurons, random: RandomSource(seed: seed))
    var random = RandomSource(seed: seed)
    for population in network.populations {
      guard let bias = population.bias else { continue }
      bias.value = Tensor.random(bias.value.shape, in: -0.2...0.3, using: &random)
    }
    return network
  }

  /// Three samples for a network.
  private func input(for network: Network, seed: UInt64 = 7) -> Tensor {
    var random = RandomSource(seed: seed)
    return network.ports[0].scale == nil
      ? Tensor.randomIntegers([network.steps, 3, 4, 4, 2], in: 0...1, using: &random)
      : Tensor.randomIntegers([3, 4, 4, 2], in: 0...255, using: &random)
  }

  /// What a recorded pass over those samples yields.
  private struct Pass {
    var rates: [Float]
    /// By spiking population.
    var spikes: [Tensor] = []
    var potentials: [Tensor] = []
    var readout: [Double] = []

    init(_ output: NetworkOutput) {
      rates = output.rates
      for (_, record) in output.records.sorted(by: { $0.key < $1.key }) {
        switch record {
        case .spiking(let spikes, let potentials):
          self.spikes.append(spikes)
          self.potentials.append(potentials)
        case .readout(let membranes): readout = membranes
        }
      }
    }
  }

  private func forward(
    _ network: Network, with arithmetic: any Arithmetic = RealArithmetic()
  ) -> Pass {
    var options = ForwardOptions()
    options.records = true
    return Pass(
      network.prepare(with: arithmetic, on: Tape()).forward(
        [input(for: network)], batch: 3, options, on: Tape()))
  }

  private func isWhole(_ tensor: Tensor) -> Bool {
    tensor.elements.allSatisfy { $0 == $0.rounded() && abs($0) < 0x1p24 }
  }

  // MARK: Integers

  @Test(arguments: [false, true], [2, 4, 8])
  func everythingOnTheGridIsAnInteger(values: Bool, width: Int) throws {
    let bits = try #require(WeightBits(rawValue: width))
    let network = try network(values: values)
    let arithmetic = try QuantizedArithmetic(network) { _ in bits }
    let numbers = network.prepare(with: arithmetic, on: Tape()).numbers
    #expect(numbers.isOnGrid)
    for (numbers, projection) in zip(numbers.projections, network.projections) {
      #expect(isWhole(numbers.weight.value), "\(projection.name)")
      #expect(numbers.weight.value.elements.allSatisfy { abs($0) <= Float(bits.limit) })
    }
    for (numbers, population) in zip(numbers.populations, network.populations)
    where !population.isReadout {
      let threshold = try #require(numbers.threshold).value
      #expect(isWhole(threshold) && threshold.elements.allSatisfy { (1...32767).contains($0) })
      #expect(isWhole(try #require(numbers.bias).value))
      #expect(isWhole(try #require(numbers.leak).value.map { $0 * 256 }))
    }
    let output = forward(network, with: arithmetic)
    #expect(output.potentials.count == 2 && output.readout.count == 4 * 3 * 3)
    for potentials in output.potentials { #expect(isWhole(potentials)) }
    #expect(output.readout.allSatisfy { $0 == $0.rounded() && abs($0) < 0x1p24 })
    #expect(output.spikes.contains { $0.sum > 0 })
  }

  @Test func theQuantisedNetworkIsCloseToTheRealOne() throws {
    let network = try network(values: true)
    let real = forward(network)
    let whole = forward(network, with: try QuantizedArithmetic(network) { _ in .eight })
    // Rates of 3 · 4 · (48 + 5) spikes: a few of them move by a step at 8 bits.
    for (a, b) in zip(real.rates, whole.rates) { #expect(abs(a - b) < 0.1) }
  }

  // MARK: Units

  @Test func unitsTellSpikesFromValues() throws {
    for values in [false, true] {
      let network = try network(values: values)
      let arithmetic = try QuantizedArithmetic(network) { _ in .four }
      let numbers = network.prepare(with: arithmetic, on: Tape()).numbers
      for index in network.populations.indices {
        let scale = Float(1 << arithmetic.choices[index].shift)
        let factor = values && index == 0 ? scale / 256 : 1 / scale
        let unit = arithmetic.steps[index].value.elements.map { $0 * factor }
        #expect(arithmetic.unit(of: index) == unit)
        #expect(numbers.populations[index].unit == unit)
        #expect(numbers.projections[index].shift == arithmetic.choices[index].shift)
      }
    }
  }

  @Test func stepsAreByChannelAndOneForAReadout() throws {
    let network = try network()
    let arithmetic = try QuantizedArithmetic(network) {
      $0.target == network.readout ? .eight : .ternary
    }
    #expect(arithmetic.steps.map(\.value.count) == [3, 5, 1])
    #expect(arithmetic.bits == [.ternary, .ternary, .eight])
    #expect(
      network.parameters(with: arithmetic).filter { $0.role == .step }.map(\.name)
        == ["conv1.step", "dense2.step", "readout.step"])
  }

  @Test func stepsNeverReachZero() throws {
    let network = try network()
    let step = try QuantizedArithmetic(network, bits: { _ in .four }).steps[0]
    let leastStep = QuantizedArithmetic.leastStep
    step.value = Tensor([3], [-1, 0, 0.5])
    step.enforceConstraints()
    #expect(step.value.elements == [leastStep, leastStep, 0.5])
  }

  @Test func thresholdsBelowOneUnitAreOneUnit() throws {
    let network = try network()
    let arithmetic = try QuantizedArithmetic(network) { _ in .four }
    network.populations[0].threshold?.value.apply { _ in 1e-9 }
    network.populations[0].bias?.value.apply { _ in -1e9 }
    let numbers = network.prepare(with: arithmetic, on: Tape()).numbers.populations[0]
    #expect(numbers.threshold?.value.elements == [1, 1, 1])
    #expect(numbers.bias?.value.elements == [-32767, -32767, -32767])
  }

  // MARK: Laws

  /// A unit of measure: weights, thresholds, biases and steps of a layer times 2^k are the same
  /// integers.
  @Test(arguments: [-3, 1, 5], [false, true])
  func aLayersScaleChangesNoSpike(exponent: Int, values: Bool) throws {
    let factor = exponent < 0 ? 1 / Float(1 << -exponent) : Float(1 << exponent)
    let network = try network(values: values)
    let arithmetic = try QuantizedArithmetic(network) { _ in .four }
    let before = forward(network, with: arithmetic)
    for population in network.spiking {
      for parameter in network.parameters(of: population, with: arithmetic)
      where parameter.role != .leak {
        parameter.value.apply { $0 * factor }
      }
    }
    let after = forward(network, with: arithmetic)
    #expect(before.spikes == after.spikes && before.potentials == after.potentials)
    #expect(before.readout == after.readout)
    #expect(before.spikes.count == 2 && !before.readout.isEmpty)
  }

  /// The grid a float network would choose scales with it.
  @Test func aScaledNetworkTakesTheSameGrid() throws {
    let (one, other) = (try network(), try network())
    for parameter in other.parameters where parameter.role != .leak {
      parameter.value.apply { $0 * 16 }
    }
    let (small, large) = (
      try QuantizedArithmetic(one) { _ in .eight }, try QuantizedArithmetic(other) { _ in .eight }
    )
    #expect(small.namedChoices == large.namedChoices)
    #expect(small.steps.count == 3 && large.steps.count == 3)
    for (a, b) in zip(small.steps, large.steps) { #expect(a.value.map { $0 * 16 } == b.value) }
  }

  // MARK: Gradients

  private struct Gradients {
    var spikes: [Tensor]
    var byName: [String: Tensor] = [:]
  }

  private func gradients(
    _ network: Network, with arithmetic: any Arithmetic = RealArithmetic(), _ input: Tensor,
    seed: Tensor
  ) throws -> Gradients {
    let tape = Tape()
    let prepared = network.prepare(with: arithmetic, on: tape)
    var options = ForwardOptions()
    options.records = true
    let output = prepared.forward([input], batch: 3, options, on: tape)
    tape.backward(from: try #require(output.membranes), seed: seed)
    var result = Gradients(spikes: Pass(output).spikes)
    for leaf in prepared.leaves { result.byName[leaf.parameter.name] = leaf.variable.gradient }
    return result
  }

  /// Where weights, thresholds and biases lie on the grid, nothing leaks and nothing clamps, both
  /// networks compute the same numbers in different units.
  @Test(
    arguments: [Granularity.layer, .channel, .neuron],
    [(false, Reset.subtract), (true, .subtract), (false, .zero)])
  func gradientsOnTheGridAreThoseOfTheRealNetwork(
    granularity: Granularity, kind: (values: Bool, reset: Reset)
  ) throws {
    let network = try network(
      values: kind.values,
      neurons: NeuronConfiguration(
        dynamics: LIFDynamics(reset: kind.reset, surrogate: .arctan(sharpness: 2)),
        thresholdGranularity: granularity, threshold: 1, leak: 1, bias: true))
    // Steps of 2^-4 and 2^-3 by channel; 2^-4 for the read-out.
    func step(_ channel: Int, _ population: Population) -> Float {
      !population.isReadout && channel % 2 == 1 ? 0.125 : 0.0625
    }
    func snap(_ parameter: Spiking.Parameter?, to unit: Float) {
      parameter?.value.apply { max(-1.5, min(1.5, ($0 / unit).rounded() * unit)) }
    }
    var random = RandomSource(seed: 5)
    for (population, projection) in zip(network.populations, network.projections) {
      snap(projection.weight, to: 0.125)
      if let threshold = population.threshold {
        threshold.value = Tensor.random(threshold.value.shape, in: 0.5...1.5, using: &random)
      }
      snap(population.threshold, to: 0.125)
      snap(population.bias, to: 0.125)
    }
    var image = input(for: network)
    // Multiples of 2^5 survive a right shift of 1 without rounding.
    if kind.values { image = image.map { ($0 / 32).rounded(.down) * 32 } }
    let seed = Tensor.random([network.steps, 3, 3], in: -1...1, using: &random)
    let real = try gradients(network, image, seed: seed)
    let arithmetic = try QuantizedArithmetic(network) { _ in .eight }
    var choices: [String: GridChoice] = [:]
    for (population, steps) in zip(network.populations, arithmetic.steps) {
      let shift = population.isReadout ? 0 : kind.values && population.name == "conv1" ? 1 : 2
      choices[population.name] = GridChoice(shift: shift, floor: -32768, ceiling: 32767)
      for channel in 0..<steps.value.count { steps.value[channel] = step(channel, population) }
    }
    try arithmetic.restore(choices)
    let whole = try gradients(network, with: arithmetic, image, seed: seed)
    #expect(real.spikes == whole.spikes && real.spikes[1].sum > 0)
    for parameter in network.parameters {
      let found = try #require(whole.byName[parameter.name])
      let expected = try #require(real.byName[parameter.name])
      // Sums of up to 3 · 4 · 16 terms in another order, each of a few roundings.
      #expect(relativeDifference(found.elements, expected.elements) < 2e-5, "\(parameter.name)")
    }
  }

  // MARK: Checkpoints

  @Test func aGridIsRestoredByName() throws {
    let network = try network()
    let arithmetic = try QuantizedArithmetic(network) { _ in .four }
    var choices = arithmetic.namedChoices
    #expect(Set(choices.keys) == ["conv1", "dense2", "readout"])
    choices["dense2"] = GridChoice(shift: 1, floor: -2, ceiling: 3)
    try arithmetic.restore(choices)
    #expect(arithmetic.namedChoices == choices)
    let numbers = network.prepare(with: arithmetic, on: Tape()).numbers
    #expect(numbers.populations[1].range == -2...3 && numbers.projections[1].shift == 1)
    choices["conv1"] = nil
    #expect(throws: CompressionError.noGrid(layer: "conv1")) { try arithmetic.restore(choices) }
  }

  /// A network that was not quantised remembers no grid; its checkpoint makes no quantised one.
  @Test func aCheckpointWithoutAGridIsRefusedAndChangesNothing() throws {
    let arithmetic = try QuantizedArithmetic(network()) { _ in .four }
    var choices = arithmetic.namedChoices
    #expect(throws: CompressionError.noGrid(layer: "conv1")) { try arithmetic.restore([:]) }
    choices["conv1"] = GridChoice(shift: 1, floor: -2, ceiling: 3)
    let before = arithmetic.namedChoices
    choices["readout"] = nil
    #expect(throws: CompressionError.noGrid(layer: "readout")) { try arithmetic.restore(choices) }
    #expect(arithmetic.namedChoices == before)
  }

  /// Real numbers have no step, shift, range or unit.
  @Test func aNetworkInRealNumbersHasNoGrid() throws {
    let network = try network()
    let numbers = network.prepare(on: Tape()).numbers
    #expect(!numbers.isOnGrid && !network.parameters.contains { $0.role == .step })
    #expect(numbers.projections.allSatisfy { $0.shift == 0 })
    #expect(numbers.populations.allSatisfy { $0.range == nil && $0.unit == [1] })
  }

  @Test func quantisingAgainStartsFromTheWeightsAsTheyAre() throws {
    let network = try network()
    let steps = try QuantizedArithmetic(network, bits: { _ in .eight }).steps[0].value
    let again = try QuantizedArithmetic(network) { _ in .ternary }
    #expect(again.bits[0] == .ternary)
    // 2·mean|w|/√Q: Q = 127 and 1.
    #expect(
      relativeDifference(
        again.steps[0].value.elements, steps.elements.map { Double($0) * 127.0.squareRoot() })
        < 1e-6)
  }
}
