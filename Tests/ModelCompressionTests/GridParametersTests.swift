import Tensors
import Testing

@testable import ModelCompression

/// Thresholds, biases and leaks on the grid, straight-through.
@Suite struct GridParametersTests {
  private func units(
    _ values: [Float], unit: [Float], in range: ClosedRange<Float> = -32767...32767,
    gradient: [Float]? = nil
  ) -> (values: [Float], gradient: [Float]?) {
    let tape = Tape()
    let parameter = Variable(Tensor([values.count], values), needsGradient: true)
    let output = inUnits(parameter, unit: unit, range: range, on: tape)
    let found = output.value.elements
    if let gradient { tape.backward(from: output, seed: Tensor([gradient.count], gradient)) }
    return (found, parameter.gradient?.elements)
  }

  @Test func valuesAreRoundedToEvenInUnits() {
    #expect(
      units([0.25, 0.75, 1.25, -0.25, -0.75, 3.1], unit: [0.5]).values == [0, 2, 2, 0, -2, 6])
  }

  @Test func valuesAreClampedToTheirRange() {
    #expect(
      units([0.1, 1e9, -4, .infinity], unit: [0.5], in: 1...32767).values == [1, 32767, 1, 32767])
  }

  @Test func oneThresholdMeetsManyUnits() {
    let found = units([6], unit: [1, 2, 4], gradient: [1, 10, 100])
    #expect(found.values == [6, 3, 2])
    #expect(found.gradient == [1 + 5 + 25])
  }

  @Test func thresholdsByChannelMeetUnitsByChannel() {
    let found = units([6, 6], unit: [1, 4], gradient: [3, 8])
    #expect(found.values == [6, 2])
    #expect(found.gradient == [3, 2])
  }

  /// Channels last: neuron n is of channel n mod C.
  @Test func thresholdsByNeuronMeetUnitsByChannel() {
    let found = units([1, 8, 3, 16], unit: [1, 4], gradient: [1, 4, 2, 8])
    #expect(found.values == [1, 2, 3, 4])
    #expect(found.gradient == [1, 1, 2, 2])
  }

  @Test func manyThresholdsMeetOneUnit() {
    let found = units([1, 8, 3], unit: [2], gradient: [2, 4, 6])
    #expect(found.values == [0, 4, 2])
    #expect(found.gradient == [1, 2, 3])
  }

  @Test func leaksAreMultiplesOfOneIn256() {
    let tape = Tape()
    let leak = Variable(
      Tensor([6], [0, 1, 0.9, 0.5 + 0.5 / 256, 0.5 + 1.5 / 256, 0.9999]), needsGradient: true)
    let output = onLeakGrid(leak, on: tape)
    #expect(output.value.elements == [0, 256, 230, 128, 130, 256].map { $0 / 256 })
    tape.backward(from: output, seed: Tensor([6], [1, 2, 3, 4, 5, 6]))
    #expect(leak.gradient?.elements == [1, 2, 3, 4, 5, 6])
  }

  @Test func leaksBeyondTheirRangeAreClamped() {
    let output = onLeakGrid(Variable(Tensor([2], [-0.5, 1.5])), on: Tape())
    #expect(output.value.elements == [0, 1])
  }
}
