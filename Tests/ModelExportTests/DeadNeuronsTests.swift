import ModelExport
import ModelFixtures
import ModelFormat
import Tensors
import Testing
import Wiring

/// Removing what cannot matter changes nothing that is read.
@Suite struct DeadNeuronsTests {
  private func population(
    _ name: String, _ shape: Shape, threshold: ModelFormat.Parameter = 2,
    bias: ModelFormat.Parameter = .none, initial: ModelFormat.Parameter = .none
  ) -> Population {
    Population(
      name: name, shape: shape, kind: .lif(Population.LIF(threshold: threshold)), bias: bias,
      initial: initial)
  }

  private func dense(
    from source: Source, to target: Int, pool: Int = 1, _ rows: [[Int8]]
  ) -> Projection {
    Projection(
      name: "to \(target)", from: source, to: target, topology: .dense, pool: pool,
      weights: WeightMatrix(rows: rows.count, columns: rows[0].count, values: Array(rows.joined())))
  }

  /// Two addresses onto four neurons onto three onto two.
  ///
  /// Of the four the second hears nothing; of the three the second is not heard and the third hears
  /// only that second. The third of the four is heard by unheard neurons only.
  private func chain(bias: ModelFormat.Parameter = .none, initial: ModelFormat.Parameter = .none)
    -> Model
  {
    Model(
      name: "chain", steps: 4,
      inputs: [InputPort(name: "in", shape: Shape(channels: 2), kind: .events(.once))],
      populations: [
        population(
          "four", Shape(channels: 4), threshold: [2, 3, 4, 5], bias: bias, initial: initial),
        population("three", Shape(channels: 3)),
        Population(name: "out", shape: Shape(channels: 2), kind: .readout),
      ],
      projections: [
        dense(from: .input(0), to: 0, [[3, 0, 1, 2], [-1, 0, 5, 4]]),
        dense(from: .population(0), to: 1, [[4, 1, 0], [2, 2, 7], [0, 6, 0], [1, 0, 0]]),
        dense(from: .population(1), to: 2, [[1, 2], [0, 0], [3, 4]]),
      ],
      readout: 2,
      task: Model.Task(units: [[0.5, 0.25, 0.125, 1], [0.5], [1]]))
  }

