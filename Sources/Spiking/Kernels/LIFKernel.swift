/// The sizes and constants of one pass of leaky integrate-and-fire neurons over T steps.
///
/// Neurons are numbered through the shard, sample by sample; their parameters repeat with `period`,
/// which divides the neurons of a sample.
struct LIFSize {
  var steps: Int
  var neurons: Int
  var period: Int
  /// The same current serves every step: the current has no step axis.
  var heldCurrent: Bool
  /// What the current is multiplied with: 2^shift on the integer grid.
  var currentScale: Float
  var dynamics: LIFDynamics
  /// On the integer grid the leak truncates toward zero and the membrane is clamped to this range.
  var grid: ClosedRange<Float>?

  /// Neurons handled together, so that their membranes stay in the first-level cache: a multiple of the
  /// period, hence one expanded copy of the parameters serves every block.
  var blockLength: Int { min(neurons, period * max(1, 1024 / period)) }

  /// A row of parameters repeated to the length of a block, padded to whole lanes.
  func expand(_ values: UnsafePointer<Float>?, count: Int, default value: Float) -> [Float] {
    var row = [Float](repeating: value, count: blockLength + Lanes.scalarCount)
    if let values { for index in 0..<row.count { row[index] = values[index % period % count] } }
    return row
  }
}

/// The gradients of one period of a population's parameters.
struct LIFGradients {
  var threshold: [Float]
  var leak: [Float]
  var bias: [Float]

  init(period: Int) {
    threshold = [Float](repeating: 0, count: period)
    leak = threshold
    bias = threshold
  }
}

/// Forward and backward passes of LIF neurons; the equations stand at ``LIFDynamics``.
enum LIFKernel {
  /// Writes the membranes before reset and the spikes of every step, `[T, neurons]` each, and returns how
  /// many spiked and how many clamps changed a membrane. `membranes` may be the memory of a current that has a step axis.
  static func forward(
    _ size: LIFSize, current: UnsafePointer<Float>, threshold: [Float], leak: [Float],
    bias: [Float], membranes: UnsafeMutablePointer<Float>, spikes: UnsafeMutablePointer<Float>
  ) -> (spikes: Int, saturations: Int) {
    var membrane = [Float](repeating: 0, count: size.blockLength + Lanes.scalarCount)
    var total = (spikes: 0, saturations: 0)
    withPointers(&membrane, threshold, leak, bias) { membrane, threshold, leak, bias in
      for start in stride(from: 0, to: size.neurons, by: size.blockLength) {
        let length = min(size.blockLength, size.neurons - start)
        for lane in 0..<length { membrane[lane] = 0 }
        for step in 0..<size.steps {
          let row = step * size.neurons + start
          let input = current + (size.heldCurrent ? start : row)
          let counts = forwardRow(
            size, length, input, membrane, threshold, leak, bias, membranes + row, spikes + row)
          total.spikes += counts.spikes
          total.saturations += counts.saturations
        }
      }
    }
    return total
  }

  @inline(__always)
  private static func forwardRow(
    _ size: LIFSize, _ length: Int, _ input: UnsafePointer<Float>,
    _ membrane: UnsafeMutablePointer<Float>, _ threshold: UnsafePointer<Float>,
    _ leak: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
    _ membranes: UnsafeMutablePointer<Float>, _ spikes: UnsafeMutablePointer<Float>
  ) -> (spikes: Int, saturations: Int) {
    let scale = size.currentScale
    let grid = size.grid
    let reset = size.dynamics.reset
    let inclusive = size.dynamics.compare == .greaterOrEqual
    // At most blockLength spikes a row, far below 2^24: the float counts are exact.
    var counts = Lanes(repeating: 0)
    var clamped = Lanes(repeating: 0)
    forEachLanes(length) { lane, width in
      let theta = load(threshold, lane)
      var decayed = load(membrane, lane) * load(leak, lane)
      if grid != nil { decayed = truncated(decayed) }
      var potential = decayed + load(input, lane, width) * scale + load(bias, lane)
      if let grid {
        let below = potential .< grid.lowerBound
        let above = potential .> grid.upperBound
        potential = potential.replacing(with: grid.lowerBound, where: below)
        potential = potential.replacing(with: grid.upperBound, where: above)
        clamped += masked(Lanes(repeating: 0).replacing(with: 1, where: below .| above), width)
      }
      let fires = inclusive ? potential .>= theta : potential .> theta
      let spike = Lanes(repeating: 0).replacing(with: 1, where: fires)
      store(potential, membranes, lane, width)
      store(spike, spikes, lane, width)
      counts += masked(spike, width)
      let next = reset == .subtract ? potential - theta * spike : potential * (1 - spike)
      store(next, membrane, lane, Lanes.scalarCount)
    }
    return (Int(counts.sum()), Int(clamped.sum()))
  }

