import Foundation
import Spiking
import Tensors
import TestMathematics
import Testing
import Wiring

@testable import ModelCompression

/// Populations that hear several projections: one membrane unit, a step of each projection's own.
@Suite struct SharedUnitTests {
  private let plane = Shape(channels: 4, height: 4, width: 4)

  /// `hidden` hears spikes in two groups, bytes, and itself a step later; `few` hears `hidden`
  /// and, by one weight, its own; the answer hears both.
  private func network(seed: UInt64 = 1) throws -> Network {
    let network = try ModelCompressionTests.network(
      [
        InputPort(name: "a", shape: plane, kind: .events(.once)),
        InputPort(
          name: "b", shape: Shape(channels: 3, height: 8, width: 8),
          kind: .values(minimum: 0, maximum: 255, scale: 1 / 256, framePerStep: false)),
      ],
      [
        NetworkPlan.Population(
          name: "hidden", shape: plane,
          neurons: NeuronConfiguration(threshold: 0.7, leak: 0.8, bias: true)),
        NetworkPlan.Population(
          name: "few", shape: Shape(channels: 6), neurons: NeuronConfiguration(leak: 0.9)),
        NetworkPlan.Population(name: "answer", shape: Shape(channels: 3), neurons: nil),
      ],
      [
        NetworkPlan.Projection(
          name: "in_a", from: .input(0), to: 0,
          topology: .convolution(Convolution(kernel: 3, padding: 1, groups: 2)), taps: 2),
        NetworkPlan.Projection(
          name: "in_b", from: .input(1), to: 0,
          topology: .convolution(Convolution(kernel: 3, padding: 1)), pool: 2),
        NetworkPlan.Projection(
          name: "self", from: .population(0), to: 0, topology: .oneToOne, delay: 1,
          granularity: .neuron),
        NetworkPlan.Projection(
          name: "down", from: .population(0), to: 1, topology: .dense, pool: 2),
        NetworkPlan.Projection(
          name: "beside", from: .population(1), to: 1, topology: .lateral, delay: 1),
        NetworkPlan.Projection(name: "skip", from: .population(0), to: 2, topology: .dense),
        NetworkPlan.Projection(name: "out", from: .population(1), to: 2, topology: .dense),
      ], seed: seed)
    var random = RandomSource(seed: seed)
    network.populations[0].bias?.value = Tensor.random([4], in: -0.2...0.3, using: &random)
    let own = network.projection("self").weight
    own.value = Tensor.random(own.value.shape, in: 0.1...0.6, using: &random)
    return network
  }

  /// The channel at which each weight ends, by plain loops over the extents of a model file.
  private func channels(_ projection: Projection, of target: Shape) -> [Int] {
    var shape = projection.weight.value.shape
    if projection.taps > 1 { shape.removeFirst() }
    var groups = 1
    if case .convolution(let geometry) = projection.topology { groups = geometry.groups }
    var result: [Int] = []
    for _ in 0..<projection.taps {
      for row in 0..<shape[0] {
        for _ in 0..<shape.dropFirst().dropLast().reduce(1, *) {
          for column in 0..<(shape.last ?? 1) {
            let first = row / (shape[0] / groups) * (target.channels / groups)
            result.append((first + column) % target.channels)
          }
        }
      }
    }
    return result
  }

  /// Δ of a projection by channel from the unit of its target, as models/FORMAT.md scales a sum.
  private func steps(
    _ index: Int, of network: Network, _ arithmetic: QuantizedArithmetic
  ) -> [Float] {
    let projection = network.projections[index]
    let shift = network.prepare(with: arithmetic, on: Tape()).numbers.projections[index].shift
    return arithmetic.unit(of: projection.target).map { unit in
      if case .input(let port) = projection.source, let scale = network.ports[port].scale {
        return unit / scale / exp2(Float(shift))
      }
      return unit * exp2(Float(shift))
    }
  }

  // MARK: Numbers

