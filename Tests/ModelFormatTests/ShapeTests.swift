import ModelFormat
import Testing
import Wiring

@Suite struct ShapeTests {
  @Test func linearIndexIsChannelsLast() {
    let shape = Shape(channels: 2, height: 3, width: 4)
    #expect(shape.count == 24)
    #expect(shape.index(channel: 1, y: 2, x: 3) == 23)
    #expect(shape.index(channel: 1, y: 0, x: 0) == 1)
    #expect(shape.index(channel: 0, y: 0, x: 1) == 2)
    #expect(shape.index(channel: 0, y: 1, x: 0) == 8)
    for index in 0..<24 {
      let (channel, y, x) = shape.coordinates(of: index)
      #expect(shape.index(channel: channel, y: y, x: x) == index)
    }
  }

  @Test func poolDropsRowsAndColumnsThatFillNoWindow() {
    #expect(
      Shape(channels: 3, height: 5, width: 7).pooled(by: 2)
        == Shape(channels: 3, height: 2, width: 3))
  }

  @Test func parameterValuesGoByPopulationChannelOrNeuron() {
    let shape = Shape(channels: 2, height: 1, width: 2)
    #expect(Parameter.none.expanded(to: shape, default: 9) == [9, 9, 9, 9])
    #expect(Parameter([5]).expanded(to: shape, default: 9) == [5, 5, 5, 5])
    #expect(Parameter([5, 6]).expanded(to: shape, default: 9) == [5, 6, 5, 6])
    #expect(Parameter([1, 2, 3, 4]).expanded(to: shape, default: 9) == [1, 2, 3, 4])
    #expect(!Parameter([1, 2, 3]).fits(shape))
    #expect(!Parameter.none.fits(shape))
  }

  /// Both directions of a convolution's geometry name the same pairs of positions.
  @Test func convolutionTapsAndOutputsAreInverse() {
    for kernel in 1...4 {
      for stride in 1...3 {
        for padding in 0...3 {
          for dilation in 1...3 {
            for length in 1...6 {
              let axis = Convolution.Axis(
                kernel: kernel, stride: stride, padding: padding, dilation: dilation)
              let outputs = axis.outputLength(of: length)
              var forward: Set<[Int]> = []
              var backward: Set<[Int]> = []
              for output in 0..<outputs {
                for tap in axis.taps(of: output, over: length) { backward.insert([output, tap]) }
              }
              for position in 0..<length {
                for tap in 0..<kernel {
                  if let output = axis.output(of: position, tap: tap, within: outputs) {
                    forward.insert([output, tap])
                  }
                }
              }
              #expect(forward == backward, "\(axis) over \(length)")
            }
          }
        }
      }
    }
  }
}