  /// Turns the spikes' gradient into the current's, in place (`[T, neurons]`), and adds the parameters'
  /// gradients to `gradients`. `spikeOffset` is added to every spike's gradient.
  static func backward(
    _ size: LIFSize, surrogate: Surrogate, membranes: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>, spikeOffset: Float, threshold: [Float], leak: [Float],
    into gradients: inout LIFGradients
  ) {
    func run(_ make: (_ start: Int, _ length: Int) -> some SurrogateKernel) {
      LIFBackward.run(
        size, surrogate: make, membranes: membranes, gradient: gradient, spikeOffset: spikeOffset,
        threshold: threshold, leak: leak, into: &gradients)
    }
    switch surrogate {
    case .triangular(let scale): run { _, _ in Triangular(scale: scale) }
    case .arctan(let sharpness): run { _, _ in Arctan(sharpness: sharpness) }
    case .fastSigmoid(let sharpness): run { _, _ in FastSigmoid(sharpness: sharpness) }
    case .rectangular(let scale, let halfWidth):
      run { _, _ in Rectangular(scale: scale, halfWidth: halfWidth) }
    case .spikeTime(let scale, let decay):
      let rowLength = size.blockLength + Lanes.scalarCount
      let table = UnsafeMutablePointer<Float>.allocate(capacity: size.steps * rowLength)
      defer { table.deallocate() }
      let slopes = (0...size.steps).map {
        SpikeTime.slope(scale: scale, decay: decay, elapsed: $0)
      }
      run { start, length in
        for lane in 0..<length {
          var last: Int?
          for step in 0..<size.steps {
            table[step * rowLength + lane] = last.map { slopes[step - $0] } ?? 0
            let potential = membranes[step * size.neurons + start + lane]
            if size.dynamics.compare.fires(potential, threshold[lane]) { last = step }
          }
        }
        return SpikeTime(table: table, blockLength: rowLength)
      }
    }
  }

  // MARK: Lanes

  /// Calls `body` with the first lane and the number of lanes in use of each group of eight.
  @inline(__always)
  static func forEachLanes(_ length: Int, _ body: (_ lane: Int, _ width: Int) -> Void) {
    let whole = length & ~(Lanes.scalarCount - 1)
    var lane = 0
    while lane < whole {
      body(lane, Lanes.scalarCount)
      lane += Lanes.scalarCount
    }
    if lane < length { body(lane, length - lane) }
  }

  @inline(__always)
  static func load(_ pointer: UnsafePointer<Float>, _ lane: Int, _ width: Int = 8) -> Lanes {
    if width == Lanes.scalarCount {
      return UnsafeRawPointer(pointer + lane).loadUnaligned(as: Lanes.self)
    }
    var lanes = Lanes(repeating: 0)
    for index in 0..<width { lanes[index] = pointer[lane + index] }
    return lanes
  }

  @inline(__always)
  static func store(
    _ lanes: Lanes, _ pointer: UnsafeMutablePointer<Float>, _ lane: Int, _ width: Int
  ) {
    if width == Lanes.scalarCount {
      UnsafeMutableRawPointer(pointer + lane).storeBytes(of: lanes, as: Lanes.self)
    } else {
      for index in 0..<width { pointer[lane + index] = lanes[index] }
    }
  }

  @inline(__always)
  static func masked(_ lanes: Lanes, _ width: Int) -> Lanes {
    if width == Lanes.scalarCount { return lanes }
    var result = Lanes(repeating: 0)
    for index in 0..<width { result[index] = lanes[index] }
    return result
  }

  /// Rounding toward zero of |x| ≤ 2^22. Adding and subtracting 2^23 rounds to the nearest integer; one is
  /// taken off where that went up. (The C library's `trunc`, lane by lane, is ten times slower.)
  @inline(__always)
  static func truncated(_ x: Lanes) -> Lanes {
    let magnitude = x.magnitude
    let nearest = (magnitude + 0x1p23) - 0x1p23
    let down = nearest.replacing(with: nearest - 1, where: nearest .> magnitude)
    return down.replacing(with: -down, where: x .< 0)
  }

  @inline(__always)
  private static func withPointers(
    _ membrane: inout [Float], _ threshold: [Float], _ leak: [Float], _ bias: [Float],
    _ body: (
      UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>
    ) -> Void
  ) {
    membrane.withUnsafeMutableBufferPointer { membrane in
      threshold.withUnsafeBufferPointer { threshold in
        leak.withUnsafeBufferPointer { leak in
          bias.withUnsafeBufferPointer { bias in
            guard let membrane = membrane.baseAddress, let threshold = threshold.baseAddress,
              let leak = leak.baseAddress, let bias = bias.baseAddress
            else { return }
            body(membrane, threshold, leak, bias)
          }
        }
      }
    }
  }
}