  /// Δ_p = unit · 2^shift_p of spikes, unit / (scale_p · 2^shift_p) of values: the codes are those
  /// of exactly these steps.
  @Test(arguments: [2, 4, 8], [UInt64(1), 2, 3])
  func projectionsIntoOnePopulationShareItsUnit(width: Int, seed: UInt64) throws {
    let bits = try #require(WeightBits(rawValue: width))
    let network = try network(seed: seed)
    let arithmetic = try QuantizedArithmetic(network) { _ in bits }
    #expect(arithmetic.steps.map(\.value.count) == [4, 1, 1])
    let numbers = network.prepare(with: arithmetic, on: Tape()).numbers
    for (index, projection) in network.projections.enumerated() {
      let choice = arithmetic.choices[projection.target]
      #expect(numbers.projections[index].shift == choice.others?[projection.name] ?? choice.shift)
      let steps = steps(index, of: network, arithmetic)
      let channels = channels(projection, of: network.populations[projection.target].shape)
      let codes = numbers.projections[index].weight.value
      #expect(codes.shape == projection.weight.value.shape && channels.count == codes.count)
      for position in 0..<codes.count {
        let step = steps[channels[position] % steps.count]
        let code = (projection.weight.value[position] * (1 / step)).rounded(.toNearestOrEven)
        let limit = Float(bits.limit)
        #expect(codes[position] == min(max(code, -limit), limit), "\(projection.name) \(position)")
      }
      // The step is the one that the weights ask for but for the power of two.
      let wanted = initialSteps(
        projection.weight.value, layout: projection.channelLayout(channels: steps.count),
        count: steps.count, bits: bits)
      let ratio = steps.reduce(0) { $0 + Double($1) } / wanted.sum
      #expect(abs(log2(ratio)) <= 0.5 + 1e-6, "\(projection.name) \(ratio)")
    }
    #expect(Set(arithmetic.choices[0].others?.keys.map { $0 } ?? []) == ["in_b", "self"])
  }

  /// Where weights lie on the grid, a sum in the unit is the sum in real numbers.
  @Test func sumsInTheUnitAreTheRealSums() throws {
    let network = try ModelCompressionTests.network(
      [
        InputPort(name: "a", shape: plane, kind: .events(.once)),
        InputPort(name: "b", shape: Shape(channels: 5), kind: .events(.every(maximumPerStep: 3))),
      ],
      [
        NetworkPlan.Population(name: "hidden", shape: plane, neurons: NeuronConfiguration()),
        NetworkPlan.Population(name: "answer", shape: Shape(channels: 3), neurons: nil),
      ],
      [
        NetworkPlan.Projection(
          name: "in_a", from: .input(0), to: 0,
          topology: .convolution(Convolution(kernel: 3, padding: 1, groups: 2)), taps: 2),
        NetworkPlan.Projection(name: "in_b", from: .input(1), to: 0, topology: .dense, delay: 1),
        NetworkPlan.Projection(name: "out", from: .population(0), to: 1, topology: .dense),
      ])
    network.projection("in_b").weight.value.apply { $0 * 6 }
    let arithmetic = try QuantizedArithmetic(network) { _ in .eight }
    #expect(arithmetic.choices[0].others != ["in_b": arithmetic.choices[0].shift])
    let numbers = network.prepare(with: arithmetic, on: Tape()).numbers
    for (index, projection) in network.projections.enumerated() {
      let steps = steps(index, of: network, arithmetic)
      let channels = channels(projection, of: network.populations[projection.target].shape)
      let codes = numbers.projections[index].weight.value
      for position in 0..<codes.count {
        projection.weight.value[position] =
          codes[position] * steps[channels[position] % steps.count]
      }
    }
    var random = RandomSource(seed: 3)
    let inputs = [
      Tensor.randomIntegers([4 * 2, 4, 4, 4], in: 0...1, using: &random),
      Tensor.randomIntegers([4 * 2, 1, 1, 5], in: 0...3, using: &random),
    ]
    func currents(_ arithmetic: any Arithmetic) throws -> [Float] {
      var found: Tensor?
      var options = ForwardOptions()
      options.observer = { if $0 == 0 { found = $1 } }
      _ = network.prepare(with: arithmetic, on: Tape()).forward(
        inputs, batch: 2, options, on: Tape())
      return try #require(found).elements
    }
    let sums = try currents(arithmetic)
    let unit = arithmetic.unit(of: 0)
    #expect(sums.allSatisfy { $0 == $0.rounded() } && sums.contains { $0 != 0 })
    let scaled = sums.enumerated().map { Double($1) * Double(unit[$0 % 4]) }
    // Up to 2 · 18 + 5 terms, each of a few roundings.
    #expect(relativeDifference(try currents(RealArithmetic()), scaled) < 1e-5)
  }

