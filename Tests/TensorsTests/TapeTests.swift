import Testing

@testable import Tensors

@Suite struct TapeTests {
  @Test func recordsAreReplayedInReverse() {
    let tape = Tape()
    var order: [Int] = []
    for index in 0..<4 { tape.record { order.append(index) } }
    tape.replay()
    #expect(order == [3, 2, 1, 0])
  }

  @Test func aRecordIsReplayedOnce() {
    let tape = Tape()
    var count = 0
    tape.record { count += 1 }
    tape.replay()
    tape.replay()
    #expect(count == 1)
  }

  @Test func theDefaultSeedIsTheSumOfTheOutput() {
    let tape = Tape()
    let input = Variable(Tensor([2], [3, 4]), needsGradient: true)
    tape.backward(from: weightedSum([(5, input)], on: tape))
    #expect(input.gradient?.elements == [5, 5])
  }

  @Test func contributionsAddUpAndLeaveEachOtherAlone() {
    let variable = Variable(Tensor([2]), needsGradient: true)
    let contribution = Tensor([2], [1, 2])
    variable.accumulate(contribution)
    variable.accumulate(contribution)
    #expect(variable.gradient?.elements == [2, 4])
    #expect(contribution.elements == [1, 2])
  }

  @Test func aVariableWithoutNeedIgnoresContributions() {
    let variable = Variable(Tensor([2]))
    variable.accumulate(Tensor([2]))
    #expect(variable.gradient == nil)
  }

  @Test func aTakenGradientIsGone() {
    let variable = Variable(Tensor([2]), needsGradient: true)
    variable.accumulate(Tensor([2], [1, 2]))
    #expect(variable.takeGradient()?.elements == [1, 2])
    #expect(variable.takeGradient() == nil)
  }

  @Test func aTakenGradientIsWrittenInPlace() {
    let variable = Variable(Tensor([2]), needsGradient: true)
    variable.accumulate(Tensor([2], [1, 2]))
    let before = variable.gradient?.withPointer { Int(bitPattern: $0) }
    var taken = variable.takeGradient()
    taken?.apply { $0 + 1 }
    #expect(taken?.withPointer { Int(bitPattern: $0) } == before)
  }

  @Test func aConsumedValueLeavesItsShapeAndStillTakesGradients() {
    let variable = Variable(Tensor([2, 2], [1, 2, 3, 4]), needsGradient: true)
    #expect(variable.consumeValue().elements == [1, 2, 3, 4])
    #expect(variable.shape == [2, 2])
    variable.accumulate(Tensor([2, 2], filledWith: 1))
    #expect(variable.gradient == Tensor([2, 2], filledWith: 1))
  }

  @Test func aConsumedValueIsWrittenInPlace() {
    let variable = Variable(Tensor([50]))
    let before = variable.value.withPointer { Int(bitPattern: $0) }
    var consumed = variable.consumeValue()
    consumed.apply { $0 + 1 }
    #expect(consumed.withPointer { Int(bitPattern: $0) } == before)
  }
}
