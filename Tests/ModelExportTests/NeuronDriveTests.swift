import ModelFixtures
import ModelFormat
import Testing
import Wiring

@testable import ModelExport

/// The least sum that fires is the least: with it a neuron of the reference fires, with one less it does not.
@Suite struct NeuronDriveTests {
  /// A value onto a neuron by a weight of 1, so that the value is the sum, and on to the read-out.
  private func model(
    _ neuron: MembraneReach.Neuron, _ compare: Population.LIF.Compare, shift: Int, steps: Int
  ) -> Model {
    let lif = Population.LIF(
      threshold: [neuron.threshold], compare: compare, floor: -300, ceiling: 20_000)
    let one = WeightMatrix(rows: 1, columns: 1, values: [1])
    return Model(
      name: "one", stepMicroseconds: 0, steps: steps, maximumSteps: steps,
      inputs: [
        InputPort(
          name: "value", shape: Shape(channels: 1),
          kind: .values(minimum: -32768, maximum: 32767, framePerStep: false))
      ],
      populations: [
        Population(
          name: "hidden", shape: Shape(channels: 1), kind: .lif(lif), leak: [neuron.leak],
          bias: [neuron.lower], initial: [neuron.initial]),
        Population(name: "answer", shape: Shape(channels: 1), kind: .readout),
      ],
      projections: [
        Projection(
          name: "first", from: .input(0), to: 0, topology: .dense, shift: shift, weights: one),
        Projection(name: "last", from: .population(0), to: 1, topology: .dense, weights: one),
      ], readout: 1)
  }

  private func fires(_ model: Model, value: Int) throws -> Bool {
    var simulator = try ReferenceSimulator(model)
    let input = InferenceInput(steps: model.steps, ports: [.held([Int16(value)])])
    return try simulator.run(input).counters.populations[0].spikesOut > 0
  }

  @Test func itIsTheLeastThatFires() throws {
    var (found, none) = (0, 0)
    for leak in [0, 9830, 29491, 32767, 32768] {
      for (threshold, bias, initial) in [(7, 0, 0), (900, -40, 30), (5000, 100, -200), (50, 60, 9)]
      {
        for (shift, steps) in [(0, 1), (0, 4), (3, 2), (5, 9)] {
          for compare in [Population.LIF.Compare.greater, .greaterEqual] {
            let model = model(
              .init(lower: bias, upper: bias, leak: leak, threshold: threshold, initial: initial),
              compare, shift: shift, steps: steps)
            try model.validate()
            guard case .lif(let lif) = model.populations[0].kind,
              let drive = NeuronDrive(try DeviceGraph(model).layers[0], steps: steps)
            else { return #expect(Bool(false), "no drive") }
            let least = drive.sum(of: 0, in: model.populations[0], lif)
            if let least, (-32767...32767).contains(least) {
              found += 1
              #expect(try fires(model, value: least))
              #expect(try !fires(model, value: least - 1))
            } else {
              none += 1
              #expect(try fires(model, value: 32767) == ((least ?? Int.max) <= 32767))
            }
          }
        }
      }
    }
    #expect(found > 100 && none > 0, "\(found), \(none)")
  }
}