  @Test func weightsScaledTogetherKeepTheirShiftsToEachOther() throws {
    let network = try network()
    let arithmetic = try QuantizedArithmetic(network) { _ in .four }
    let unit = arithmetic.unit(of: 0)
    for projection in network.projections { projection.weight.value.apply { $0 * 2 } }
    let doubled = try QuantizedArithmetic(network) { _ in .four }
    // Thresholds stay, so that all shifts may move, but only together.
    for (a, b) in zip(arithmetic.choices, doubled.choices) {
      let shift = b.shift - a.shift
      for (name, other) in a.others ?? [:] {
        // Right shifts of values fall where left shifts of spikes grow.
        let sign = name == "in_b" ? -1 : 1
        #expect(b.others?[name] == other + sign * shift)
      }
    }
    let factor = 2 / Float(1 << (doubled.choices[0].shift - arithmetic.choices[0].shift))
    #expect(doubled.unit(of: 0) == unit.map { $0 * factor })
  }

  // MARK: Learning

  /// A step learns from every projection of its population: the unit moves all of them.
  @Test func aStepLearnsFromAllItsProjections() throws {
    let network = try network()
    let arithmetic = try QuantizedArithmetic(network) { _ in .four }
    let tape = Tape()
    let prepared = network.prepare(with: arithmetic, on: tape)
    var random = RandomSource(seed: 9)
    var expected = [Double](repeating: 0, count: 4)
    for index in network.incoming[0] {
      let projection = network.projections[index]
      let weight = projection.weight.value
      let seed = Tensor.random(weight.shape, in: -1...1, using: &random)
      let own = steps(index, of: network, arithmetic)
      let channels = channels(projection, of: plane)
      var sums = [Double](repeating: 0, count: 4)
      for position in 0..<weight.count {
        let scaled = Double(weight[position]) / Double(own[channels[position]])
        let slope =
          abs(scaled) > 7
          ? (scaled > 0 ? 7 : -7) : scaled.rounded(.toNearestOrEven) - scaled
        sums[channels[position]] += Double(seed[position]) / Double(own[channels[position]]) * slope
      }
      let scale = 1 / (Double(weight.count / 4) * 7).squareRoot()
      for channel in 0..<4 {
        // dΔ_p/dΔ is the same power of two everywhere, times scales.
        let factor = Double(own[channel] / arithmetic.steps[0].value[channel])
        expected[channel] += sums[channel] * scale * factor
      }
      prepared.numbers.projections[index].weight.accumulate(seed)
    }
    tape.replay()
    let leaf = try #require(prepared.leaves.first { $0.parameter.name == "hidden.step" })
    #expect(relativeDifference(leaf.variable.gradient?.elements ?? [], expected) < 2e-5)
  }

  // MARK: One weight

  /// A population of three channels and what else ends there besides dense synapses.
  private func oneWeight(
    _ topology: Topology, _ granularity: Granularity = .layer, channels: Int = 3, first: Bool
  ) throws -> (network: Network, arithmetic: QuantizedArithmetic) {
    var projections = [
      NetworkPlan.Projection(
        name: "one", from: .input(0), to: 0, topology: topology, granularity: granularity),
      NetworkPlan.Projection(name: "all", from: .input(0), to: 0, topology: .dense),
    ]
    if !first { projections.reverse() }
    let network = try ModelCompressionTests.network(
      [.events(Shape(channels: channels))],
      [
        NetworkPlan.Population(
          name: "hidden", shape: Shape(channels: channels), neurons: NeuronConfiguration()),
        NetworkPlan.Population(name: "answer", shape: Shape(channels: 2), neurons: nil),
      ],
      projections + [
        NetworkPlan.Projection(name: "out", from: .population(0), to: 1, topology: .dense)
      ])
    return (network, try QuantizedArithmetic(network) { _ in .four })
  }

  @Test(arguments: [Topology.oneToOne, .lateral], [true, false])
  func aWeightOfSeveralChannelsGivesThemOneUnit(topology: Topology, first: Bool) throws {
    let (network, arithmetic) = try oneWeight(topology, first: first)
    #expect(arithmetic.steps[0].value.count == 1)
    #expect(arithmetic.unit(of: 0).count == 1)
    let numbers = network.prepare(with: arithmetic, on: Tape()).numbers
    #expect(numbers.populations[0].unit == arithmetic.unit(of: 0))
    #expect(numbers.populations[0].threshold?.value.count == 3)
    let one = try #require(network.projections.firstIndex { $0.name == "one" })
    // One weight asks for 2·|w|/√7, a code of 1.32; it may be shifted by half a power of two.
    let code = numbers.projections[one].weight.value
    #expect(code.count == 1 && (1...2).contains(abs(code[0])))
    #expect(code[0].sign == network.projections[one].weight.value[0].sign)
    for index in [0, 1] {
      let step = steps(index, of: network, arithmetic)[0]
      let weights = network.projections[index].weight.value.elements
      let codes = weights.map { min(max(($0 / step).rounded(.toNearestOrEven), -7), 7) }
      #expect(numbers.projections[index].weight.value.elements == codes)
    }
  }

