import Spiking
import Tensors
import TestMathematics
import Testing
import Wiring

@testable import ModelCompression

/// Shifts, worked by hand from a limit of 32767 of which bounds take three quarters, 4 thresholds beside
/// the bound, 1.25 bounds, a shift of 8 and thresholds of 4096.
@Suite struct GridChoiceTests {
  /// Two sources onto two neurons; codes of 8 bits and steps 1/4 and 1/2 sum to 5 and 4.
  private func network(
    threshold: Float, weights: [Float] = [0.5, -1, 0.75, 1], inputScale: Float? = nil
  ) throws -> Network {
    let shape = Shape(channels: weights.count / 2)
    let network = try Network(
      name: "test", architecture: Architecture("2-2"),
      input: inputScale.map { .bytes(shape, scale: $0) } ?? .events(shape), classes: 2, steps: 1,
      neurons: NeuronConfiguration(threshold: threshold), random: RandomSource(seed: 1))
    network.projections[0].weight.value = Tensor([weights.count / 2, 2], weights)
    return network
  }

  /// The grid of the first population with all weights in 8 bits.
  private func choice(
    _ network: Network, of population: Int = 0, steps: [Float]
  ) throws -> GridChoice {
    try GridChoice(
      for: population, of: network, bits: network.projections.map { _ in .eight },
      steps: Tensor([steps.count], steps))
  }

  private func choice(
    threshold: Float, weights: [Float] = [0.5, -1, 0.75, 1], steps: [Float] = [0.25, 0.5],
    inputScale: Float? = nil
  ) throws -> Int {
    let choice = try choice(
      network(threshold: threshold, weights: weights, inputScale: inputScale), steps: steps)
    #expect(choice == whole(choice.shift))
    return choice.shift
  }

  /// A choice with the whole range of int16.
  private func whole(_ shift: Int, others: [String: Int] = [:]) -> GridChoice {
    GridChoice(shift: shift, floor: -32767, ceiling: 32767, others: others)
  }

  private func largestSum(of network: Network, steps: [Float]) -> Double {
    GridChoice.bound(
      for: 0, of: network, bits: network.projections.map { _ in .eight },
      steps: Tensor([steps.count], steps))
  }

  @Test func spikesTakeTheLargestShift() throws {
    // Bound 6.25, threshold 4: 22.25 · 2^8 fits.
    #expect(try choice(threshold: 1) == 8)
  }

  @Test func thresholdsStopAt4096() throws {
    // Threshold 20 · 2^7 = 2560, · 2^8 = 5120.
    #expect(try choice(threshold: 5) == 7)
  }

