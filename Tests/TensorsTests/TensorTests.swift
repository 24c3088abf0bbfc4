import Testing

@testable import Tensors

@Suite struct TensorTests {
  @Test func writingACopyLeavesTheOriginalAlone() {
    let original = Tensor([3], [1, 2, 3])
    var copy = original
    copy[1] = 20
    copy.add(Tensor([3], filledWith: 1))
    #expect(original.elements == [1, 2, 3])
    #expect(copy.elements == [2, 21, 4])
  }

  @Test func writingAViewLeavesTheOriginalAlone() {
    let original = Tensor([2, 2], [1, 2, 3, 4])
    var view = original.reshaped([4])
    view.apply { -$0 }
    #expect(original.elements == [1, 2, 3, 4])
    #expect(view == Tensor([4], [-1, -2, -3, -4]))
  }

  @Test func anUnsharedTensorIsWrittenInPlace() {
    var tensor = Tensor([100])
    let before = tensor.withPointer { Int(bitPattern: $0) }
    tensor.apply { $0 + 1 }
    #expect(tensor.withPointer { Int(bitPattern: $0) } == before)
  }

  @Test func anUnsharedViewIsWrittenInPlace() {
    var tensor = Tensor([10, 10])
    let before = tensor.withPointer { Int(bitPattern: $0) }
    tensor = tensor.reshaped([100])
    tensor[0] = 1
    #expect(tensor.withPointer { Int(bitPattern: $0) } == before)
  }

  @Test func addingATensorToItselfDoublesIt() {
    var tensor = Tensor([2], [1, 2])
    tensor.add(tensor)
    #expect(tensor.elements == [2, 4])
  }

  /// A capacity no other test uses, so that none takes the buffer in between.
  @Test func aReleasedBufferServesTheNextTensor() {
    let count = 7 * (1 << 18) - 5
    var tensor: Tensor? = Tensor(uninitialized: [count])
    let first = tensor?.withPointer { Int(bitPattern: $0) }
    tensor = nil
    let second = Tensor(uninitialized: [count - 1]).withPointer { Int(bitPattern: $0) }
    #expect(first == second)
  }

  @Test func aReusedBufferIsFilledAnew() {
    for value in [Float(3), 0, -1] {
      #expect(Tensor([1000], filledWith: value).elements.allSatisfy { $0 == value })
    }
  }

  @Test(arguments: [1, 63, 64, 65, 127, 128, 129, 1000, 5000])
  func buffersAreAlignedToTheirCacheLine(count: Int) {
    #expect(Tensor([count]).withPointer { Int(bitPattern: $0) } % 64 == 0)
  }

  @Test func bytesBecomeTheirNumbers() {
    let bytes: [UInt8] = [9, 0, 128, 255]
    #expect(Tensor([3], bytes: bytes[1...]) == Tensor([3], [0, 128, 255]))
  }

  @Test func rowsAreGatheredAcrossTheirStride() {
    var tensor = Tensor([2, 2])
    tensor.fillRows(2, of: 2, from: [0, 1, 2, 3, 4, 5, 6], start: 1, stride: 3)
    #expect(tensor.elements == [1, 2, 4, 5])
  }

  @Test func sumsAreExactBeyondFloat() {
    var tensor = Tensor([1 << 12], filledWith: 1)
    tensor[0] = 0x1p25
    #expect(tensor.sum == 0x1p25 + 4095)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func aNumberThatIsNotFiniteIsNoticed(_ value: Float) {
    var tensor = Tensor([20], filledWith: Float.greatestFiniteMagnitude)
    #expect(tensor.isFinite)
    tensor[13] = value
    #expect(!tensor.isFinite)
  }

  @Test func stepsAreSummedInOrder() {
    let tensor = Tensor([3, 2], [1, 2, 10, 20, 100, 200])
    #expect(tensor.summedOverSteps(3, shape: [2]) == Tensor([2], [111, 222]))
    #expect(tensor.summedOverSteps(1, shape: [6]).elements == tensor.elements)
  }

  @Test func equalElementsOfAnotherShapeDiffer() {
    #expect(Tensor([2, 1]) != Tensor([1, 2]))
  }
}
