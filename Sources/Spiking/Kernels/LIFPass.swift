import CKernels
import Tensors
import Wiring

/// One pass of a population of LIF neurons over T steps: all at once (``run(_:)``), or step
/// by step where the neurons hear themselves (``step(_:_:)``). Equations: ``LIFDynamics``.
///
/// A pass belongs to one tape. Its object is kept by the tape's records until they are replayed.
final class LIFPass {
  private let size: LIFSize
  private let numbers: PopulationNumbers
  private let threshold: Variable
  private let rows: LIFRows
  private let extents: [Int]
  private let batch: Int
  private let penaltyPrice: ActivityPenalty?
  private let tape: Tape
  private let needsGradient: Bool

  /// The membranes before reset, `[T·B, …]`, in membrane units.
  private(set) var potentials: Tensor
  /// 0 or 1, `[T·B, …]`.
  private(set) var spikes: Tensor
  /// 1 where a step's input was lost, `[T·B, …]`; one element without refractory steps.
  private var blocked: Tensor
  private var counts = (spikes: 0, saturations: 0)

  // Of a pass step by step.
  private var membrane: Tensor?
  private var refractory: Tensor?
  private var carried: Tensor?
  private var gradients: LIFGradients?
  private var table: SpikeTimeTable?

  /// - Parameters:
  ///   - current: whose memory becomes the membranes where it has a step axis; nil step by step.
  ///   - scale: what currents are multiplied with, 2^shift on the integer grid.
  ///   - inputs: whether the currents need a gradient.
  init(
    _ population: Population, _ dynamics: LIFDynamics, _ numbers: PopulationNumbers, steps: Int,
    batch: Int, held: Bool, scale: Float, onGrid: Bool, current: Tensor?, inputs: Bool,
    penalty: ActivityPenalty?, on tape: Tape
  ) {
    guard let threshold = numbers.threshold else {
      preconditionFailure("population \(population.name) spikes but has no threshold")
    }
    let parameters = [numbers.threshold, numbers.leak, numbers.bias, numbers.initial]
      .compactMap { $0 }
    let period = parameters.map(\.value.count).max() ?? 1
    precondition(
      population.shape.count % period == 0
        && parameters.allSatisfy { period % $0.value.count == 0 },
      "parameters of \(parameters.map(\.value.count)) values do not fit population "
        + "\(population.name) of \(population.shape)")
    let leaks = numbers.leak?.value.elements ?? [1]
    size = LIFSize(
      steps: steps, neurons: batch * population.shape.count, period: period, heldCurrent: held,
      currentScale: scale, dynamics: dynamics, resetValue: numbers.resetValue,
      grid: onGrid ? numbers.range : nil,
      hasWideLeak: onGrid && leaks.contains { $0 * 256 != ($0 * 256).rounded() })
    rows = LIFRows(
      size, threshold: threshold.value.elements, leak: leaks,
      bias: numbers.bias?.value.elements ?? [0], initial: numbers.initial?.value.elements ?? [0])
    self.numbers = numbers
    self.threshold = threshold
    self.batch = batch
    self.tape = tape
    extents = population.shape.extents
    penaltyPrice = penalty
    needsGradient = inputs || parameters.contains { $0.needsGradient }
    let shape = [steps * batch] + extents
    potentials = current?.reshaped(shape) ?? Tensor(uninitialized: shape)
    spikes = Tensor(uninitialized: shape)
    blocked = Tensor(size.isRefractory ? shape : [1])
  }

  deinit { gradients?.deallocate() }

  /// Mean spikes per neuron and step.
  var rate: Float { Float(counts.spikes) / Float(spikes.count) }
  /// Clamps that changed a membrane.
  var saturations: Int { counts.saturations }
  /// The activity penalty's value, part of the loss; its gradient is in the tape.
  var penalty: Float { (penaltyPrice?.strength ?? 0) * excess * excess }

  private var excess: Float { max(0, rate - (penaltyPrice?.targetRate ?? .infinity)) }
  /// The penalty's gradient with respect to each spike.
  private var spikeOffset: Float {
    (penaltyPrice?.strength ?? 0) * 2 * excess / Float(spikes.count)
  }

