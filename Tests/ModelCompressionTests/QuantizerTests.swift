import Spiking
import Tensors
import TestMathematics
import Testing
import Wiring

@testable import ModelCompression

/// Networks on the integer grid.
@Suite struct QuantizerTests {
  private func network(
    _ architecture: String = "3C3-P2-5-3", values: Bool = false, steps: Int = 4,
    neurons: NeuronConfiguration = NeuronConfiguration(threshold: 0.7, leak: 0.8, bias: true),
    seed: UInt64 = 1
  ) throws -> Network {
    let shape = Shape(channels: 2, height: 4, width: 4)
    let network = try Network(
      name: "test", architecture: Architecture(architecture),
      input: values ? .values(shape, scale: 1 / 256) : .events(shape), classes: 3, steps: steps,
      neurons: neurons, random: RandomSource(seed: seed))
    var random = RandomSource(seed: seed)
    for layer in network.layers {
      guard let bias = layer.bias else { continue }
      bias.value = Tensor.random(bias.value.shape, in: -0.2...0.3, using: &random)
    }
    return network
  }

  /// Three samples for a network.
  private func input(for network: Network, seed: UInt64 = 7) -> Tensor {
    var random = RandomSource(seed: seed)
    return network.input.scale == nil
      ? Tensor.randomIntegers([network.steps, 3, 4, 4, 2], in: 0...1, using: &random)
      : Tensor.randomIntegers([3, 4, 4, 2], in: 0...255, using: &random)
  }

  private func forward(_ network: Network) -> NetworkOutput {
    network.prepare(on: Tape()).forward(
      input(for: network), batch: 3, on: Tape(), recording: true)
  }

  private func isWhole(_ tensor: Tensor) -> Bool {
    tensor.elements.allSatisfy { $0 == $0.rounded() && abs($0) < 0x1p24 }
  }

