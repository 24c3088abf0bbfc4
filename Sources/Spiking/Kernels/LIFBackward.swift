/// The backward pass of LIF neurons (docs at ``LIFDynamics``), specialised for each surrogate.
enum LIFBackward {
  static func run<S: SurrogateKernel>(
    _ size: LIFSize, surrogate: (_ start: Int, _ length: Int) -> S,
    membranes: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, spikeOffset: Float,
    threshold: [Float], leak: [Float], into gradients: inout LIFGradients
  ) {
    // Rows of a block: the carried dL/dV, and the three parameters' gradients, summed lane by lane over
    // all blocks and folded to one period at the end, always in the same order.
    let rowLength = size.blockLength + Lanes.scalarCount
    let rows = UnsafeMutablePointer<Float>.allocate(capacity: 5 * rowLength)
    defer { rows.deallocate() }
    rows.update(repeating: 0, count: 5 * rowLength)
    let block = Block(
      carried: rows, threshold: rows + rowLength, leak: rows + 2 * rowLength,
      bias: rows + 3 * rowLength, inverseThreshold: rows + 4 * rowLength)
    for lane in 0..<rowLength { block.inverseThreshold[lane] = 1 / threshold[lane] }
    threshold.withUnsafeBufferPointer { threshold in
      leak.withUnsafeBufferPointer { leak in
        guard let threshold = threshold.baseAddress, let leak = leak.baseAddress else { return }
        for start in stride(from: 0, to: size.neurons, by: size.blockLength) {
          let length = min(size.blockLength, size.neurons - start)
          let kernel = surrogate(start, length)
          block.carried.update(repeating: 0, count: rowLength)
          for step in stride(from: size.steps - 1, through: 0, by: -1) {
            let row = step * size.neurons + start
            backwardRow(
              size, kernel, step, length, membranes + row,
              step > 0 ? membranes + (row - size.neurons) : nil, gradient + row, spikeOffset,
              threshold, leak, block)
          }
        }
      }
    }
    for lane in 0..<size.blockLength {
      gradients.threshold[lane % size.period] += block.threshold[lane]
      gradients.leak[lane % size.period] += block.leak[lane]
      gradients.bias[lane % size.period] += block.bias[lane]
    }
  }

  private struct Block {
    var carried: UnsafeMutablePointer<Float>
    var threshold: UnsafeMutablePointer<Float>
    var leak: UnsafeMutablePointer<Float>
    var bias: UnsafeMutablePointer<Float>
    var inverseThreshold: UnsafeMutablePointer<Float>
  }

  @inline(__always)
  private static func backwardRow(
    _ size: LIFSize, _ surrogate: some SurrogateKernel, _ step: Int, _ length: Int,
    _ membranes: UnsafePointer<Float>, _ earlier: UnsafePointer<Float>?,
    _ gradient: UnsafeMutablePointer<Float>, _ spikeOffset: Float,
    _ threshold: UnsafePointer<Float>, _ leak: UnsafePointer<Float>, _ block: Block
  ) {
    typealias K = LIFKernel
    let subtracts = size.dynamics.reset == .subtract
    let inclusive = size.dynamics.compare == .greaterOrEqual
    let scale = size.currentScale
    let grid = size.grid
    @inline(__always) func spike(_ potential: Lanes, _ theta: Lanes) -> Lanes {
      let fires = inclusive ? potential .>= theta : potential .> theta
      return Lanes(repeating: 0).replacing(with: 1, where: fires)
    }
    K.forEachLanes(length) { lane, width in
      let theta = K.load(threshold, lane)
      let inverse = K.load(block.inverseThreshold, lane)
      let potential = K.load(membranes, lane, width)
      let spikes = spike(potential, theta)
      let carried = K.load(block.carried, lane)
      let fromSpike = K.load(gradient, lane, width) + spikeOffset
      let slope =
        fromSpike * surrogate.slope(potential * inverse - 1, step: step, lane: lane) * inverse
      var inner = (subtracts ? carried : carried * (1 - spikes)) + slope
      var thetaGradient = -slope * potential * inverse
      if subtracts { thetaGradient -= spikes * carried }
      if let grid {
        // A clamped membrane does not move with its inputs.
        inner = inner.replacing(with: 0, where: potential .<= grid.lowerBound)
        inner = inner.replacing(with: 0, where: potential .>= grid.upperBound)
      }
      if width < Lanes.scalarCount {
        inner = K.masked(inner, width)
        thetaGradient = K.masked(thetaGradient, width)
      }
      var before = Lanes(repeating: 0)
      if let earlier {
        let previous = K.load(earlier, lane, width)
        let fired = spike(previous, theta)
        before = subtracts ? previous - theta * fired : previous * (1 - fired)
      }
      K.store(inner * scale, gradient, lane, width)
      K.store(inner * K.load(leak, lane), block.carried, lane, Lanes.scalarCount)
      K.store(
        K.load(block.threshold, lane) + thetaGradient, block.threshold, lane, Lanes.scalarCount)
      K.store(K.load(block.leak, lane) + inner * before, block.leak, lane, Lanes.scalarCount)
      K.store(K.load(block.bias, lane) + inner, block.bias, lane, Lanes.scalarCount)
    }
  }
}