  /// Calls `body` with the memory of the forward pass, for writing.
  private func recording<R>(_ body: (LIFRecording) -> R) -> R {
    potentials.withMutablePointer { potentials in
      spikes.withMutablePointer { spikes in
        var recording = LIFRecording(potentials: potentials, spikes: spikes, blocked: nil)
        guard size.isRefractory else { return body(recording) }
        return blocked.withMutablePointer {
          recording.blocked = $0
          return body(recording)
        }
      }
    }
  }

  /// Calls `body` with what the forward pass wrote.
  private func trajectory<R>(_ body: (LIFTrajectory) -> R) -> R {
    potentials.withPointer { potentials in
      spikes.withPointer { spikes in
        blocked.withPointer { blocked in
          body(
            LIFTrajectory(
              potentials: potentials, spikes: spikes,
              blocked: size.isRefractory ? blocked : nil))
        }
      }
    }
  }

  // MARK: All steps at once

  /// Runs all steps, block by block of neurons whose membranes stay in the cache, and returns the
  /// spikes `[T·B, …]`.
  ///
  /// - Parameter current: of every step where it is held, `[B, …]`; else the one whose memory the pass
  ///   was made with.
  func run(_ current: Variable) -> Variable {
    let length = size.blockLength
    var state = Tensor([2 * length])
    var rules = size.rules
    func run(_ source: UnsafePointer<Float>, _ recording: LIFRecording) {
      state.withMutablePointer { memory in
        let state = LIFState(
          membrane: memory, refractory: size.isRefractory ? memory + length : nil)
        size.forEachBlock { start, length in
          LIFKernel.reset(state, rows, length: length)
          for step in 0..<size.steps {
            let row = step * size.neurons + start
            let seen = LIFKernel.forward(
              &rules, rows, row: row, length: length,
              current: source + (size.heldCurrent ? start : row), state, recording)
            counts.spikes += seen.spikes
            counts.saturations += seen.saturations
          }
        }
      }
    }
    recording { recording in
      if size.heldCurrent {
        current.value.withPointer { run($0, recording) }
      } else {
        run(recording.potentials, recording)
      }
    }
    let output = Variable(spikes, needsGradient: needsGradient)
    guard needsGradient else { return output }
    tape.record { [self] in
      let offset = spikeOffset
      // The penalty's gradient stands alone where nothing reads the spikes.
      guard
        var gradient = output.takeGradient() ?? (offset == 0 ? nil : Tensor(output.shape))
      else { return }
      backward(&gradient, spikeOffset: offset)
      guard current.needsGradient else { return }
      current.accumulate(
        size.heldCurrent ? gradient.summedOverSteps(size.steps, shape: current.shape) : gradient)
    }
    return output
  }

  /// Turns the gradient of all spikes into the current's, and hands out the parameters'.
  private func backward(_ gradient: inout Tensor, spikeOffset: Float) {
    let gradients = LIFGradients(size)
    var carriedRow = [Float](repeating: 0, count: size.blockLength)
    var initial = [Float](repeating: 0, count: numbers.initial?.value.count ?? 0)
    var table = SpikeTimeTable(
      size.dynamics.surrogate, steps: size.steps, length: size.blockLength)
    var rules = size.rules
    gradient.withMutablePointer { gradient in
      trajectory { trajectory in
        carriedRow.withUnsafeMutableBufferPointer { buffer in
          guard let carried = buffer.baseAddress else { return }
          size.forEachBlock { start, length in
            table?.fill(size, start: start, length: length, spikes: trajectory.spikes)
            carried.update(repeating: 0, count: length)
            for step in stride(from: size.steps - 1, through: 0, by: -1) {
              func run(_ row: UnsafePointer<Float>?) {
                var slope = size.dynamics.surrogate.kernel(table: row)
                LIFKernel.backward(
                  size, &rules, &slope, rows, step: step, start: start, length: length,
                  gradient: gradient + step * size.neurons + start, carried: carried,
                  spikeOffset: spikeOffset, trajectory, into: gradients)
              }
              if let table { table.withRow(step, run) } else { run(nil) }
            }
            for index in 0..<(initial.isEmpty ? 0 : length) {
              initial[(start + index) % initial.count] += carried[index]
            }
          }
        }
      }
    }
    accumulate(gradients, initial: initial)
    gradients.deallocate()
  }

