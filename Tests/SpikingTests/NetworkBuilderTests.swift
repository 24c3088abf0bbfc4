import Tensors
import Testing
import Wiring

@testable import Spiking

@Suite struct NetworkBuilderTests {
  private func network(
    _ architecture: String, channels: Int = 1, height: Int = 28, width: Int = 28, classes: Int = 10,
    neurons: NeuronConfiguration = NeuronConfiguration(), seed: UInt64 = 1
  ) throws -> Network {
    try Network(
      name: "test", architecture: Architecture(architecture),
      input: .bytes(
        Shape(channels: channels, height: height, width: width), scale: 1 / 255),
      classes: classes, steps: 4, neurons: neurons, random: RandomSource(seed: seed))
  }

  @Test func shapesFollowTheStages() throws {
    let network = try network("16C3-P2-32C3s2-P3-128-10")
    let names = ["conv1", "conv2", "dense3", "readout"]
    #expect(network.populations.map(\.name) == names)
    #expect(network.projections.map(\.name) == names)
    #expect(
      network.populations.map(\.shape) == [
        Shape(channels: 16, height: 28, width: 28), Shape(channels: 32, height: 7, width: 7),
        Shape(channels: 128), Shape(channels: 10),
      ])
    #expect(
      network.projections.map(\.source) == [
        .input(0), .population(0), .population(1), .population(2),
      ])
    #expect(network.projections.map(\.target) == [0, 1, 2, 3])
    #expect(network.projections.map(\.pool) == [1, 2, 3, 1])
    #expect(
      network.projections.map(\.weight.value.shape) == [
        [1, 3, 3, 16], [16, 3, 3, 32], [32 * 2 * 2, 128], [128, 10],
      ])
    #expect(
      network.populations.map(\.neuron) == [.lif(.init()), .lif(.init()), .lif(.init()), .readout])
    #expect(network.readout == 3)
  }

  @Test func granularitiesDecideTheParametersCounts() throws {
    func counts(_ threshold: Granularity, _ leak: Granularity) throws -> [Int?] {
      let neurons = NeuronConfiguration(
        thresholdGranularity: threshold, leakGranularity: leak, bias: true)
      let layer = try network("4C3-10", height: 5, width: 6, neurons: neurons).populations[0]
      return [layer.threshold, layer.leak, layer.bias].map { $0?.value.count }
    }
    #expect(try counts(.layer, .channel) == [1, 4, 4])
    #expect(try counts(.channel, .neuron) == [4, 120, 4])
    #expect(try counts(.neuron, .layer) == [120, 1, 4])
  }

  @Test func parametersAreNamedByLayerAndRole() throws {
    let names = try network("4C3-10", neurons: NeuronConfiguration(bias: true)).parameters.map(
      \.name)
    #expect(
      names == ["conv1.weight", "conv1.threshold", "conv1.leak", "conv1.bias", "readout.weight"])
  }

  @Test func neuronsStartAsConfigured() throws {
    let neurons = NeuronConfiguration(threshold: 1.5, leak: 0.75)
    let layer = try network("4C3-10", neurons: neurons).populations[0]
    #expect(layer.threshold?.value == Tensor([4], filledWith: 1.5))
    #expect(layer.leak?.value == Tensor([4], filledWith: 0.75))
    #expect(layer.bias == nil)
  }

  @Test func constraintsHoldParametersInTheirRange() throws {
    let layer = try network("4C3-10").populations[0]
    layer.threshold?.value = Tensor([4], [-1, 0, 0.5, 9])
    layer.leak?.value = Tensor([4], [-1, 0.5, 1, 1.5])
    for parameter in layer.parameters { parameter.enforceConstraints() }
    #expect(layer.threshold?.value.elements == [0.01, 0.01, 0.5, 9])
    #expect(layer.leak?.value.elements == [0, 0.5, 1, 1])
  }

  @Test func prunedWeightsStayZero() throws {
    let weight = try network("4C3-10").projections[0].weight
    weight.mask = Tensor(weight.value.shape, (0..<36).map { $0 % 2 == 0 ? 1 : 0 })
    #expect((0..<36).allSatisfy { (weight.value[$0] == 0) == ($0 % 2 == 1) })
    weight.value.apply { $0 + 1 }
    weight.enforceConstraints()
    #expect((0..<36).allSatisfy { (weight.value[$0] == 0) == ($0 % 2 == 1) })
  }

  /// √(2/fan-in), the fan-in being the sources a neuron sums over, pooled cells counted in full.
  @Test func initialWeightsHaveTheDeviationOfTheirFanIn() throws {
    let layers = try network("64C3-P2-64C3-P2-256-10").projections
    for (layer, fanIn) in zip(layers, [9, 64 * 9 * 4, 64 * 49 * 4, 256]) {
      let weights = layer.weight.value
      let count = Double(weights.count)
      let mean = weights.sum / count
      let variance = weights.map { $0 * $0 }.sum / count
      let expected = 2 / Double(fanIn)
      // Six standard errors: of the mean σ/√n, of the variance σ²·√(2/n).
      #expect(abs(mean) < 6 * (expected / count).squareRoot(), "\(layer.name)")
      #expect(abs(variance - expected) < 6 * expected * (2 / count).squareRoot(), "\(layer.name)")
    }
  }

  @Test func theSeedDecidesTheWeights() throws {
    func weights(_ seed: UInt64) throws -> [Tensor] {
      try network("4C3-P2-16-10", seed: seed).projections.map(\.weight.value)
    }
    #expect(try weights(1) == weights(1))
    #expect(try weights(1) != weights(2))
  }

  @Test func aWrongNumberOfClassesIsRefused() {
    #expect(throws: ArchitectureError.classes(expected: 10, found: 11)) { try network("16-11") }
  }

  @Test(arguments: [("P4-8-10", "P4-8"), ("8C5p0-10", "8C5p0"), ("8C3-P4-8C3-10", "P4-8C3")])
  func aLayerThatDoesNotFitIsRefused(architecture: String, token: String) throws {
    let error = #expect(throws: ArchitectureError.self) {
      try network(architecture, height: 3, width: 3)
    }
    guard case .doesNotFit(token, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  /// Dense neurons have no place in a plane; their steps were once read as an image's rows.
  @Test func aConvolutionAfterADenseLayerIsRefused() {
    #expect(
      throws: ArchitectureError.doesNotFit(token: "8C3", source: Shape(channels: 16))
    ) { try network("16-8C3-10") }
  }
}
