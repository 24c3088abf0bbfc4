import Tensors
import TestMathematics
import Testing
import Wiring

@testable import Spiking

/// Puts a layer on an integer grid: sixteenths of a weight, 256ths of a leak.
private final class GridHook: LayerHook {
  let parameters: [Parameter] = []
  let grid: IntegerGrid

  init(_ grid: IntegerGrid) { self.grid = grid }

  static func weight(_ value: Float) -> Float { min(max((value * 16).rounded(), -128), 127) }

  func arithmetic(
    of layer: Layer, on tape: Tape, parameter: (Parameter) -> Variable
  ) -> LayerArithmetic {
    LayerArithmetic(
      weight: Variable(layer.weight.value.map(Self.weight)),
      threshold: layer.threshold.map { Variable($0.value.map { ($0 * 64).rounded() }) },
      leak: layer.leak.map { Variable($0.value.map { ($0 * 256).rounded() / 256 }) },
      bias: nil, grid: grid)
  }
}

@Suite struct NetworkForwardTests {
  private static let steps = 3

  private func network(
    _ input: NetworkInput, _ architecture: String = "5C3s2-P2-7C3-9-4"
  ) throws -> Network {
    let network = try Network(
      name: "test", architecture: Architecture(architecture), input: input, classes: 4,
      steps: Self.steps, neurons: NeuronConfiguration(), random: RandomSource(seed: 1))
    var random = RandomSource(seed: 2)
    for layer in network.layers {
      layer.weight.value = .randomIntegers(
        layer.weight.value.shape, in: -5...7, unit: 1, using: &random)
      guard let threshold = layer.threshold, let leak = layer.leak else { continue }
      threshold.value = .randomIntegers(threshold.value.shape, in: 3...20, using: &random)
      leak.value = .randomIntegers(leak.value.shape, in: 2...4, unit: 0.25, using: &random)
    }
    return network
  }

  private static let image = Shape(channels: 2, height: 11, width: 10)

  private func forward(_ network: Network, _ input: Tensor, batch: Int) -> NetworkOutput {
    network.prepare(on: Tape()).forward(input, batch: batch, on: Tape(), recording: true)
  }

  /// Compares every potential, spike and read-out membrane; returns the places that differ.
  private func differences<N>(
    _ output: NetworkOutput, _ naive: NaiveNetwork<N>, _ input: Tensor, batch: Int, held: Bool,
    number: (Float) -> N
  ) -> [String] {
    let sample = Self.image.count
    var result: [String] = []
    func compare(_ tensor: Tensor?, _ expected: [N], step: Int, sample: Int, _ place: String) {
      let start = (step * batch + sample) * expected.count
      let found = tensor?.elements[start..<start + expected.count].map(number)
      if found != expected { result.append("\(place), step \(step), sample \(sample)") }
    }
    for index in 0..<batch {
      let frames = (0..<(held ? 1 : Self.steps)).map { step in
        let start = (step * batch + index) * sample
        return input.elements[start..<start + sample].map(number)
      }
      for (step, seen) in naive.run(frames, held: held).enumerated() {
        for (layer, record) in output.records.enumerated() {
          let name = naive.layers[layer].layer.name
          compare(
            record.potentials, seen.potentials[layer], step: step, sample: index, "\(name) V")
          compare(record.spikes, seen.spikes[layer], step: step, sample: index, "\(name) s")
        }
        compare(
          output.membranes?.value, seen.potentials.last ?? [], step: step, sample: index, "readout")
      }
    }
    return result
  }

  private func realNumbers(_ network: Network) -> NaiveNetwork<Double> {
    NaiveNetwork(
      layers: network.layers.map { layer in
        let leak = layer.leak?.value.elements.map(Double.init) ?? [1]
        return NaiveNetwork.Layer(
          layer: layer, weight: layer.weight.value.elements.map(Double.init),
          threshold: layer.threshold?.value.elements.map(Double.init) ?? [],
          scaled: { sum, _ in sum }, decayed: { $0 * leak[$1 % leak.count] }, clamped: { $0 })
      }, steps: Self.steps)
  }

  private func events(batch: Int) -> Tensor {
    var random = RandomSource(seed: 3)
    let image = Self.image
    return .randomIntegers(
      [Self.steps, batch, image.height, image.width, image.channels], in: 0...1, using: &random)
  }

  private func values(batch: Int) -> Tensor {
    var random = RandomSource(seed: 4)
    let image = Self.image
    return .randomIntegers(
      [batch, image.height, image.width, image.channels], in: 0...255, using: &random)
  }

  @Test(arguments: [1, 3]) func eventsEqualPlainLoops(batch: Int) throws {
    let network = try network(.events(Self.image))
    let input = events(batch: batch)
    let output = forward(network, input, batch: batch)
    let differences = differences(
      output, realNumbers(network), input, batch: batch, held: false, number: Double.init)
    #expect(differences.isEmpty)
    #expect(output.rates.allSatisfy { $0 > 0.05 && $0 < 0.95 }, "rates \(output.rates)")
  }