  private func accumulate(_ gradients: LIFGradients, initial: [Float]) {
    threshold.accumulate(Self.folded(gradients.threshold, to: threshold.shape))
    if let leak = numbers.leak { leak.accumulate(Self.folded(gradients.leak, to: leak.shape)) }
    if let bias = numbers.bias { bias.accumulate(Self.folded(gradients.bias, to: bias.shape)) }
    if let variable = numbers.initial { variable.accumulate(Tensor(variable.shape, initial)) }
  }

  /// A period's gradients added up to the granularity of the parameter.
  private static func folded(_ row: [Float], to shape: [Int]) -> Tensor {
    var result = [Float](repeating: 0, count: shape.reduce(1, *))
    for (index, value) in row.enumerated() { result[index % result.count] += value }
    return Tensor(shape, result)
  }

  // MARK: Step by step

  /// Brings the neurons before step 0 and records what hands out the parameters' gradients once all
  /// steps are replayed.
  func begin() {
    var membrane = Tensor(uninitialized: [size.neurons])
    membrane.withMutablePointer { membrane in
      size.forEachBlock { start, length in
        (membrane + start).update(from: rows.initial, count: length)
      }
    }
    self.membrane = membrane
    if size.isRefractory { refractory = Tensor([size.neurons]) }
    guard needsGradient else { return }
    tape.record { [self] in
      guard let gradients, let carried else { return }
      var initial = [Float](repeating: 0, count: numbers.initial?.value.count ?? 0)
      if !initial.isEmpty {
        for (index, value) in carried.elements.enumerated() {
          initial[index % initial.count] += value
        }
      }
      accumulate(gradients, initial: initial)
    }
  }

  /// Runs one step on its current `[B, …]` and returns its spikes.
  func step(_ step: Int, _ current: Variable) -> Variable {
    var rules = size.rules
    guard var membrane else { preconditionFailure("a pass was not begun") }
    var refractory = refractory
    (self.membrane, self.refractory) = (nil, nil)
    let seen = recording { recording in
      current.value.withPointer { current in
        membrane.withMutablePointer { membrane in
          func run(_ counters: UnsafeMutablePointer<Float>?) -> (spikes: Int, saturations: Int) {
            var total = (spikes: 0, saturations: 0)
            size.forEachBlock { start, length in
              let seen = LIFKernel.forward(
                &rules, rows, row: step * size.neurons + start, length: length,
                current: current + start,
                LIFState(membrane: membrane + start, refractory: counters.map { $0 + start }),
                recording)
              total.spikes += seen.spikes
              total.saturations += seen.saturations
            }
            return total
          }
          return refractory?.withMutablePointer(run) ?? run(nil)
        }
      }
    }
    (self.membrane, self.refractory) = (membrane, refractory)
    counts.spikes += seen.spikes
    counts.saturations += seen.saturations
    let output = Variable(
      spikes.slice(step, of: size.steps, shape: [batch] + extents), needsGradient: needsGradient)
    guard needsGradient else { return output }
    tape.record { [self] in stepBackward(step, output, current) }
    return output
  }

  private func stepBackward(_ step: Int, _ output: Variable, _ current: Variable) {
    var gradient = output.takeGradient() ?? Tensor(output.shape)
    var carried = carried ?? Tensor([size.neurons])
    self.carried = nil
    if gradients == nil {
      gradients = LIFGradients(size)
      table = SpikeTimeTable(size.dynamics.surrogate, steps: size.steps, length: size.neurons)
      trajectory {
        table?.fill(size, start: 0, length: size.neurons, spikes: $0.spikes)
      }
    }
    guard let gradients else { return }
    var rules = size.rules
    let offset = spikeOffset
    gradient.withMutablePointer { gradient in
      carried.withMutablePointer { carried in
        trajectory { trajectory in
          size.forEachBlock { start, length in
            func run(_ row: UnsafePointer<Float>?) {
              var slope = size.dynamics.surrogate.kernel(table: row)
              LIFKernel.backward(
                size, &rules, &slope, rows, step: step, start: start, length: length,
                gradient: gradient + start, carried: carried + start, spikeOffset: offset,
                trajectory, into: gradients)
            }
            if let table { table.withRow(step, from: start, run) } else { run(nil) }
          }
        }
      }
    }
    self.carried = carried
    current.accumulate(gradient)
  }
}