  private func quantizers(_ network: Network) throws -> [Quantizer] {
    try network.layers.map { try #require($0.hook as? Quantizer) }
  }

  // MARK: Integers

  @Test(arguments: [false, true], [2, 4, 8])
  func everythingOnTheGridIsAnInteger(values: Bool, width: Int) throws {
    let bits = try #require(WeightBits(rawValue: width))
    let network = try network(values: values)
    network.quantize { _ in bits }
    let prepared = network.prepare(on: Tape())
    for (numbers, layer) in zip(prepared.arithmetic, network.layers) {
      #expect(isWhole(numbers.weight.value), "\(layer.name)")
      #expect(numbers.weight.value.elements.allSatisfy { abs($0) <= Float(bits.limit) })
      guard layer.kind != .readout else { continue }
      let threshold = try #require(numbers.threshold).value
      #expect(isWhole(threshold) && threshold.elements.allSatisfy { (1...32767).contains($0) })
      #expect(isWhole(try #require(numbers.bias).value))
      #expect(isWhole(try #require(numbers.leak).value.map { $0 * 256 }))
    }
    let output = prepared.forward(input(for: network), batch: 3, on: Tape(), recording: true)
    for record in output.records { #expect(isWhole(record.potentials)) }
    #expect(isWhole(try #require(output.readout)))
    #expect(output.records.contains { $0.spikes.sum > 0 })
  }

  @Test func theQuantisedNetworkIsCloseToTheRealOne() throws {
    let network = try network(values: true)
    let real = forward(network)
    network.quantize { _ in .eight }
    let whole = forward(network)
    // Rates of 3 · 4 · (48 + 5) spikes: a few of them move by a step at 8 bits.
    for (a, b) in zip(real.rates, whole.rates) { #expect(abs(a - b) < 0.1) }
  }

  // MARK: Units

  @Test func unitsTellSpikesFromValues() throws {
    for values in [false, true] {
      let network = try network(values: values)
      network.quantize { _ in .four }
      for (index, quantizer) in try quantizers(network).enumerated() {
        let factor: Float =
          values && index == 0
          ? Float(1 << quantizer.choice.shift) / 256 : 1 / Float(1 << quantizer.choice.shift)
        #expect(quantizer.unit == quantizer.step.value.elements.map { $0 * factor })
      }
    }
  }

  @Test func stepsAreByChannelAndOneForAReadout() throws {
    let network = try network()
    network.quantize { $0.kind == .readout ? .eight : .ternary }
    let quantizers = try quantizers(network)
    #expect(quantizers.map(\.step.value.count) == [3, 5, 1])
    #expect(quantizers.map(\.bits) == [.ternary, .ternary, .eight])
    #expect(
      network.parameters.filter { $0.role == .step }.map(\.name)
        == ["conv1.step", "dense2.step", "readout.step"])
  }

  @Test func stepsNeverReachZero() throws {
    let network = try network()
    network.quantize { _ in .four }
    let step = try quantizers(network)[0].step
    step.value = Tensor([3], [-1, 0, 0.5])
    step.enforceConstraints()
    #expect(step.value.elements == [Quantizer.leastStep, Quantizer.leastStep, 0.5])
  }

  @Test func thresholdsBelowOneUnitAreOneUnit() throws {
    let network = try network()
    network.quantize { _ in .four }
    network.layers[0].threshold?.value.apply { _ in 1e-9 }
    network.layers[0].bias?.value.apply { _ in -1e9 }
    let numbers = network.prepare(on: Tape()).arithmetic[0]
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
    network.quantize { _ in .four }
    let before = forward(network)
    for layer in network.layers.dropLast() {
      for parameter in layer.parameters where parameter.role != .leak {
        parameter.value.apply { $0 * factor }
      }
    }
    let after = forward(network)
    for (a, b) in zip(before.records, after.records) {
      #expect(a.spikes == b.spikes && a.potentials == b.potentials)
    }
    #expect(before.readout == after.readout)
  }

  /// The grid a float network would choose scales with it.
  @Test func aScaledNetworkTakesTheSameGrid() throws {
    let (one, other) = (try network(), try network())
    for layer in other.layers {
      for parameter in layer.parameters where parameter.role != .leak {
        parameter.value.apply { $0 * 16 }
      }
    }
    one.quantize { _ in .eight }
    other.quantize { _ in .eight }
    #expect(one.gridChoices == other.gridChoices)
    for (a, b) in zip(try quantizers(one), try quantizers(other)) {
      #expect(a.step.value.map { $0 * 16 } == b.step.value)
    }
  }

  // MARK: Gradients

  private struct Gradients {
    var spikes: [Tensor]
    var byName: [String: Tensor] = [:]
  }

  private func gradients(_ network: Network, _ input: Tensor, seed: Tensor) throws -> Gradients {
    let tape = Tape()
    let prepared = network.prepare(on: tape)
    let output = prepared.forward(input, batch: 3, on: tape, recording: true)
    tape.backward(from: try #require(output.membranes), seed: seed)
    var result = Gradients(spikes: output.records.map(\.spikes))
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
    func step(_ channel: Int, _ layer: Layer) -> Float {
      layer.kind != .readout && channel % 2 == 1 ? 0.125 : 0.0625
    }
    func snap(_ parameter: Spiking.Parameter?, to unit: Float) {
      parameter?.value.apply { max(-1.5, min(1.5, ($0 / unit).rounded() * unit)) }
    }
    var random = RandomSource(seed: 5)
    for layer in network.layers {
      snap(layer.weight, to: 0.125)
      if let threshold = layer.threshold {
        threshold.value = Tensor.random(threshold.value.shape, in: 0.5...1.5, using: &random)
      }
      snap(layer.threshold, to: 0.125)
      snap(layer.bias, to: 0.125)
    }
    var image = input(for: network)
    // Multiples of 2^5 survive a right shift of 1 without rounding.
    if kind.values { image = image.map { ($0 / 32).rounded(.down) * 32 } }
    var seed = Tensor.random([network.steps, 3, 3], in: -1...1, using: &random)
    let real = try gradients(network, image, seed: seed)
    network.quantize { _ in .eight }
    for (layer, quantizer) in zip(network.layers, try quantizers(network)) {
      let shift = layer.kind == .readout ? 0 : kind.values && layer.name == "conv1" ? 1 : 2
      quantizer.restore(GridChoice(shift: shift, floor: -32768, ceiling: 32767))
      for channel in 0..<quantizer.step.value.count {
        quantizer.step.value[channel] = step(channel, layer)
      }
    }
    seed.apply { $0 }
    let whole = try gradients(network, image, seed: seed)
    #expect(real.spikes == whole.spikes && real.spikes[1].sum > 0)
    for parameter in network.parameters where parameter.role != .step {
      let found = try #require(whole.byName[parameter.name])
      let expected = try #require(real.byName[parameter.name])
      // Sums of up to 3 · 4 · 16 terms in another order, each of a few roundings.
      #expect(relativeDifference(found.elements, expected.elements) < 2e-5, "\(parameter.name)")
    }
  }

  // MARK: Checkpoints

  @Test func aGridIsRestoredByName() throws {
    let network = try network()
    network.quantize { _ in .four }
    var choices = network.gridChoices
    #expect(Set(choices.keys) == ["conv1", "dense2", "readout"])
    choices["dense2"] = GridChoice(shift: 1, floor: -2, ceiling: 3)
    try network.restoreGrid(choices)
    #expect(network.gridChoices == choices)
    #expect(network.prepare(on: Tape()).arithmetic[1].grid?.range == -2...3)
    choices["conv1"] = nil
    #expect(throws: CompressionError.noGrid(layer: "conv1")) { try network.restoreGrid(choices) }
  }

  @Test func aNetworkWithoutQuantizersHasNoGrid() throws {
    let network = try network()
    #expect(network.gridChoices.isEmpty)
    try network.restoreGrid([:])
  }

  @Test func quantisingAgainStartsFromTheWeightsAsTheyAre() throws {
    let network = try network()
    network.quantize { _ in .eight }
    let steps = try quantizers(network)[0].step.value
    network.quantize { _ in .ternary }
    let quantizer = try quantizers(network)[0]
    #expect(quantizer.bits == .ternary)
    // 2·mean|w|/√Q: Q = 127 and 1.
    #expect(
      relativeDifference(
        quantizer.step.value.elements, steps.elements.map { Double($0) * 127.0.squareRoot() })
        < 1e-6)
  }
}
