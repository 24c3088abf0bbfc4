import Tensors
import Testing

@testable import Spiking

/// The order of operations, one neuron at a time in single precision: kernels for every instruction set
/// must yield the same bits.
@Suite struct LIFRoundingTests {
  private struct Trace: Equatable {
    var membranes: [Float] = []
    var spikes: [Float] = []
    var current: [Float] = []
    var threshold: [Float] = []
    var leak: [Float] = []
    var bias: [Float] = []
    var clamps = 0
  }

  private static let steps = 5
  private static let samples = 3
  private static let neurons = 23

  private func numbers(_ count: Int, _ range: ClosedRange<Double>, seed: UInt64) -> [Float] {
    var random = RandomSource(seed: seed)
    return (0..<count).map { _ in Float(random.uniform(range)) }
  }

  private func plain(_ size: LIFSize, _ surrogate: Surrogate) -> Trace {
    let count = size.neurons * size.steps
    let current = numbers(count, -1...3, seed: 1).map { size.grid == nil ? $0 : ($0 * 9).rounded() }
    let theta = threshold(size)
    let leak = numbers(size.period, 0.5...1, seed: 3)
    let bias = numbers(size.period, -0.2...0.2, seed: 4)
    let seed = numbers(count, -1...1, seed: 5)
    var trace = Trace()
    trace.membranes = [Float](repeating: 0, count: count)
    trace.spikes = trace.membranes
    trace.current = trace.membranes
    trace.threshold = [Float](repeating: 0, count: size.neurons)
    trace.leak = trace.threshold
    trace.bias = trace.threshold
    for neuron in 0..<size.neurons {
      let c = neuron % size.period
      var v: Float = 0
      for step in 0..<size.steps {
        let at = step * size.neurons + neuron
        var decayed = v * leak[c]
        if size.grid != nil { decayed.round(.towardZero) }
        var potential = decayed + current[at] * size.currentScale
        potential = potential + bias[c]
        if let grid = size.grid {
          let clamped = min(max(potential, grid.lowerBound), grid.upperBound)
          if clamped != potential { trace.clamps += 1 }
          potential = clamped
        }
        let s: Float = size.dynamics.compare.fires(potential, theta[c]) ? 1 : 0
        trace.membranes[at] = potential
        trace.spikes[at] = s
        v = size.dynamics.reset == .subtract ? potential - theta[c] * s : potential * (1 - s)
      }
      var carried: Float = 0
      for step in stride(from: size.steps - 1, through: 0, by: -1) {
        let at = step * size.neurons + neuron
        let potential = trace.membranes[at]
        let inverse = 1 / theta[c]
        let s = trace.spikes[at]
        let bySpike = (seed[at] + 0.125) * surrogate.slope(at: potential * inverse - 1) * inverse
        let isSubtracted = size.dynamics.reset == .subtract
        var inner = (isSubtracted ? carried : carried * (1 - s)) + bySpike
        var byThreshold = -bySpike * potential * inverse
        if isSubtracted { byThreshold -= s * carried }
        if let grid = size.grid, potential <= grid.lowerBound || potential >= grid.upperBound {
          inner = 0
        }
        var before: Float = 0
        if step > 0 {
          let earlier = trace.membranes[at - size.neurons]
          let fired = trace.spikes[at - size.neurons]
          before = isSubtracted ? earlier - theta[c] * fired : earlier * (1 - fired)
        }
        trace.current[at] = inner * size.currentScale
        carried = inner * leak[c]
        trace.threshold[neuron] += byThreshold
        trace.leak[neuron] += inner * before
        trace.bias[neuron] += inner
      }
    }
    return trace
  }

  private func threshold(_ size: LIFSize) -> [Float] {
    numbers(size.period, 0.5...2, seed: 2).map { size.grid == nil ? $0 : ($0 * 9).rounded() }
  }

  private func kernel(_ size: LIFSize, _ surrogate: Surrogate) -> Trace {
    let count = size.neurons * size.steps
    let current = numbers(count, -1...3, seed: 1).map { size.grid == nil ? $0 : ($0 * 9).rounded() }
    func row(_ values: [Float]) -> [Float] {
      values.withUnsafeBufferPointer {
        size.expand($0.baseAddress, count: values.count, default: 0)
      }
    }
    let theta = row(threshold(size))
    let leak = row(numbers(size.period, 0.5...1, seed: 3))
    let bias = row(numbers(size.period, -0.2...0.2, seed: 4))
    var trace = Trace()
    trace.membranes = current
    trace.spikes = [Float](repeating: -1, count: count)
    trace.current = numbers(count, -1...1, seed: 5)
    var gradients = LIFGradients(period: size.period)
    trace.membranes.withUnsafeMutableBufferPointer { membranes in
      trace.spikes.withUnsafeMutableBufferPointer { spikes in
        trace.clamps =
          LIFKernel.forward(
            size, current: membranes.baseAddress!, threshold: theta, leak: leak, bias: bias,
            membranes: membranes.baseAddress!, spikes: spikes.baseAddress!
          ).saturations
      }
      trace.current.withUnsafeMutableBufferPointer { gradient in
        LIFKernel.backward(
          size, surrogate: surrogate, membranes: membranes.baseAddress!,
          gradient: gradient.baseAddress!, spikeOffset: 0.125, threshold: theta, leak: leak,
          into: &gradients)
      }
    }
    trace.threshold = gradients.threshold
    trace.leak = gradients.leak
    trace.bias = gradients.bias
    return trace
  }

  @Test(
    arguments: [
      Surrogate.triangular(scale: 0.3), .arctan(sharpness: 2), .fastSigmoid(sharpness: 4),
      .rectangular(scale: 0.5, halfWidth: 0.5),
    ], [false, true])
  func kernelsRoundWhereThePlainLoopRounds(surrogate: Surrogate, onGrid: Bool) {
    for reset in [Reset.subtract, .zero] {
      for compare in [Compare.greater, .greaterOrEqual] {
        // Every neuron has parameters of its own, so that no gradients are added across neurons.
        let count = Self.samples * Self.neurons
        let size = LIFSize(
          steps: Self.steps, neurons: count, period: count, heldCurrent: false,
          currentScale: onGrid ? 4 : 0.75,
          dynamics: LIFDynamics(reset: reset, compare: compare, surrogate: surrogate),
          grid: onGrid ? -40...60 : nil)
        let expected = plain(size, surrogate)
        #expect(kernel(size, surrogate) == expected, "\(reset), \(compare)")
        #expect(expected.spikes.contains(1) && expected.spikes.contains(0))
        #expect((expected.clamps > 0) == onGrid)
      }
    }
  }
}