  @Test func neuronsThatCannotMatterGoThroughWholeChains() throws {
    let living = removingDeadNeurons(from: chain())
    #expect(living.channels == [[0, 3], [0], [0, 1]])
    let model = living.model
    try model.validate()
    #expect(model.populations.map(\.shape.count) == [2, 1, 2])
    #expect(
      model.populations[0].kind == .lif(Population.LIF(threshold: [2, 5])))
    #expect(model.projections.map(\.weights.values) == [[3, 2, -1, 4], [4, 1], [1, 2]])
    #expect(model.projections.map(\.weights.rows) == [2, 2, 1])
    #expect(model.task.units == [[0.5, 1], [0.5], [1]])
    #expect(living.removedCount(0, of: chain()) == 2)
    #expect(living.removedCount(1, of: chain()) == 2)
    #expect(living.removedCount(2, of: chain()) == 0)
  }

  @Test func aBiasOrAnInitialMembraneKeepsANeuronThatHearsNothing() {
    // The second of the four may fire now, so the third of the three does too.
    let channels = [[0, 1, 3], [0, 2], [0, 1]]
    #expect(removingDeadNeurons(from: chain(bias: [0, 1, 0, 0])).channels == channels)
    #expect(removingDeadNeurons(from: chain(initial: [0, 1, 0, 0])).channels == channels)
    let biased = removingDeadNeurons(from: chain(bias: [0, 1, 0, 7])).model
    #expect(biased.populations[0].bias == [0, 1, 7])
  }

  @Test func aBiasDoesNotKeepANeuronThatIsNotHeard() {
    let living = removingDeadNeurons(from: chain(bias: [0, 0, 9, 0]))
    #expect(living.channels == [[0, 3], [0], [0, 1]])
  }

  @Test func aDeadPopulationKeepsOneNeuron() throws {
    var model = chain()
    model.projections[2].weights.values = [Int8](repeating: 0, count: 6)
    let living = removingDeadNeurons(from: model)
    try living.model.validate()
    // The one that stays is heard by nobody, but its own sources are taken as heard.
    #expect(living.channels == [[0, 3], [0], [0, 1]])
  }

  /// The digest is of spikes and membranes of all neurons, also of those that went.
  @Test func theDigestOfATraceGoesWithTheNeurons() {
    var model = chain()
    model.goldenDigest = 7
    #expect(removingDeadNeurons(from: model).model.goldenDigest == nil)
    let living = removingDeadNeurons(from: chain()).model
    var whole = living
    whole.goldenDigest = 7
    #expect(removingDeadNeurons(from: whole).model == whole)
  }

  // MARK: Planes

  /// 3 channels of 2 × 2 from one plane, pooled to one cell each, onto a read-out.
  private var plane: Model {
    let shape = Shape(channels: 3, height: 2, width: 2)
    // Channel 1 hears nothing.
    let kernel: [Int8] = (0..<4).flatMap { tap -> [Int8] in [Int8(tap + 1), 0, Int8(-tap)] }
    return Model(
      name: "plane", steps: 3,
      inputs: [
        InputPort(
          name: "in", shape: Shape(channels: 1, height: 3, width: 3), kind: .events(.once))
      ],
      populations: [
        population("conv", shape, threshold: ModelFormat.Parameter((1...12).map { $0 })),
        Population(name: "out", shape: Shape(channels: 2), kind: .readout),
      ],
      projections: [
        Projection(
          name: "conv", from: .input(0), to: 0, topology: .convolution(Convolution(kernel: 2)),
          weights: WeightMatrix(rows: 1, columns: 12, values: kernel)),
        dense(from: .population(0), to: 1, pool: 2, [[1, 2], [3, 4], [5, 6]]),
      ],
      readout: 1,
      task: Model.Task(units: [(1...12).map { Float($0) }, [1]]))
  }

  @Test func aSilentPlaneGoesWithItsColumnsAndRows() throws {
    let living = removingDeadNeurons(from: plane)
    #expect(living.channels == [[0, 2], [0, 1]])
    let model = living.model
    try model.validate()
    #expect(model.populations[0].shape == Shape(channels: 2, height: 2, width: 2))
    #expect(model.projections[0].weights.values == [1, 0, 2, -1, 3, -2, 4, -3])
    #expect(model.projections[1].weights.values == [1, 2, 5, 6])
    #expect(
      model.populations[0].kind
        == .lif(Population.LIF(threshold: [1, 3, 4, 6, 7, 9, 10, 12])))
  }

  @Test func rowsOfADenseProjectionGoAtEveryPlace() throws {
    var model = plane
    model.projections[1] = dense(
      from: .population(0), to: 1, (0..<12).map { [Int8($0), Int8(-$0 - 1)] })
    let living = removingDeadNeurons(from: model).model
    try living.validate()
    #expect(
      living.projections[1].weights.values == [0, 2, 3, 5, 6, 8, 9, 11].flatMap { [$0, -$0 - 1] })
  }

  /// Units by neuron were once cut as units by channel.
  @Test func unitsByNeuronFollowTheirNeurons() {
    #expect(
      removingDeadNeurons(from: plane).model.task.units == [[1, 3, 4, 6, 7, 9, 10, 12], [1]])
  }

  // MARK: Laws

  private func places(of channels: [Int], in shape: Shape) -> [Int] {
    (0..<shape.height * shape.width).flatMap { place in
      channels.map { place * shape.channels + $0 }
    }
  }

  /// Compares the read-out and every neuron that is left; yields the number of neurons removed.
  private func expectSameLife(_ model: Model, _ input: InferenceInput, _ seed: UInt64) throws -> Int
  {
    let living = removingDeadNeurons(from: model)
    try living.model.validate()
    let kept = model.populations.indices.map {
      places(of: living.channels[$0], in: model.populations[$0].shape)
    }
    var original = try ReferenceSimulator(model)
    var reduced = try ReferenceSimulator(living.model)
    var expected: [StepRecord] = []
    var found: [StepRecord] = []
    let scores = try original.run(input) { record in
      expected.append(
        StepRecord(
          spikes: kept.enumerated().map { population, neurons in
            let fired = Set(record.spikes[population])
            return neurons.indices.filter { fired.contains(UInt32(neurons[$0])) }.map(UInt32.init)
          },
          membranes: kept.enumerated().map { population, neurons in
            neurons.map { record.membranes[population][$0] }
          }))
    }.scores
    let answer = try reduced.run(input) { found.append($0) }
    #expect(FirstDifference.between(expected: expected, found: found) == nil, "seed \(seed)")
    #expect(answer.scores == scores, "seed \(seed)")
    #expect(
      removingDeadNeurons(from: living.model).model == living.model, "seed \(seed) is not finished")
    return model.populations.indices.reduce(0) { $0 + living.removedCount($1, of: model) }
  }

  @Test func randomGraphsComputeTheSameWithoutTheirDead() throws {
    var removed = 0
    for seed in 0..<300 as Range<UInt64> {
      let model = RandomModels.model(seed: seed)
      removed += try expectSameLife(model, RandomModels.input(for: model, seed: seed), seed)
    }
    #expect(removed > 500)
  }

  /// Leaves one weight in seven.
  private func thin(_ weights: inout Tensor, _ seed: UInt64) {
    var random = RandomSource(seed: seed)
    for index in 0..<weights.count where random.integer(below: 7) > 0 { weights[index] = 0 }
  }

  @Test func prunedNetworksComputeTheSameWithoutTheirDead() throws {
    var removed = 0
    for seed in 0..<60 as Range<UInt64> {
      let (network, arithmetic) = try RandomNetworks.network(seed: seed)
      for projection in network.projections { thin(&projection.weight.value, seed) }
      let model = try lower(
        network, arithmetic, as: ExportDescription(name: "", maximumSteps: 6))
      for input in RandomNetworks.inputs(for: network, seed: seed) {
        removed += try expectSameLife(model, input, seed)
      }
    }
    #expect(removed > 100)
  }

  @Test func populationsWithOtherProjectionsAreLeftWhole() {
    var checked = 0
    for seed in 0..<300 as Range<UInt64> {
      let model = RandomModels.model(seed: seed)
      let living = removingDeadNeurons(from: model)
      for index in model.populations.indices {
        let isWhole =
          model.populations[index].isReadout
          || model.projections.contains { projection in
            guard projection.target == index || projection.source == .population(index) else {
              return false
            }
            switch projection.topology {
            case .dense: return false
            case .convolution(let convolution): return convolution.groups > 1
            case .oneToOne, .lateral: return true
            }
          }
        guard isWhole else { continue }
        checked += 1
        #expect(
          living.channels[index].count == model.populations[index].shape.channels, "seed \(seed)")
      }
    }
    #expect(checked > 300)
  }
}