  @Test func weightsByChannelOrNeuronLeaveUnitsByChannel() throws {
    for granularity in [Granularity.channel, .neuron] {
      let (_, arithmetic) = try oneWeight(.oneToOne, granularity, first: true)
      #expect(arithmetic.steps[0].value.count == 3 && arithmetic.unit(of: 0).count == 3)
    }
    // One channel has one unit anyway.
    #expect(try oneWeight(.lateral, channels: 1, first: false).arithmetic.unit(of: 0).count == 1)
  }

  @Test func aResetToAValueGivesOneUnit() throws {
    let dynamics = LIFDynamics(reset: .value, resetValue: 0.25)
    let network = try Network(
      name: "test", architecture: Architecture("3-2"), input: .events(Shape(channels: 2)),
      classes: 2, steps: 1, neurons: NeuronConfiguration(dynamics: dynamics),
      random: RandomSource(seed: 1))
    let arithmetic = try QuantizedArithmetic(network) { _ in .four }
    #expect(arithmetic.steps.map(\.value.count) == [1, 1])
    let numbers = network.prepare(with: arithmetic, on: Tape()).numbers.populations[0]
    let unit = arithmetic.unit(of: 0)[0]
    #expect(numbers.resetValue == (0.25 / unit).rounded(.toNearestOrEven))
    #expect(numbers.resetValue > 0)
  }

  // MARK: Checkpoints

  @Test func aGridOfSeveralProjectionsSurvivesItsFile() throws {
    let network = try network()
    let arithmetic = try QuantizedArithmetic(network) { _ in .four }
    let saved = arithmetic.namedChoices
    #expect(Set(saved.keys) == ["hidden", "few", "answer"])
    #expect(saved["hidden"]?.others?.count == 2 && saved["answer"]?.others?.count == 1)
    let file = try JSONEncoder().encode(saved)
    let read = try JSONDecoder().decode([String: GridChoice].self, from: file)
    #expect(read == saved)
    // A network whose weights have moved on would choose another grid.
    for projection in network.projections where projection.name != "in_a" {
      projection.weight.value.apply { $0 * 5 }
    }
    let later = try QuantizedArithmetic(network) { _ in .four }
    #expect(later.namedChoices != saved)
    try later.restore(read)
    #expect(later.namedChoices == saved && later.choices == arithmetic.choices)
    for (a, b) in zip(later.steps, arithmetic.steps) { a.value = b.value }
    let (one, other) = (
      network.prepare(with: arithmetic, on: Tape()).numbers,
      network.prepare(with: later, on: Tape()).numbers
    )
    for (a, b) in zip(one.projections, other.projections) {
      #expect(a.shift == b.shift && a.weight.value == b.weight.value)
    }
    for (a, b) in zip(one.populations, other.populations) {
      #expect(a.unit == b.unit && a.range == b.range)
      #expect(a.threshold?.value == b.threshold?.value)
    }
  }

  /// Checkpoints of chains have no shifts but the first.
  @Test func aGridOfOneProjectionIsWrittenAsBefore() throws {
    let choice = GridChoice(shift: 3, floor: -5, ceiling: 6)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = #"{"ceiling":6,"floor":-5,"shift":3}"#
    #expect(String(decoding: try encoder.encode(choice), as: UTF8.self) == text)
    #expect(try JSONDecoder().decode(GridChoice.self, from: Data(text.utf8)) == choice)
  }

  @Test func aGridOfOtherProjectionsIsRefused() throws {
    let arithmetic = try QuantizedArithmetic(network()) { _ in .four }
    let saved = arithmetic.namedChoices
    for others in [[:], ["in_b": 1], ["in_b": 1, "self": 1, "beside": 1], ["in_b": 1, "back": 1]] {
      var choices = saved
      choices["hidden"] = GridChoice(shift: 1, floor: -1, ceiling: 1, others: others)
      #expect(throws: CompressionError.noGrid(layer: "hidden")) { try arithmetic.restore(choices) }
      #expect(arithmetic.namedChoices == saved)
    }
  }
}
