import CKernels

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

  var rules: snn_lif_rules {
    snn_lif_rules(
      current_scale: currentScale, on_grid: grid != nil, floor: grid?.lowerBound ?? 0,
      ceiling: grid?.upperBound ?? 0, subtracts: dynamics.reset == .subtract,
      inclusive: dynamics.compare == .greaterOrEqual)
  }

  /// A row of parameters repeated to the length of a block. Precondition: `count` divides the period.
  func expand(_ values: UnsafePointer<Float>?, count: Int, default value: Float) -> [Float] {
    guard let values else { return [Float](repeating: value, count: blockLength) }
    return [Float](unsafeUninitializedCapacity: blockLength) { row, filled in
      for start in stride(from: 0, to: blockLength, by: count) {
        for index in 0..<min(count, blockLength - start) { row[start + index] = values[index] }
      }
      filled = blockLength
    }
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

/// Forward and backward passes of LIF neurons, block by block; the equations stand at ``LIFDynamics``.
enum LIFKernel {
  /// Writes the membranes before reset and the spikes of every step, `[T, neurons]` each, and returns how
  /// many spiked and how many clamps changed a membrane. `membranes` may be the memory of a current that has a step axis.
  static func forward(
    _ size: LIFSize, current: UnsafePointer<Float>, threshold: [Float], leak: [Float],
    bias: [Float], membranes: UnsafeMutablePointer<Float>, spikes: UnsafeMutablePointer<Float>
  ) -> (spikes: Int, saturations: Int) {
    var membrane = [Float](repeating: 0, count: size.blockLength)
    var rules = size.rules
    var total = (spikes: 0, saturations: 0)
    withPointers(&membrane, threshold, leak, bias) { membrane, threshold, leak, bias in
      for start in stride(from: 0, to: size.neurons, by: size.blockLength) {
        let length = min(size.blockLength, size.neurons - start)
        membrane.update(repeating: 0, count: length)
        for step in 0..<size.steps {
          let row = step * size.neurons + start
          var arrays = snn_lif_row(
            length: length, threshold: threshold, leak: leak, bias: bias,
            current: current + (size.heldCurrent ? start : row), membrane: membrane,
            potential: membranes + row, spike: spikes + row)
          let counts = snn_lif_forward(&rules, &arrays)
          total.spikes += Int(counts.spikes)
          total.saturations += Int(counts.clamps)
        }
      }
    }
    return total
  }

  /// Turns the spikes' gradient into the current's, in place (`[T, neurons]`), and adds the parameters'
  /// gradients to `gradients`. `spikeOffset` is added to every spike's gradient.
  static func backward(
    _ size: LIFSize, surrogate: Surrogate, membranes: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>, spikeOffset: Float, threshold: [Float], leak: [Float],
    into gradients: inout LIFGradients
  ) {
    // Rows of a block: the carried dL/dV, and the three parameters' gradients, summed lane by lane over
    // all blocks and folded to one period at the end, always in the same order.
    let rowLength = size.blockLength
    var carried = [Float](repeating: 0, count: 4 * rowLength)
    var table = SpikeTimeTable(surrogate, size: size)
    var rules = size.rules
    let inverse = threshold.map { 1 / $0 }
    withPointers(&carried, threshold, leak, inverse) { carried, threshold, leak, inverse in
      for start in stride(from: 0, to: size.neurons, by: size.blockLength) {
        let length = min(size.blockLength, size.neurons - start)
        table?.fill(
          size, start: start, length: length, membranes: membranes, threshold: threshold)
        carried.update(repeating: 0, count: rowLength)
        for step in stride(from: size.steps - 1, through: 0, by: -1) {
          let row = step * size.neurons + start
          var arrays = snn_lif_backward_row(
            length: length, threshold: threshold, inverse_threshold: inverse, leak: leak,
            potential: membranes + row,
            earlier: step > 0 ? membranes + (row - size.neurons) : nil,
            spike_offset: spikeOffset, gradient: gradient + row, carried: carried,
            threshold_gradient: carried + rowLength, leak_gradient: carried + 2 * rowLength,
            bias_gradient: carried + 3 * rowLength)
          func run(_ row: UnsafePointer<Float>?) {
            var slope = surrogate.kernel(table: row)
            snn_lif_backward(&rules, &slope, &arrays)
          }
          if let table { table.withRow(step, run) } else { run(nil) }
        }
      }
    }
    for start in stride(from: 0, to: rowLength, by: size.period) {
      for index in 0..<size.period {
        gradients.threshold[index] += carried[rowLength + start + index]
        gradients.leak[index] += carried[2 * rowLength + start + index]
        gradients.bias[index] += carried[3 * rowLength + start + index]
      }
    }
  }

  private static func withPointers(
    _ mutable: inout [Float], _ a: [Float], _ b: [Float], _ c: [Float],
    _ body: (
      UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>
    ) -> Void
  ) {
    mutable.withUnsafeMutableBufferPointer { mutable in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          c.withUnsafeBufferPointer { c in
            guard let mutable = mutable.baseAddress, let a = a.baseAddress, let b = b.baseAddress,
              let c = c.baseAddress
            else { return }
            body(mutable, a, b, c)
          }
        }
      }
    }
  }
}
