import Tensors
import TestMathematics
import Testing
import Wiring

@testable import Spiking

/// Integers of a test: sixteenths of a weight, 64ths of a threshold, 256ths of a leak.
private final class GridArithmetic: Arithmetic {
  let shifts: [Int]
  let range: ClosedRange<Float>
  let unit: Float

  init(shifts: [Int], range: ClosedRange<Float> = -10...10, unit: Float = 1) {
    self.shifts = shifts
    self.range = range
    self.unit = unit
  }

  static func weight(_ value: Float) -> Float { min(max((value * 16).rounded(), -128), 127) }

  func parameters(of population: Int) -> [Parameter] { [] }

  func numbers(
    of network: Network, on tape: Tape, variable: (Parameter) -> Variable
  ) -> Numbers {
    Numbers(
      populations: network.populations.map { population in
        PopulationNumbers(
          threshold: population.threshold.map { Variable($0.value.map { ($0 * 64).rounded() }) },
          leak: population.leak.map { Variable($0.value.map { ($0 * 256).rounded() / 256 }) },
          bias: nil, initial: nil, range: range, unit: [unit])
      },
      projections: zip(network.projections, shifts).map {
        ProjectionNumbers(weight: Variable($0.weight.value.map(Self.weight)), shift: $1)
      }, isOnGrid: true)
  }
}

@Suite struct NetworkForwardTests {
  private static let steps = 3

  private func network(
    _ input: InputPort, _ architecture: String = "5C3s2-P2-7C3-9-4"
  ) throws -> Network {
    let network = try Network(
      name: "test", architecture: Architecture(architecture), input: input, classes: 4,
      steps: Self.steps, neurons: NeuronConfiguration(), random: RandomSource(seed: 1))
    drawIntegers(network)
    return network
  }

  private func drawIntegers(_ network: Network) {
    var random = RandomSource(seed: 2)
    for (index, population) in network.populations.enumerated() {
      for projection in network.incoming[index].map({ network.projections[$0] }) {
        projection.weight.value = .randomIntegers(
          projection.weight.value.shape, in: -5...7, unit: 1, using: &random)
      }
      guard let threshold = population.threshold, let leak = population.leak else { continue }
      threshold.value = .randomIntegers(threshold.value.shape, in: 3...20, using: &random)
      leak.value = .randomIntegers(leak.value.shape, in: 2...4, unit: 0.25, using: &random)
      guard let bias = population.bias else { continue }
      bias.value = .randomIntegers(bias.value.shape, in: -2...3, using: &random)
    }
  }

  private static let image = Shape(channels: 2, height: 11, width: 10)

  private func forward(
    _ network: Network, _ inputs: [Tensor], batch: Int,
    with arithmetic: any Arithmetic = RealArithmetic()
  ) -> NetworkOutput {
    var options = ForwardOptions()
    options.records = true
    return network.prepare(with: arithmetic, on: Tape()).forward(
      inputs, batch: batch, options, on: Tape())
  }

  /// Compares every potential, spike and read-out membrane; returns the places that differ.
  private func differences<N>(
    _ output: NetworkOutput, _ naive: NaiveNetwork<N>, _ inputs: [Tensor], batch: Int,
    number: (Float) -> N
  ) throws -> [String] {
    let network = naive.network
    var result: [String] = []
    func compare(_ found: [Float], _ expected: [N], step: Int, sample: Int, _ place: String) {
      let start = (step * batch + sample) * expected.count
      if found[start..<start + expected.count].map(number) != expected {
        result.append("\(place), step \(step), sample \(sample)")
      }
    }
    for index in 0..<batch {
      let frames = zip(network.ports, inputs).map { port, input in
        (0..<(port.isHeld ? 1 : network.steps)).map { step in
          let start = (step * batch + index) * port.shape.count
          return input.elements[start..<start + port.shape.count].map(number)
        }
      }
      for (step, seen) in try naive.run(frames).enumerated() {
        for (place, population) in network.populations.enumerated() {
          switch output.records[place] {
          case .spiking(let spikes, let potentials):
            compare(
              potentials.elements, seen.potentials[place], step: step, sample: index,
              "\(population.name) V")
            compare(
              spikes.elements, seen.spikes[place], step: step, sample: index,
              "\(population.name) s")
          case .readout(let membranes):
            compare(
              membranes.map(Float.init), seen.potentials[place], step: step, sample: index,
              population.name)
          case nil: result.append("\(population.name) was not recorded")
          }
        }
      }
    }
    return result
  }

