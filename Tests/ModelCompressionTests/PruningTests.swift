import Spiking
import Tensors
import TestMathematics
import Testing
import Wiring

@testable import ModelCompression

@Suite struct PruningTests {
  /// Layers conv1 (18 weights), dense2 (32) and readout (8), with weights that differ.
  private func network(seed: UInt64 = 1) throws -> Network {
    let network = try Network(
      name: "test", architecture: Architecture("2C3-P2-4-2"),
      input: .events(Shape(channels: 1, height: 4, width: 4)), classes: 2, steps: 2,
      neurons: NeuronConfiguration(), random: RandomSource(seed: seed))
    #expect(network.projections.map(\.weight.value.count) == [18, 32, 8])
    return network
  }

  private func zeros(_ network: Network) -> [Int] {
    network.projections.map { projection in projection.weight.value.elements.count { $0 == 0 } }
  }

  private func pruned(_ network: Network) -> [Int] {
    network.projections.map { projection in
      projection.weight.mask?.elements.count { $0 == 0 } ?? 0
    }
  }

  // MARK: Share

  @Test func theShareFollowsACube() {
    let plan = PruningPlan(sparsity: 0.5, begin: 0.25, end: 0.75)
    let points = [0, 0.25, 0.375, 0.5, 0.625, 0.75, 1]
    // u = 0, 0, 1/4, 1/2, 3/4, 1, 1; 1 − (1 − u)³ in 64ths.
    #expect(points.map { plan.share(at: $0) * 64 } == [0, 0, 37, 56, 63, 64, 64])
  }

  @Test func aPlanWithoutExtentActsAtOnce() {
    let plan = PruningPlan(sparsity: 0.5, begin: 0.5, end: 0.5)
    #expect([0, 0.49, 0.5, 1].map { plan.share(at: $0) } == [0, 0, 1, 1])
  }

  @Test func theShareNeverFalls() {
    let plan = PruningPlan(sparsity: 0.5, begin: 0.1, end: 0.9)
    let shares = (0...1000).map { plan.share(at: Double($0) / 1000) }
    #expect(zip(shares, shares.dropFirst()).allSatisfy { $0 <= $1 })
  }

  // MARK: Synapses

  /// w²/Σ of those at least as large: for 4, 2, 1 they are 1, 4/20, 1/21; scale does not matter.
  @Test func layerAdaptiveMagnitudesDecideBetweenLayers() throws {
    let network = try network()
    func fill(_ index: Int, _ weights: [Float]) {
      let value = network.projections[index].weight.value
      network.projections[index].weight.value = Tensor(
        value.shape, weights + [Float](repeating: 0, count: value.count - weights.count))
    }
    fill(0, [4, -2, 1])
    fill(1, [3, 3, -3])
    fill(2, [100, 1])
    // Scores: 1, 0.2, 0.0476 | 1, 0.5, 0.333 | 1, 0.0001. Of 58, 50 are 0; take 3, then 2 more.
    network.prune(PruningPlan(sparsity: 53.0 / 58), progress: 1)
    #expect(network.projections[0].weight.value.elements.prefix(3) == [4, 0, 0])
    #expect(network.projections[1].weight.value.elements.prefix(3).count { $0 != 0 } == 3)
    #expect(network.projections[2].weight.value.elements.prefix(2) == [100, 0])
    network.prune(PruningPlan(sparsity: 55.0 / 58), progress: 1)
    #expect(zeros(network) == [17, 31, 7])
  }

  @Test func oneLayersOrderIsThatOfMagnitude() throws {
    let network = try network()
    let before = network.projections[1].weight.value.elements
    network.prune(PruningPlan(scope: .layer, sparsity: 0.25), progress: 1)
    let order = before.indices.sorted { abs(before[$0]) < abs(before[$1]) }
    let after = network.projections[1].weight.value.elements
    #expect(Set(order.prefix(8)) == Set(after.indices.filter { after[$0] == 0 }))
    #expect(order.dropFirst(8).allSatisfy { after[$0] == before[$0] })
  }

