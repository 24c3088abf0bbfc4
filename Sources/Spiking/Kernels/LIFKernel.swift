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
  /// The membrane after a spike where the reset is to a value, in membrane units.
  var resetValue: Float
  /// On the integer grid the leak truncates toward zero and the membrane is clamped to this range.
  var grid: ClosedRange<Float>?
  /// Whether some leak on the grid is no multiple of 1/256.
  var hasWideLeak: Bool

  /// Neurons handled together, so that their membranes stay in the first-level cache: a multiple of the
  /// period, hence one expanded copy of the parameters serves every block.
  var blockLength: Int { min(neurons, period * max(1, 1024 / period)) }

  var isRefractory: Bool { dynamics.refractorySteps > 0 }

  var rules: snn_lif_rules {
    snn_lif_rules(
      current_scale: currentScale, on_grid: grid != nil, floor: grid?.lowerBound ?? 0,
      ceiling: grid?.upperBound ?? 0, subtracts: dynamics.reset == .subtract,
      reset_value: dynamics.reset == .value ? resetValue : 0,
      inclusive: dynamics.compare == .greaterOrEqual, wide_leak: hasWideLeak,
      refractory_steps: UInt32(dynamics.refractorySteps))
  }

  /// Calls `body` with the first neuron and the length of every block.
  func forEachBlock(_ body: (_ start: Int, _ length: Int) -> Void) {
    for start in stride(from: 0, to: neurons, by: blockLength) {
      body(start, min(blockLength, neurons - start))
    }
  }
}

/// The parameters of one block of neurons, one value a neuron.
final class LIFRows {
  let threshold: UnsafeMutablePointer<Float>
  let inverseThreshold: UnsafeMutablePointer<Float>
  let leak: UnsafeMutablePointer<Float>
  let bias: UnsafeMutablePointer<Float>
  let initial: UnsafeMutablePointer<Float>
  private let memory: UnsafeMutableBufferPointer<Float>

  /// Each parameter repeated to the length of a block; its count divides the period.
  init(_ size: LIFSize, threshold: [Float], leak: [Float], bias: [Float], initial: [Float]) {
    let length = size.blockLength
    memory = .allocate(capacity: 5 * length)
    let first = memory.baseAddress ?? UnsafeMutablePointer.allocate(capacity: 1)
    (self.threshold, inverseThreshold) = (first, first + length)
    (self.leak, self.bias, self.initial) = (
      first + 2 * length, first + 3 * length, first + 4 * length
    )
    func fill(_ row: UnsafeMutablePointer<Float>, _ values: [Float]) {
      for start in stride(from: 0, to: length, by: values.count) {
        for index in 0..<min(values.count, length - start) { row[start + index] = values[index] }
      }
    }
    fill(self.threshold, threshold)
    fill(inverseThreshold, threshold.map { 1 / $0 })
    fill(self.leak, leak)
    fill(self.bias, bias)
    fill(self.initial, initial)
  }

  deinit { memory.deallocate() }
}

/// Where a forward pass writes what it keeps of its neurons, `[T, neurons]` each.
struct LIFRecording {
  /// Membranes before reset.
  var potentials: UnsafeMutablePointer<Float>
  var spikes: UnsafeMutablePointer<Float>
  /// 1 where a step's input was lost; nil without refractory steps.
  var blocked: UnsafeMutablePointer<Float>?
}

/// The same for a backward pass, which reads it.
struct LIFTrajectory {
  var potentials: UnsafePointer<Float>
  var spikes: UnsafePointer<Float>
  var blocked: UnsafePointer<Float>?
}

/// The membranes of neighbouring neurons between two steps.
struct LIFState {
  var membrane: UnsafeMutablePointer<Float>
  /// Steps still to lose; nil without refractory steps.
  var refractory: UnsafeMutablePointer<Float>?
}

/// The gradients of one pass's parameters, lane by lane of a block, folded to one period at the end.
struct LIFGradients {
  private let rowLength: Int
  private let period: Int
  /// Rows of threshold, leak and bias.
  fileprivate let lanes: UnsafeMutableBufferPointer<Float>