  @Test(arguments: [1, 3]) func valuesEqualPlainLoops(batch: Int) throws {
    let network = try network(.values(Self.image, scale: 0x1p-6))
    let input = values(batch: batch)
    let output = forward(network, input, batch: batch)
    let differences = differences(
      output, realNumbers(network), input.map { $0 * 0x1p-6 }, batch: batch, held: true,
      number: Double.init)
    #expect(differences.isEmpty)
    #expect(output.rates.allSatisfy { $0 > 0.05 && $0 < 0.95 }, "rates \(output.rates)")
  }

  /// Weights, thresholds, leaks and shifts on the grid: every potential is the integer that
  /// models/FORMAT.md, section 4, says.
  @Test(arguments: [true, false]) func aNetworkOnTheGridComputesIntegers(held: Bool) throws {
    let network = try network(
      held ? .values(Self.image, scale: 1 / 255) : .events(Self.image))
    // Shifts right by 6 for values; left by 2, 1 and 0 for spikes. The narrow range clamps some.
    let shifts = [held ? 6 : 2, 1, 2, 0]
    let range: ClosedRange<Float> = -1500...2000
    for (layer, shift) in zip(network.layers, shifts) {
      layer.hook = GridHook(IntegerGrid(shift: shift, range: range, unit: [1]))
    }
    let naive = NaiveNetwork<Int>(
      layers: network.layers.enumerated().map { index, layer in
        let leak = layer.leak?.value.elements.map { Int(($0 * 256).rounded()) << 7 } ?? [32_768]
        let shift = shifts[index]
        return NaiveNetwork.Layer(
          layer: layer, weight: layer.weight.value.elements.map { Int(GridHook.weight($0)) },
          threshold: layer.threshold?.value.elements.map { Int(($0 * 64).rounded()) } ?? [],
          scaled: { sum, held in held ? (sum + (1 << (shift - 1))) >> shift : sum << shift },
          decayed: { $0 * leak[$1 % leak.count] / 32_768 },
          clamped: { layer.kind == .readout ? $0 : min(max($0, -1500), 2000) })
      }, steps: Self.steps)
    let input = held ? values(batch: 2) : events(batch: 2)
    let output = forward(network, input, batch: 2)
    #expect(
      output.records.allSatisfy { $0.potentials.elements.allSatisfy { $0 == $0.rounded() } })
    #expect(
      differences(output, naive, input, batch: 2, held: held) { Int($0) }.isEmpty)
    #expect(output.rates.allSatisfy { $0 > 0.01 && $0 < 0.95 }, "rates \(output.rates)")
  }

  @Test func readoutMembranesAreInTheUnit() throws {
    let network = try network(.events(Self.image), "6-4")
    network.layers[1].hook = GridHook(IntegerGrid(shift: 0, range: -10...10, unit: [0.125]))
    let output = forward(network, events(batch: 2), batch: 2)
    let membranes = try #require(output.membranes?.value.elements)
    let currents = try #require(output.currents?.value.elements)
    #expect(membranes.allSatisfy { $0 * 8 == ($0 * 8).rounded() })
    // K·B = 8 neurons; the last step's membrane is the sum of all currents.
    for index in 0..<8 {
      #expect(membranes[16 + index] == currents[index] + currents[8 + index] + currents[16 + index])
    }
  }

  /// A shift into the read-out scales its membranes as it scales a spiking layer's; it was once ignored.
  @Test func aShiftIntoTheReadoutScalesItsMembranes() throws {
    let network = try network(.events(Self.image), "6-4")
    func membranes(shift: Int) throws -> [Float] {
      network.layers[1].hook = GridHook(IntegerGrid(shift: shift, range: -10...10, unit: [1]))
      let output = forward(network, events(batch: 2), batch: 2)
      #expect(
        output.currents?.value.elements.prefix(8) == output.membranes?.value.elements.prefix(8))
      return try #require(output.membranes?.value.elements)
    }
    #expect(try membranes(shift: 3) == membranes(shift: 0).map { $0 * 8 })
  }

  @Test func theObserverSeesEverySpikingLayersCurrent() throws {
    let network = try network(.events(Self.image))
    var seen: [Int: Int] = [:]
    _ = network.prepare(on: Tape()).forward(events(batch: 2), batch: 2, on: Tape()) {
      seen[$0] = $1.count
    }
    #expect(
      network.layers.indices.allSatisfy {
        seen[$0] == Self.steps * 2 * network.layers[$0].shape.count
      })
  }

  @Test func anObservedCurrentSurvivesItsNeurons() throws {
    let network = try network(.events(Self.image))
    var kept: Tensor?
    let output = network.prepare(on: Tape()).forward(
      events(batch: 1), batch: 1, on: Tape(), recording: true
    ) { if $0 == 0 { kept = $1 } }
    // After the first step membranes hold earlier currents; spikes reset them.
    #expect(kept?.elements != output.records[0].potentials.elements)
  }
}
