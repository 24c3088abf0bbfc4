import Testing
import Wiring

@Suite struct ConvolutionTests {
  @Test func theOutputIsEmptyWhereTheKernelDoesNotFit() {
    #expect(Convolution.Axis(kernel: 3).outputLength(of: 2) == 0)
    #expect(Convolution.Axis(kernel: 3, padding: 1).outputLength(of: 1) == 1)
    #expect(Convolution.Axis(kernel: 3, stride: 2).outputLength(of: 6) == 2)
    #expect(Convolution.Axis(kernel: 3, dilation: 2).outputLength(of: 4) == 0)
  }
}
