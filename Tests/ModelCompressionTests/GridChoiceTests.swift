import Spiking
import Tensors
import TestMathematics
import Testing
import Wiring

@testable import ModelCompression

/// Shifts and membrane ranges, worked by hand from limits of 32767, 4 thresholds in range, 1.25
/// bounds, a shift of 8 and thresholds of 4096.
@Suite struct GridChoiceTests {
  /// Two sources onto two neurons; codes of 8 bits and steps 1/4 and 1/2 sum to 5 and 4.
  private func layer(threshold: Float, weights: [Float] = [0.5, -1, 0.75, 1]) throws -> Layer {
    let layer = try Network(
      name: "test", architecture: Architecture("2-2"),
      input: .events(Shape(channels: weights.count / 2)), classes: 2, steps: 1,
      neurons: NeuronConfiguration(threshold: threshold), random: RandomSource(seed: 1)
    ).layers[0]
    layer.weight.value = Tensor([weights.count / 2, 2], weights)
    return layer
  }

  private func choice(
    threshold: Float, weights: [Float] = [0.5, -1, 0.75, 1], steps: [Float] = [0.25, 0.5],
    inputScale: Float? = nil
  ) throws -> [Int] {
    let choice = GridChoice(
      for: try layer(threshold: threshold, weights: weights), bits: .eight,
      steps: Tensor([steps.count], steps), inputScale: inputScale)
    return [choice.shift, choice.floor, choice.ceiling]
  }

  @Test func spikesTakeTheLargestShift() throws {
    // Bound 6.25, threshold 4: 22.25 · 2^8 fits; 6.25 · 2^8 = 1600 is left free.
    #expect(try choice(threshold: 1) == [8, -31167, 31167])
  }

  @Test func thresholdsStopAt4096() throws {
    // Threshold 20 · 2^7 = 2560, · 2^8 = 5120.
    #expect(try choice(threshold: 5) == [7, -(32767 - 800), 32767 - 800])
  }

  @Test func boundAndThresholdsStopAt16Bits() throws {
    // Codes 127 twice: bound 317.5, threshold 400: 1917.5 · 2^3 fits, · 2^4 does as well; 400 · 2^4
    // does not.
    #expect(
      try choice(threshold: 400, weights: [127, 127, 127, 127], steps: [1])
        == [3, -(32767 - 2540), 32767 - 2540])
    // Threshold 10: 357.5 · 2^6 = 22880 fits, · 2^7 does not.
    #expect(
      try choice(threshold: 10, weights: [127, 127, 127, 127], steps: [1])
        == [6, -(32767 - 20320), 32767 - 20320])
  }

  /// A shift that fits bound and thresholds but not the range once cost the range: all of int16 was
  /// taken.
  @Test func aShiftLeavesAQuarterToTheRange() throws {
    // 1.25 · 40 · 127 = 6350: twice it leaves 20067, four times it 7367.
    let weights = [Float](repeating: 127, count: 2 * 40)
    #expect(try choice(threshold: 10, weights: weights, steps: [1]) == [1, -20067, 20067])
  }

  @Test func aBoundThatLeavesNoRoomTakesTheWholeRange() throws {
    let weights = [Float](repeating: 127, count: 2 * 160)
    // 1.25 · 160 · 127 = 25400 leaves 7367, less than a quarter.
    #expect(try choice(threshold: 10, weights: weights, steps: [1]) == [0, -32767, 32767])
    // 1.25 · 150 · 127 = 23812.5 leaves 8954.
    #expect(
      try choice(threshold: 10, weights: Array(weights.prefix(300)), steps: [1])
        == [0, -8954, 8954])
  }

  @Test func valuesTakeTheSmallestShift() throws {
    // Accumulated 6.25 · 255 = 1593.75; threshold 4 · 256 = 1024: no shift is needed.
    #expect(try choice(threshold: 1, inputScale: 1 / 256) == [0, -31173, 31173])
    // Threshold 40 · 256 = 10240 > 4096: shift 2; 398.4 stays free.
    #expect(try choice(threshold: 10, inputScale: 1 / 256) == [2, -32368, 32368])
    // Accumulated 1.25 · 127 · 100 · 255 = 4048125 is below 32767 after 7 shifts, but leaves too
    // little; after 8 it is 15813.
    #expect(
      try choice(
        threshold: 10, weights: [Float](repeating: 127, count: 200), steps: [1], inputScale: 1 / 256
      ) == [8, -16954, 16954])
  }

  @Test func aPoolMultipliesTheBound() throws {
    func bound(_ architecture: String) throws -> Int {
      let layer = try Network(
        name: "test", architecture: Architecture(architecture),
        input: .events(Shape(channels: 1, height: 2, width: 2)), classes: 2, steps: 1,
        neurons: NeuronConfiguration(), random: RandomSource(seed: 1)
      ).layers[0]
      layer.weight.value.apply { _ in 4 }
      let choice = GridChoice(
        for: layer, bits: .eight, steps: Tensor([1], [0.25]), inputScale: nil)
      return (32767 - choice.ceiling) >> choice.shift
    }
    // 4 sources of code 16, or one cell of 4 sources.
    #expect(try bound("1-2") == 80)
    #expect(try bound("P2-1-2") == 80)
  }

  @Test func aReadoutIsNotShifted() throws {
    let network = try Network(
      name: "test", architecture: Architecture("2-2"), input: .events(Shape(channels: 2)),
      classes: 2, steps: 1, neurons: NeuronConfiguration(), random: RandomSource(seed: 1))
    let choice = GridChoice(
      for: network.layers[1], bits: .eight, steps: Tensor([1], [1]), inputScale: nil)
    #expect(choice == GridChoice(shift: 0, floor: -32767, ceiling: 32767))
  }

  @Test func unitsAreStepsOverTheShift() {
    let choice = GridChoice(shift: 3, floor: -1, ceiling: 1)
    #expect(choice.unit(step: 0.5, inputScale: nil) == 0.0625)
    #expect(choice.unit(step: 0.5, inputScale: 0.25) == 1)
  }

  /// Range and bound together fit int16 for random layers, and the range holds 4 thresholds.
  @Test func rangesLeaveRoomForTheBound() throws {
    var random = RandomSource(seed: 2)
    for trial in 0..<200 {
      let count = 2 * (1 + random.integer(below: 40))
      let weights = Tensor.random([count], in: -1...1, using: &random).elements
      let threshold = Float(random.uniform(0.1...8))
      let layer = try layer(threshold: threshold, weights: weights)
      let steps = initialSteps(layer.weight.value, bits: .eight, perChannel: true)
      for scale in [nil, Float(1) / 255] {
        let choice = GridChoice(for: layer, bits: .eight, steps: steps, inputScale: scale)
        let codes = quantize(
          layer.weight.variable, step: Variable(steps), bits: .eight, on: Tape()
        ).value.elements
        for channel in 0..<2 {
          let sum = stride(from: channel, to: count, by: 2).reduce(0) { $0 + Int(abs(codes[$1])) }
          let bound =
            scale == nil
            ? sum << choice.shift : (sum * 255 + (1 << choice.shift) / 2) >> choice.shift
          let theta = threshold / choice.unit(step: steps[channel], inputScale: scale)
          #expect(choice.ceiling == -choice.floor)
          #expect(choice.ceiling + bound < 1 << 15, "trial \(trial)")
          #expect(4 * theta <= Float(choice.ceiling) && theta <= 4096, "trial \(trial)")
        }
      }
    }
  }
}

extension Spiking.Parameter {
  fileprivate var variable: Variable { Variable(value) }
}