  @Test(arguments: [0.01, 0.1, 0.5, 0.75, 0.9, 0.95])
  func countsAreExact(sparsity: Double) throws {
    let global = try network()
    global.prune(PruningPlan(scope: .global, sparsity: sparsity), progress: 1)
    #expect(pruned(global).reduce(0, +) == Int((58 * sparsity).rounded()))
    #expect(global.sparsity == (58 * sparsity).rounded() / 58)
    let local = try network()
    local.prune(PruningPlan(scope: .layer, sparsity: sparsity), progress: 1)
    #expect(
      pruned(local) == [18.0, 32, 8].map { min(Int(($0 * sparsity).rounded()), Int($0) - 1) })
  }

  @Test func layersOfTheirOwnAreLeftOutOfTheComparison() throws {
    let network = try network()
    network.prune(
      PruningPlan(sparsity: 0.5, layers: ["conv1": 1.0 / 3, "readout": 0]), progress: 1)
    #expect(pruned(network) == [6, 16, 0])
  }

  /// Equal weights, as after a coarse quantisation, are one too many or too few for no plan.
  @Test func equalWeightsDoNotGoTogether() throws {
    let network = try network()
    for projection in network.projections { projection.weight.value.apply { $0 < 0 ? -0.5 : 0.5 } }
    network.prune(PruningPlan(scope: .layer, sparsity: 0.5), progress: 1)
    #expect(pruned(network) == [9, 16, 4])
  }

  /// However little is left, each layer keeps its largest synapse: a layer without one says
  /// nothing.
  @Test(arguments: [PruningPlan.Scope.global, .layer])
  func noLayerIsEverEmpty(scope: PruningPlan.Scope) throws {
    let network = try network()
    network.prune(PruningPlan(scope: scope, sparsity: 0.999), progress: 1)
    #expect(pruned(network) == [17, 31, 7])
  }

  @Test func nothingIsPrunedBeforeTheBeginning() throws {
    let network = try network()
    network.prune(PruningPlan(sparsity: 0.9, begin: 0.5, end: 1), progress: 0.5)
    #expect(network.projections.allSatisfy { $0.weight.mask == nil })
    #expect(network.sparsity == 0)
  }

  // MARK: Gradually

  /// Moves every weight as training would.
  private func disturb(_ network: Network, _ random: inout RandomSource) {
    for projection in network.projections {
      projection.weight.value.add(
        Tensor.random(projection.weight.value.shape, in: -0.5...0.5, using: &random))
      projection.weight.enforceConstraints()
    }
  }

  private func isSubset(_ earlier: Tensor?, _ later: Tensor?) -> Bool {
    guard let earlier else { return true }
    guard let later else { return false }
    return zip(earlier.elements, later.elements).allSatisfy { $0 == 1 || $1 == 0 }
  }

  @Test(
    arguments: [PruningPlan.Unit.synapses, .channels], [PruningPlan.Scope.global, .layer])
  func sparsityGrowsToItsEndAndNothingRegrows(unit: PruningPlan.Unit, scope: PruningPlan.Scope)
    throws
  {
    let network = try network()
    let plan = PruningPlan(unit: unit, scope: scope, sparsity: 0.5, begin: 0.125, end: 0.75)
    var random = RandomSource(seed: 3)
    var masks = network.projections.map(\.weight.mask)
    for step in 0...16 {
      network.prune(plan, progress: Double(step) / 16)
      let now = network.projections.map(\.weight.mask)
      #expect(zip(masks, now).allSatisfy(isSubset), "step \(step)")
      masks = now
      disturb(network, &random)
      let due = Int((58 * 0.5 * plan.share(at: Double(step) / 16)).rounded())
      if unit == .synapses && scope == .global {
        #expect(pruned(network).reduce(0, +) == due, "step \(step)")
      }
    }
    #expect(
      unit == .channels
        ? pruned(network) == [9, 16, 0] : network.sparsity == 0.5)
  }

  /// A later stage that starts from nothing, asks for less, or removes other things.
  @Test(
    arguments: [PruningPlan.Unit.synapses, .channels], [PruningPlan.Unit.synapses, .channels])
  func aSecondPlanKeepsWhatTheFirstRemoved(first: PruningPlan.Unit, second: PruningPlan.Unit) throws
  {
    let network = try network()
    network.prune(PruningPlan(unit: first, scope: .layer, sparsity: 0.75), progress: 1)
    let masks = network.projections.map(\.weight.mask)
    var random = RandomSource(seed: 4)
    disturb(network, &random)
    for sparsity in [0.25, 0.5] {
      network.prune(PruningPlan(unit: second, scope: .layer, sparsity: sparsity), progress: 1)
      #expect(zip(masks, network.projections.map(\.weight.mask)).allSatisfy(isSubset))
    }
  }

  // MARK: Channels

  @Test func channelsOfLeastNormGoWhole() throws {
    let network = try network()
    let weight = network.projections[1].weight
    for row in 0..<8 {
      for (column, scale) in [Float(3), 0.1, 2, 0.2].enumerated() {
        weight.value[row * 4 + column] = scale * (row % 2 == 0 ? 1 : -1)
      }
    }
    network.prune(PruningPlan(unit: .channels, sparsity: 0.5), progress: 1)
    for index in 0..<32 { #expect((weight.value[index] == 0) == (index % 4 % 2 == 1)) }
    #expect(pruned(network) == [9, 16, 0])
  }

  @Test func aLayerKeepsOneChannelAndAReadoutAll() throws {
    let network = try network()
    network.prune(
      PruningPlan(unit: .channels, sparsity: 0.99, layers: ["readout": 0.99]), progress: 1)
    #expect(pruned(network) == [9, 24, 0])
  }

  // MARK: Recurrent networks

  /// Projections in (12 weights), back (16, a step later), beside (1, lateral), out (8).
  private func recurrent() throws -> Network {
    let network = try ModelCompressionTests.network(
      [.events(Shape(channels: 3))],
      [
        NetworkPlan.Population(
          name: "hidden", shape: Shape(channels: 4), neurons: NeuronConfiguration()),
        NetworkPlan.Population(name: "answer", shape: Shape(channels: 2), neurons: nil),
      ],
      [
        NetworkPlan.Projection(name: "in", from: .input(0), to: 0, topology: .dense),
        NetworkPlan.Projection(
          name: "back", from: .population(0), to: 0, topology: .dense, delay: 1),
        NetworkPlan.Projection(
          name: "beside", from: .population(0), to: 0, topology: .lateral, delay: 1),
        NetworkPlan.Projection(name: "out", from: .population(0), to: 1, topology: .dense),
      ])
    #expect(network.projections.map(\.weight.value.count) == [12, 16, 1, 8])
    return network
  }

  @Test func projectionsIntoOnePopulationArePrunedEachByItsName() throws {
    let network = try recurrent()
    let plan = PruningPlan(scope: .layer, sparsity: 0.5, layers: ["back": 0.75, "out": 0])
    try plan.validate(for: network)
    network.prune(plan, progress: 1)
    // The one weight of a lateral projection is its largest.
    #expect(pruned(network) == [6, 12, 0, 0])
    #expect(
      throws: CompressionError.unknownLayer(
        name: "hidden", known: ["in", "back", "beside", "out"])
    ) {
      try PruningPlan(sparsity: 0.5, layers: ["hidden": 0.5]).validate(for: network)
    }
  }

  @Test func aRecurrentNetworksProjectionsAreComparedTogether() throws {
    let network = try recurrent()
    let before = network.projections.map(\.weight.value)
    network.prune(PruningPlan(sparsity: 0.5, layers: ["in": 0.25]), progress: 1)
    let counts = pruned(network)
    // Half of 16 + 1 + 8, rounded away from 0.
    #expect(counts[0] == 3 && counts[2] == 0 && counts.dropFirst().reduce(0, +) == 13)
    for (projection, before) in zip(network.projections, before) {
      for index in 0..<before.count {
        let kept = projection.weight.mask.map { $0[index] } ?? 1
        #expect(projection.weight.value[index] == kept * before[index])
      }
    }
    let arithmetic = try QuantizedArithmetic(network) { _ in .four }
    let numbers = network.prepare(with: arithmetic, on: Tape()).numbers
    for (numbers, projection) in zip(numbers.projections, network.projections) {
      for index in 0..<projection.weight.value.count where projection.weight.mask?[index] == 0 {
        #expect(numbers.weight.value[index] == 0)
      }
    }
  }

  @Test func channelsOfARecurrentNetworkGoFromEachProjection() throws {
    let network = try recurrent()
    network.prune(
      PruningPlan(unit: .channels, sparsity: 0.5, layers: ["back": 0.75]), progress: 1)
    // Two columns of 3 and three of 4; a weight of all channels and the classes stay.
    #expect(pruned(network) == [6, 12, 0, 0])
    for (name, kept) in [("in", 2), ("back", 1)] {
      let mask = try #require(network.projection(name).weight.mask)
      let columns = (0..<4).map { column in
        Set(stride(from: column, to: mask.count, by: 4).map { mask[$0] })
      }
      #expect(columns.count { $0 == [1] } == kept && columns.count { $0 == [0] } == 4 - kept)
    }
  }

  // MARK: Errors

  @Test func plansAreCheckedAgainstTheNetwork() throws {
    let network = try network()
    try PruningPlan(sparsity: 0, layers: ["conv1": 0.5]).validate(for: network)
    #expect(
      throws: CompressionError.unknownLayer(name: "conv9", known: ["conv1", "dense2", "readout"])
    ) { try PruningPlan(sparsity: 0.5, layers: ["conv9": 0.5]).validate(for: network) }
    for sparsity in [1, -0.1, 2] {
      #expect(throws: CompressionError.impossibleSparsity(layer: "all layers", found: sparsity)) {
        try PruningPlan(sparsity: sparsity).validate(for: network)
      }
      #expect(throws: CompressionError.impossibleSparsity(layer: "dense2", found: sparsity)) {
        try PruningPlan(sparsity: 0, layers: ["dense2": sparsity]).validate(for: network)
      }
    }
    #expect(throws: CompressionError.self) {
      try PruningPlan(sparsity: .nan).validate(for: network)
    }
  }

  @Test func errorsSayWhatToDo() {
    #expect(
      "\(CompressionError.unknownLayer(name: "a", known: ["b", "c"]))"
        == "compression: no layer 'a'; the network has b, c")
    #expect(
      "\(CompressionError.impossibleSparsity(layer: "a", found: 1))"
        == "pruning of a: expected a sparsity in 0..<1, found 1.0")
  }

  // MARK: Taps

  /// Two addresses onto three neurons by four taps, and onto the read-out by one.
  private func delayed() throws -> Network {
    var plan = NetworkPlan(ports: [.events(Shape(channels: 2, height: 1, width: 1))])
    plan.populations = [
      .init(name: "hidden", shape: Shape(channels: 3), neurons: NeuronConfiguration()),
      .init(name: "readout", shape: Shape(channels: 2), neurons: nil),
    ]
    plan.readout = 1
    plan.projections = [
      .init(name: "late", from: .input(0), to: 0, topology: .dense, taps: 4, tapStep: 2),
      .init(name: "out", from: .population(0), to: 1, topology: .dense),
    ]
    return try Network(name: "delayed", plan: plan, steps: 4, random: RandomSource(seed: 1))
  }

  @Test func tapsOfSmallNormGoWhole() throws {
    let network = try delayed()
    let late = network.projections[0].weight
    late.value = Tensor(
      late.value.shape,
      (0..<24).map { index in [Float(2), 5, 1, 3][index / 6] * (index % 2 == 0 ? 1 : -1) })
    network.prune(PruningPlan(unit: .taps, sparsity: 0.5), progress: 1)
    #expect(
      late.value.elements.map { $0 == 0 }
        == [true, false, true, false].flatMap { [Bool](repeating: $0, count: 6) })
    #expect(network.projections[1].weight.mask == nil)
    network.prune(PruningPlan(unit: .taps, sparsity: 0.99), progress: 1)
    #expect(late.value.elements.map { $0 != 0 } == (0..<24).map { (6..<12).contains($0) })
  }

  @Test func pruningTapsNeedsSeveral() throws {
    let network = try delayed()
    try PruningPlan(unit: .taps, sparsity: 0.5).validate(for: network)
    #expect(throws: CompressionError.noTaps(layer: "out", known: ["late"])) {
      try PruningPlan(unit: .taps, sparsity: 0, layers: ["out": 0.5]).validate(for: network)
    }
    #expect(throws: CompressionError.noTaps(layer: "all layers", known: [])) {
      try PruningPlan(unit: .taps, sparsity: 0.5).validate(for: self.network())
    }
  }
}