  private func realNumbers(_ network: Network) -> NaiveNetwork<Double> {
    NaiveNetwork(
      network: network,
      weights: network.projections.map { $0.weight.value.elements.map(Double.init) },
      scaled: { sum, _ in sum },
      neurons: network.populations.map { population in
        let leak = population.leak?.value.elements.map(Double.init) ?? [1]
        var resetValue = 0.0
        if case .lif(let dynamics) = population.neuron { resetValue = Double(dynamics.resetValue) }
        return NaiveNetwork.Neurons(
          threshold: population.threshold?.value.elements.map(Double.init) ?? [],
          bias: population.bias?.value.elements.map(Double.init) ?? [0],
          initial: population.initial?.value.elements.map(Double.init) ?? [0],
          resetValue: resetValue, decayed: { $0 * leak[$1 % leak.count] }, clamped: { $0 })
      })
  }

  private func events(batch: Int, _ shape: Shape = image, steps: Int = steps) -> Tensor {
    var random = RandomSource(seed: 3)
    return .randomIntegers([steps, batch] + shape.extents, in: 0...1, using: &random)
  }

  private func values(batch: Int) -> Tensor {
    var random = RandomSource(seed: 4)
    return .randomIntegers([batch] + Self.image.extents, in: 0...255, using: &random)
  }