  init(_ size: LIFSize) {
    rowLength = size.blockLength
    period = size.period
    lanes = .allocate(capacity: 3 * rowLength)
    lanes.initialize(repeating: 0)
  }

  func deallocate() { lanes.deallocate() }

  fileprivate func row(_ index: Int) -> UnsafeMutablePointer<Float>? {
    lanes.baseAddress.map { $0 + index * rowLength }
  }

  var threshold: [Float] { folded(0) }
  var leak: [Float] { folded(1) }
  var bias: [Float] { folded(2) }

  /// Sums over the blocks' repetitions of one period, always in the same order.
  private func folded(_ row: Int) -> [Float] {
    var sums = [Float](repeating: 0, count: period)
    for start in stride(from: 0, to: rowLength, by: period) {
      for index in 0..<period { sums[index] += lanes[row * rowLength + start + index] }
    }
    return sums
  }
}

/// Forward and backward passes of LIF neurons; the equations stand at ``LIFDynamics``.
enum LIFKernel {
  /// Brings `length` neurons before step 0.
  static func reset(_ state: LIFState, _ rows: LIFRows, length: Int) {
    state.membrane.update(from: rows.initial, count: length)
    state.refractory?.update(repeating: 0, count: length)
  }

  /// Runs one step of `length` neurons from `start` on and returns how many spiked and how many clamps
  /// changed a membrane.
  ///
  /// - Parameters:
  ///   - current: of these neurons in this step; may lie in the memory of the potentials.
  ///   - state: of these neurons.
  static func forward(
    _ rules: inout snn_lif_rules, _ rows: LIFRows, row: Int, length: Int,
    current: UnsafePointer<Float>, _ state: LIFState, _ recording: LIFRecording
  ) -> (spikes: Int, saturations: Int) {
    var arrays = snn_lif_row(
      length: length, threshold: rows.threshold, leak: rows.leak, bias: rows.bias,
      current: current, membrane: state.membrane, potential: recording.potentials + row,
      spike: recording.spikes + row, refractory: state.refractory,
      blocked: recording.blocked.map { $0 + row })
    let counts = snn_lif_forward(&rules, &arrays)
    return (Int(counts.spikes), Int(counts.clamps))
  }

  /// One step backward of `length` neurons from `start` on: turns the spikes' gradient into the
  /// current's, in place.
  ///
  /// - Parameters:
  ///   - gradient: of these neurons in this step.
  ///   - carried: of these neurons: dL/dV after the step's reset, replaced by that before the step.
  ///   - spikeOffset: added to every spike's gradient.
  static func backward(
    _ size: LIFSize, _ rules: inout snn_lif_rules, _ slope: inout snn_slope, _ rows: LIFRows,
    step: Int, start: Int, length: Int, gradient: UnsafeMutablePointer<Float>,
    carried: UnsafeMutablePointer<Float>, spikeOffset: Float, _ trajectory: LIFTrajectory,
    into gradients: LIFGradients
  ) {
    let row = step * size.neurons + start
    let earlier = step > 0 ? row - size.neurons : nil
    let needsSpikes = size.isRefractory
    var arrays = snn_lif_backward_row(
      length: length, threshold: rows.threshold, inverse_threshold: rows.inverseThreshold,
      leak: rows.leak, potential: trajectory.potentials + row,
      earlier: earlier.map { trajectory.potentials + $0 },
      initial: UnsafePointer(rows.initial),
      spike: needsSpikes ? trajectory.spikes + row : nil,
      earlier_spike: needsSpikes ? earlier.map { trajectory.spikes + $0 } : nil,
      blocked: trajectory.blocked.map { $0 + row },
      spike_offset: spikeOffset, gradient: gradient, carried: carried,
      threshold_gradient: gradients.row(0), leak_gradient: gradients.row(1),
      bias_gradient: gradients.row(2))
    snn_lif_backward(&rules, &slope, &arrays)
  }
}
