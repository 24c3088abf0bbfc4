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
        let fires =
          size.dynamics.compare == .greater ? potential > theta[c] : potential >= theta[c]
        let s: Float = fires ? 1 : 0
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
    let rows = LIFRows(
      size, threshold: threshold(size), leak: numbers(size.period, 0.5...1, seed: 3),
      bias: numbers(size.period, -0.2...0.2, seed: 4), initial: [0])
    var trace = Trace()
    trace.membranes = current
    trace.spikes = [Float](repeating: -1, count: count)
    trace.current = numbers(count, -1...1, seed: 5)
    let gradients = LIFGradients(size)
    defer { gradients.deallocate() }
    var (rules, slope) = (size.rules, surrogate.kernel())
    var (membrane, carried) = ([Float](repeating: 0, count: size.neurons), [Float]())
    carried = membrane
    trace.membranes.withUnsafeMutableBufferPointer { membranes in
      trace.spikes.withUnsafeMutableBufferPointer { spikes in
        let recording = LIFRecording(
          potentials: membranes.baseAddress!, spikes: spikes.baseAddress!, blocked: nil)
        membrane.withUnsafeMutableBufferPointer { membrane in
          size.forEachBlock { start, length in
            let state = LIFState(membrane: membrane.baseAddress! + start, refractory: nil)
            LIFKernel.reset(state, rows, length: length)
            for step in 0..<size.steps {
              let row = step * size.neurons + start
              trace.clamps +=
                LIFKernel.forward(
                  &rules, rows, row: row, length: length, current: recording.potentials + row,
                  state, recording
                ).saturations
            }
          }
        }
        let trajectory = LIFTrajectory(
          potentials: recording.potentials, spikes: recording.spikes, blocked: nil)
        trace.current.withUnsafeMutableBufferPointer { gradient in
          carried.withUnsafeMutableBufferPointer { carried in
            size.forEachBlock { start, length in
              for step in (0..<size.steps).reversed() {
                LIFKernel.backward(
                  size, &rules, &slope, rows, step: step, start: start, length: length,
                  gradient: gradient.baseAddress! + step * size.neurons + start,
                  carried: carried.baseAddress! + start, spikeOffset: 0.125, trajectory,
                  into: gradients)
              }
            }
          }
        }
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
          resetValue: 0, grid: onGrid ? -40...60 : nil, hasWideLeak: false)
        let expected = plain(size, surrogate)
        #expect(kernel(size, surrogate) == expected, "\(reset), \(compare)")
        #expect(expected.spikes.contains(1) && expected.spikes.contains(0))
        #expect((expected.clamps > 0) == onGrid)
      }
    }
  }
}