  @Test(arguments: [1, 3]) func eventsEqualPlainLoops(batch: Int) throws {
    let network = try network(.events(Self.image))
    let input = [events(batch: batch)]
    let output = forward(network, input, batch: batch)
    #expect(
      try differences(output, realNumbers(network), input, batch: batch, number: Double.init)
        .isEmpty)
    #expect(output.rates.allSatisfy { $0 > 0.05 && $0 < 0.95 }, "rates \(output.rates)")
  }

  @Test(arguments: [1, 3]) func valuesEqualPlainLoops(batch: Int) throws {
    let network = try network(.bytes(Self.image, scale: 0x1p-6))
    let input = values(batch: batch)
    let output = forward(network, [input], batch: batch)
    #expect(
      try differences(
        output, realNumbers(network), [input.map { $0 * 0x1p-6 }], batch: batch,
        number: Double.init
      ).isEmpty)
    #expect(output.rates.allSatisfy { $0 > 0.05 && $0 < 0.95 }, "rates \(output.rates)")
  }

  private typealias Link = NetworkPlan.Projection

  /// Graphs that are no chain, over events of 2×4×4 and, where they have a second port, held values.
  private static let graphs: [String: NetworkPlan] = {
    let shape = Shape(channels: 2, height: 4, width: 4)
    func population(
      _ name: String, _ shape: Shape, _ dynamics: LIFDynamics = LIFDynamics(),
      bias: Bool = false, initial: Float? = nil
    ) -> NetworkPlan.Population {
      NetworkPlan.Population(
        name: name, shape: shape,
        neurons: NeuronConfiguration(dynamics: dynamics, bias: bias, initial: initial))
    }
    let readout = NetworkPlan.Population(
      name: "readout", shape: Shape(channels: 4), neurons: nil, readoutLeak: 0.5)
    let plane = Shape(channels: 3, height: 4, width: 4)
    return [
      "recurrent": NetworkPlan(
        ports: [.events(shape)],
        populations: [
          population("b", Shape(channels: 6)), readout,
          population("a", plane, LIFDynamics(reset: .zero, refractorySteps: 1), initial: 4),
        ],
        projections: [
          Link(name: "a_b", from: .population(2), to: 0, topology: .dense),
          Link(
            name: "a_a", from: .population(2), to: 2,
            topology: .convolution(Convolution(kernel: 3, padding: 1)), delay: 1),
          Link(name: "b_b", from: .population(0), to: 0, topology: .lateral, delay: 1),
          Link(name: "b_a", from: .population(0), to: 2, topology: .dense, delay: 2),
          Link(
            name: "in_a", from: .input(0), to: 2,
            topology: .convolution(Convolution(kernel: 3, padding: 1))),
          Link(name: "b_out", from: .population(0), to: 1, topology: .dense),
        ], readout: 1),
      "delayed": NetworkPlan(
        ports: [.events(shape)],
        populations: [
          population("a", Shape(channels: 7), LIFDynamics(refractorySteps: 2), bias: true),
          population("b", plane, LIFDynamics(reset: .value, resetValue: -3), bias: true), readout,
        ],
        projections: [
          Link(name: "in_a", from: .input(0), to: 0, topology: .dense, delay: 1),
          Link(
            name: "a_b", from: .population(0), to: 1, topology: .dense, taps: 3, tapStep: 2),
          Link(name: "a_out", from: .population(0), to: 2, topology: .dense, delay: 3),
          Link(name: "b_out", from: .population(1), to: 2, topology: .dense, pool: 2),
        ], readout: 2),
      "residual": NetworkPlan(
        ports: [
          .events(shape),
          InputPort(
            name: "frame", shape: plane,
            kind: .values(minimum: 0, maximum: 3, scale: 1, framePerStep: false)),
        ],
        populations: [
          population("a", plane, LIFDynamics(compare: .greaterOrEqual)), population("b", plane),
          readout,
        ],
        projections: [
          Link(
            name: "in_a", from: .input(0), to: 0,
            topology: .convolution(
              Convolution(y: .init(kernel: 1), x: .init(kernel: 3, padding: 1)))),
          Link(name: "frame_a", from: .input(1), to: 0, topology: .oneToOne),
          Link(
            name: "a_b", from: .population(0), to: 1,
            topology: .convolution(Convolution(kernel: 3, padding: 2, dilation: 2, groups: 3))),
          Link(
            name: "skip", from: .population(0), to: 1, topology: .oneToOne, granularity: .layer),
          Link(name: "b_out", from: .population(1), to: 2, topology: .dense),
        ], readout: 2),
    ]
  }()

  @Test(arguments: ["recurrent", "delayed", "residual"])
  func graphsEqualPlainLoops(name: String) throws {
    let plan = try #require(Self.graphs[name])
    let network = try Network(name: name, plan: plan, steps: 6, random: RandomSource(seed: 1))
    drawIntegers(network)
    var random = RandomSource(seed: 5)
    let inputs = network.ports.map { port in
      port.isHeld
        ? Tensor.randomIntegers([2] + port.shape.extents, in: 0...3, using: &random)
        : events(batch: 2, port.shape, steps: 6)
    }
    let output = forward(network, inputs, batch: 2)
    let differences = try differences(
      output, realNumbers(network), inputs, batch: 2, number: Double.init)
    #expect(differences.isEmpty, "\(differences)")
    #expect(output.rates.allSatisfy { $0 > 0.02 && $0 < 0.98 }, "rates \(output.rates)")
  }

  /// Weights, thresholds, leaks and shifts on the grid: every potential is the integer that
  /// models/FORMAT.md, section 4, says.
  @Test(arguments: [true, false]) func aNetworkOnTheGridComputesIntegers(held: Bool) throws {
    let network = try network(
      held ? .bytes(Self.image, scale: 1 / 255) : .events(Self.image))
    // Shifts right by 6 for values; left by 2, 1 and 0 for spikes. The narrow range clamps some.
    let shifts = [held ? 6 : 2, 1, 2, 0]
    let arithmetic = GridArithmetic(shifts: shifts, range: -1500...2000)
    let naive = NaiveNetwork<Int>(
      network: network,
      weights: network.projections.map {
        $0.weight.value.elements.map { Int(GridArithmetic.weight($0)) }
      },
      scaled: { sum, projection in
        let shift = shifts[projection]
        return held && projection == 0 ? (sum + (1 << (shift - 1))) >> shift : sum << shift
      },
      neurons: network.populations.map { population in
        let leak =
          population.leak?.value.elements.map { Int(($0 * 256).rounded()) << 7 } ?? [32_768]
        return NaiveNetwork.Neurons(
          threshold: population.threshold?.value.elements.map { Int(($0 * 64).rounded()) } ?? [],
          decayed: { $0 * leak[$1 % leak.count] / 32_768 },
          clamped: { population.isReadout ? $0 : min(max($0, -1500), 2000) })
      })
    let input = [held ? values(batch: 2) : events(batch: 2)]
    let output = forward(network, input, batch: 2, with: arithmetic)
    #expect(try differences(output, naive, input, batch: 2) { Int($0) }.isEmpty)
    for case .spiking(_, let potentials) in output.records.values {
      #expect(potentials.elements.allSatisfy { $0 == $0.rounded() })
    }
    #expect(output.rates.allSatisfy { $0 > 0.01 && $0 < 0.95 }, "rates \(output.rates)")
  }

  @Test func readoutMembranesAreInTheUnit() throws {
    let network = try network(.events(Self.image), "6-4")
    let output = forward(
      network, [events(batch: 2)], batch: 2,
      with: GridArithmetic(shifts: [0, 0], range: -2000...2000, unit: 0.125))
    let membranes = try #require(output.membranes?.value.elements)
    let currents = try #require(output.currents?.value.elements)
    #expect(membranes.allSatisfy { $0 * 8 == ($0 * 8).rounded() })
    // K·B = 8 neurons; the last step's membrane is the sum of all currents.
    for index in 0..<8 {
      #expect(membranes[16 + index] == currents[index] + currents[8 + index] + currents[16 + index])
    }
  }

  /// A shift into the read-out scales its membranes as it scales a spiking population's; it was once
  /// ignored.
  @Test func aShiftIntoTheReadoutScalesItsMembranes() throws {
    let network = try network(.events(Self.image), "6-4")
    func membranes(shift: Int) throws -> [Float] {
      let output = forward(
        network, [events(batch: 2)], batch: 2,
        with: GridArithmetic(shifts: [0, shift], range: -2000...2000))
      #expect(
        output.currents?.value.elements.prefix(8) == output.membranes?.value.elements.prefix(8))
      return try #require(output.membranes?.value.elements)
    }
    #expect(try membranes(shift: 3) == membranes(shift: 0).map { $0 * 8 })
  }

  @Test func theObserverSeesEveryPopulationsCurrent() throws {
    let network = try network(.events(Self.image))
    var seen: [Int: Int] = [:]
    var options = ForwardOptions()
    options.observer = { seen[$0] = $1.count }
    _ = network.prepare(on: Tape()).forward([events(batch: 2)], batch: 2, options, on: Tape())
    #expect(
      network.populations.indices.allSatisfy {
        seen[$0] == Self.steps * 2 * network.populations[$0].shape.count
      })
  }

  @Test func anObservedCurrentSurvivesItsNeurons() throws {
    let network = try network(.events(Self.image))
    var kept: Tensor?
    var options = ForwardOptions()
    options.records = true
    options.observer = { if $0 == 0 { kept = $1 } }
    let output = network.prepare(on: Tape()).forward(
      [events(batch: 1)], batch: 1, options, on: Tape())
    guard case .spiking(_, let potentials)? = output.records[0] else {
      Issue.record("nothing was recorded")
      return
    }
    // After the first step membranes hold earlier currents; spikes reset them.
    #expect(kept?.elements != potentials.elements)
  }
}