  @Test func boundAndThresholdsStopAt16Bits() throws {
    // Codes 127 twice: bound 317.5, threshold 400: 1917.5 · 2^3 fits, · 2^4 does as well; 400 · 2^4
    // does not.
    #expect(
      try choice(threshold: 400, weights: [127, 127, 127, 127], steps: [1]) == 3)
    // Threshold 10: 357.5 · 2^6 = 22880 fits, · 2^7 does not.
    #expect(
      try choice(threshold: 10, weights: [127, 127, 127, 127], steps: [1]) == 6)
  }

  @Test func theBoundTakesThreeQuartersAtMost() throws {
    // 1.25 · 40 · 127 = 6350: twice it is 12700, four times it 25400.
    let weights = [Float](repeating: 127, count: 2 * 40)
    #expect(try choice(threshold: 10, weights: weights, steps: [1]) == 1)
  }

  @Test func valuesTakeTheSmallestShift() throws {
    // Accumulated 6.25 · 255 = 1593.75; threshold 4 · 256 = 1024: no shift is needed.
    #expect(try choice(threshold: 1, inputScale: 1 / 256) == 0)
    // Threshold 40 · 256 = 10240 > 4096: shift 2.
    #expect(try choice(threshold: 10, inputScale: 1 / 256) == 2)
    // Accumulated 1.25 · 127 · 100 · 255 = 4048125 is below 32767 after 7 shifts, but leaves too
    // little; after 8 it is 15813.
    #expect(
      try choice(
        threshold: 10, weights: [Float](repeating: 127, count: 200), steps: [1], inputScale: 1 / 256
      ) == 8)
  }

  @Test func aPoolMultipliesTheBound() throws {
    func bound(_ architecture: String) throws -> Double {
      let network = try Network(
        name: "test", architecture: Architecture(architecture),
        input: .events(Shape(channels: 1, height: 2, width: 2)), classes: 2, steps: 1,
        neurons: NeuronConfiguration(), random: RandomSource(seed: 1))
      network.projections[0].weight.value.apply { _ in 4 }
      return largestSum(of: network, steps: [0.25])
    }
    // 4 sources of code 16, or one cell of 4 sources.
    #expect(try bound("1-2") == 80)
    #expect(try bound("P2-1-2") == 80)
  }

  @Test func aReadoutIsNotShifted() throws {
    let network = try Network(
      name: "test", architecture: Architecture("2-2"), input: .events(Shape(channels: 2)),
      classes: 2, steps: 1, neurons: NeuronConfiguration(), random: RandomSource(seed: 1))
    let choice = try choice(network, of: 1, steps: [1])
    #expect(choice == whole(0))
  }

  // MARK: The bound of one neuron

  /// Whatever shares a step, only what ends at the same neuron adds up.
  @Test func oneUnitForManyNeuronsLeavesTheBoundThatOfOne() throws {
    func bound(_ population: NetworkPlan.Population, _ topology: Topology) throws -> Double {
      let network = try ModelCompressionTests.network(
        [.events(Shape(channels: 2, height: 2, width: 2))],
        [
          population,
          NetworkPlan.Population(name: "answer", shape: Shape(channels: 2), neurons: nil),
        ],
        [
          NetworkPlan.Projection(
            name: "in", from: .input(0), to: 0, topology: topology, granularity: .neuron),
          NetworkPlan.Projection(name: "out", from: .population(0), to: 1, topology: .dense),
        ])
      network.projections[0].weight.value.apply { _ in 4 }
      let units = network.hasOneUnit(0) ? 1 : population.shape.channels
      return largestSum(of: network, steps: [Float](repeating: 0.25, count: units))
    }
    let toValue = NeuronConfiguration(dynamics: LIFDynamics(reset: .value, resetValue: 0.5))
    let plane = Shape(channels: 2, height: 2, width: 2)
    for neurons in [NeuronConfiguration(), toValue] {
      func population(_ shape: Shape) -> NetworkPlan.Population {
        NetworkPlan.Population(name: "hidden", shape: shape, neurons: neurons)
      }
      // Codes of 16, a quarter more: from 8 sources, from 1, from 2 · 9 under the kernel.
      #expect(try bound(population(Shape(channels: 5)), .dense) == 160)
      #expect(try bound(population(plane), .dense) == 160)
      #expect(try bound(population(plane), .oneToOne) == 20)
      #expect(
        try bound(population(plane), .convolution(Convolution(kernel: 3, padding: 1))) == 360)
    }
  }

  /// One weight from every other neuron and one of its own.
  @Test func aLateralWeightCountsOnceForEachOtherNeuron() throws {
    let network = try ModelCompressionTests.network(
      [.events(Shape(channels: 5))],
      [
        NetworkPlan.Population(
          name: "hidden", shape: Shape(channels: 5), neurons: NeuronConfiguration()),
        NetworkPlan.Population(name: "answer", shape: Shape(channels: 2), neurons: nil),
      ],
      [
        NetworkPlan.Projection(
          name: "in", from: .input(0), to: 0, topology: .oneToOne, granularity: .layer),
        NetworkPlan.Projection(
          name: "beside", from: .population(0), to: 0, topology: .lateral, delay: 1),
        NetworkPlan.Projection(name: "out", from: .population(0), to: 1, topology: .dense),
      ])
    network.setWeights(of: "in", [1])
    network.setWeights(of: "beside", [-1])
    // Codes of 4, five times: bound 25, threshold 4, 41 · 2^8 fits.
    #expect(
      try choice(network, steps: [0.25])
        == whole(8, others: ["beside": 8]))
  }

  // MARK: Several projections

  /// Projections `a` and `b` onto two neurons; `a` has the weights above and steps of 1/4 and 1/2.
  private func shared(
    _ second: InputPort, weights: [Float], neurons: Bool = true
  ) throws -> Network {
    var populations = [
      NetworkPlan.Population(
        name: "both", shape: Shape(channels: 2), neurons: neurons ? NeuronConfiguration() : nil)
    ]
    var projections = [
      NetworkPlan.Projection(name: "a", from: .input(0), to: 0, topology: .dense),
      NetworkPlan.Projection(name: "b", from: .input(1), to: 0, topology: .dense),
    ]
    if neurons {
      populations.append(
        NetworkPlan.Population(name: "answer", shape: Shape(channels: 2), neurons: nil))
      projections.append(
        NetworkPlan.Projection(name: "out", from: .population(0), to: 1, topology: .dense))
    }
    let network = try ModelCompressionTests.network(
      [InputPort(name: "a", shape: Shape(channels: 2), kind: .events(.once)), second],
      populations, projections)
    network.setWeights(of: "a", [0.5, -1, 0.75, 1])
    network.setWeights(of: "b", weights)
    return network
  }

  private func port(_ count: Int, _ kind: InputPort.Kind = .events(.once)) -> InputPort {
    InputPort(name: "b", shape: Shape(channels: count), kind: kind)
  }

  private func bytes(scale: Float) -> InputPort.Kind {
    .values(minimum: 0, maximum: 255, scale: scale, framePerStep: false)
  }

  @Test func largerWeightsAreShiftedFurther() throws {
    // Weights of 8 ask for 2 · 8/√127 = 1.42, four times the mean step: steps 1 and 2, codes 8
    // and 4. Bound 1.25 · (5 + 4 · 16), threshold 4: 102.25 · 2^8 fits, and spikes are shifted by eight at most.
    let network = try shared(port(2), weights: [8, 8, 8, 8])
    #expect(
      try choice(network, steps: [0.25, 0.5])
        == whole(8, others: ["b": 10]))
  }

  @Test func theSmallestWeightsAreShiftedByEightAtMost() throws {
    // Weights of 1/8 ask for 0.022, 2^-4 of the mean step: steps 1/64 and 1/32, codes 8 and 4.
    // Bound 1.25 · (5 + 16/16), threshold 4: 23.5 · 2^10 fits, · 2^11 does not.
    let network = try shared(port(2), weights: [0.125, 0.125, 0.125, 0.125])
    #expect(
      try choice(network, steps: [0.25, 0.5])
        == whole(10, others: ["b": 6]))
    // Bound 1.25 · (1 + 1), threshold 1/4: 3.5 · 2^13 would fit, but shifts `b` by 9.
    network.setWeights(of: "a", [0.25, 0, 0, 0])
    network.populations[0].threshold?.value = Tensor([1], [0.0625])
    #expect(
      try choice(network, steps: [0.25, 0.5])
        == whole(12, others: ["b": 8]))
  }

  @Test func repeatedEventsCountAsOftenAsTheyMay() throws {
    // 8 and 4 as above, three times each: bound 1.25 · (5 + 4 · 48); 262.25 · 2^6 fits, · 2^7
    // leaves too little.
    let network = try shared(port(2, .events(.every(maximumPerStep: 3))), weights: [8, 8, 8, 8])
    #expect(
      try choice(network, steps: [0.25, 0.5])
        == whole(6, others: ["b": 8]))
  }

  /// Spikes and values: the finest unit at which neither projection's step changes.
  @Test func spikesAndValuesMeetAtTheFinestUnitOfBoth() throws {
    // Weights of 8 times 1/256 ask for 0.0055, 2^-6 of the mean step, so six shifts bring values to
    // the same unit, and the right shift of values ends at 0. Steps 1 and 2, codes 8 and 4: bound
    // 1.25 · (5 + 2 · 8 · 255/64), threshold 4: 101.9375 · 2^6 = 6524.
    let network = try shared(port(2, bytes(scale: 1 / 256)), weights: [8, 8, 8, 8])
    #expect(
      try choice(network, steps: [0.25, 0.5])
        == whole(6, others: ["b": 0]))
    // Weights of 1/2: 2^-10, steps 1/16 and 1/8, the same codes; bound 1.25 · (5 + 4080/1024).
    network.setWeights(of: "b", [0.5, 0.5, 0.5, 0.5])
    #expect(
      try choice(network, steps: [0.25, 0.5])
        == whole(8, others: ["b": 2]))
  }

  /// A unit fine enough for 16 bits would need values shifted left; a coarser one is exact.
  @Test func fewValuesBesideSpikesDoNotPreventAUnit() throws {
    let network = try shared(port(1, bytes(scale: 1)), weights: [0.75, 0.75])
    network.setWeights(of: "a", [0.75, 0.75, 0.75, 0.75])
    let arithmetic = try QuantizedArithmetic(network) { _ in .four }
    #expect(arithmetic.choices[0].shift == 0 && arithmetic.choices[0].others == ["b": 0])
  }

  @Test func aReadoutOfValuesIsNotShifted() throws {
    let network = try ModelCompressionTests.network(
      [.bytes(Shape(channels: 3), scale: 1 / 256)],
      [NetworkPlan.Population(name: "answer", shape: Shape(channels: 2), neurons: nil)],
      [NetworkPlan.Projection(name: "in", from: .input(0), to: 0, topology: .dense)])
    #expect(
      try choice(network, steps: [0.25]) == whole(0))
  }

  @Test func aReadoutOfSeveralProjectionsShiftsByTheSmallest() throws {
    let network = try shared(port(2), weights: [8, 8, 8, 8], neurons: false)
    #expect(
      try choice(network, steps: [0.375])
        == whole(0, others: ["b": 2]))
    network.setWeights(of: "b", [0.125, 0.125, 0.125, 0.125])
    #expect(
      try choice(network, steps: [0.375])
        == whole(4, others: ["b": 0]))
  }

  /// `b` is 2^24 times as strong or as weak as `a`; a read-out has no sums to keep small.
  @Test(arguments: [true, false])
  func unitsThatCannotMeetAreNamed(neurons: Bool) throws {
    let network = try shared(port(2), weights: [1, 1, 1, 1], neurons: neurons)
    func error(_ a: Float, _ b: Float) -> CompressionError? {
      for (name, weight) in [("a", a), ("b", b)] {
        network.setWeights(of: name, [weight, weight, weight, weight])
      }
      return #expect(throws: CompressionError.self) {
        try QuantizedArithmetic(network) { _ in .eight }
      }
    }
    #expect(
      error(1, 0x1p24)
        == .unitsCannotMeet(projection: "b", population: "both", expected: "0…15", found: 24))
    #expect(
      error(0x1p24, 1)
        == .unitsCannotMeet(projection: "a", population: "both", expected: "0…15", found: 24))
  }

  @Test func valuesThatCannotMeetSpikesAreNamed() throws {
    // Spikes are not shifted right, nor values left.
    let network = try shared(port(2, bytes(scale: 1)), weights: [1024, 1024, 1024, 1024])
    network.setWeights(of: "a", [1, 1, 1, 1])
    #expect(
      throws: CompressionError.unitsCannotMeet(
        projection: "b", population: "both", expected: "0…24", found: -10)
    ) { try QuantizedArithmetic(network) { _ in .eight } }
  }

  @Test func theErrorSaysWhichProjectionAndWhere() {
    let error = CompressionError.unitsCannotMeet(
      projection: "b", population: "both", expected: "0…15", found: 24)
    #expect(
      "\(error)"
        == "quantisation of b: expected weights that share the membrane unit of both by a shift of "
        + "0…15, found 24")
  }

  @Test func aSilentPopulationIsNamed() throws {
    let network = try ModelCompressionTests.network(
      [.events(Shape(channels: 2))],
      [
        NetworkPlan.Population(
          name: "alone", shape: Shape(channels: 2), neurons: NeuronConfiguration()),
        NetworkPlan.Population(name: "answer", shape: Shape(channels: 2), neurons: nil),
      ], [NetworkPlan.Projection(name: "in", from: .input(0), to: 1, topology: .dense)])
    #expect(throws: CompressionError.silent(population: "alone")) {
      try QuantizedArithmetic(network) { _ in .eight }
    }
  }

  @Test func unitsAreStepsOverTheShift() {
    let choice = GridChoice(shift: 3, floor: -1, ceiling: 1)
    #expect(choice.unit(step: 0.5, inputScale: nil) == 0.0625)
    #expect(choice.unit(step: 0.5, inputScale: 0.25) == 1)
  }

  /// The bound takes at most three quarters of int16 for random layers, and the range holds 4 thresholds.
  @Test func membranesLeaveRoomForBoundAndThresholds() throws {
    var random = RandomSource(seed: 2)
    for trial in 0..<200 {
      let count = 2 * (1 + random.integer(below: 40))
      let weights = Tensor.random([count], in: -1...1, using: &random).elements
      let threshold = Float(random.uniform(0.1...8))
      for scale in [nil, Float(1) / 255] {
        let network = try network(threshold: threshold, weights: weights, inputScale: scale)
        let layout = network.projections[0].channelLayout(channels: 2)
        let weight = network.projections[0].weight.value
        let steps = initialSteps(weight, layout: layout, count: 2, bits: .eight)
        let choice = try choice(network, steps: steps.elements)
        let codes = quantize(
          Variable(weight), step: Variable(steps), layout: layout, bits: .eight, on: Tape()
        ).value.elements
        for channel in 0..<2 {
          let sum = stride(from: channel, to: count, by: 2).reduce(0) { $0 + Int(abs(codes[$1])) }
          let bound =
            scale == nil
            ? sum << choice.shift : (sum * 255 + (1 << choice.shift) / 2) >> choice.shift
          let theta = threshold / choice.unit(step: steps[channel], inputScale: scale)
          #expect(choice == whole(choice.shift))
          #expect(4 * bound <= 3 * 32767, "trial \(trial)")
          #expect(4 * theta <= Float(choice.ceiling) && theta <= 4096, "trial \(trial)")
        }
      }
    }
  }
}
