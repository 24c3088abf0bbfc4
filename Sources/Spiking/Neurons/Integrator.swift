import Tensors

/// The membranes of a read-out population after every step, `V_t = λ·V_{t−1} + I_t + b`, V_{−1} the
/// initial membrane. On the integer grid λ·V is truncated toward zero.
///
/// Read-out neurons never fire. Sums run in double precision: over many steps an integer membrane may
/// pass 2^24 (models/FORMAT.md, section 5).
/// - Parameters:
///   - current: `[T·B, K]`, step by step.
///   - numbers: λ, b and the initial membrane, of 1, C or K values.
/// - Returns: `[T·B, K]`.
func integrate(
  _ current: Variable, _ numbers: PopulationNumbers, steps: Int, onGrid: Bool, on tape: Tape
) -> Variable {
  let row = current.value.count / steps
  let neuron = ReadoutNumbers(numbers, row: row, onGrid: onGrid)
  var membranes = Tensor(uninitialized: current.shape)
  current.value.withPointer { source in
    membranes.withMutablePointer { target in
      neuron.run(steps: steps, current: { Double(source[$0]) }) { target[$0] = Float($1) }
    }
  }
  let parameters = [numbers.leak, numbers.bias, numbers.initial].compactMap { $0 }
  let output = Variable(
    membranes,
    needsGradient: current.needsGradient || parameters.contains { $0.needsGradient })
  guard output.needsGradient else { return output }
  tape.record {
    guard var gradient = output.takeGradient() else { return }
    var leakGradient = Tensor(numbers.leak?.shape ?? [1])
    var initialGradient = Tensor(numbers.initial?.shape ?? [1])
    gradient.withMutablePointer { target in
      // Every membrane carries to all later ones, λ of it a step.
      for step in stride(from: steps - 2, through: 0, by: -1) {
        let now = target + step * row
        if numbers.leak == nil {
          for index in 0..<row { now[index] += now[row + index] }
        } else {
          for index in 0..<row { now[index] += now[row + index] * Float(neuron.leaks[index]) }
        }
      }
      for index in 0..<(numbers.leak == nil ? 0 : row) {
        let lane = index % leakGradient.count
        leakGradient[lane] += target[index] * Float(neuron.initials[index])
        for step in 1..<max(steps, 1) {
          leakGradient[lane] += target[step * row + index] * membranes[(step - 1) * row + index]
        }
      }
      for index in 0..<(numbers.initial == nil ? 0 : row) {
        initialGradient[index % initialGradient.count] += target[index] * Float(neuron.leaks[index])
      }
    }
    numbers.leak?.accumulate(leakGradient)
    numbers.initial?.accumulate(initialGradient)
    if let bias = numbers.bias {
      var sums = Tensor(bias.shape)
      for (index, value) in gradient.elements.enumerated() { sums[index % sums.count] += value }
      bias.accumulate(sums)
    }
    current.accumulate(gradient)
  }
  return output
}

/// A read-out's parameters by neuron of a row of samples, and its equation.
struct ReadoutNumbers {
  let leaks: [Double]
  let biases: [Double]
  let initials: [Double]
  private let truncates: Bool

  /// The parameters repeated to the length of a row.
  init(_ numbers: PopulationNumbers, row: Int, onGrid: Bool) {
    func expanded(_ variable: Variable?, default value: Double) -> [Double] {
      guard let values = variable?.value.elements else {
        return [Double](repeating: value, count: row)
      }
      return (0..<row).map { Double(values[$0 % values.count]) }
    }
    leaks = expanded(numbers.leak, default: 1)
    biases = expanded(numbers.bias, default: 0)
    initials = expanded(numbers.initial, default: 0)
    truncates = onGrid
  }

  /// Runs the row over `steps` steps; positions are `step · row + neuron`.
  ///
  /// Exact on the grid: 32 bits of membrane and 16 of leak fit a double's product.
  @inline(__always)
  func run(steps: Int, current: (Int) -> Double, membrane: (Int, Double) -> Void) {
    let row = initials.count
    for index in 0..<row {
      var v = initials[index]
      let (leak, bias) = (leaks[index], biases[index])
      for position in stride(from: index, to: steps * row, by: row) {
        // A leak of 1 keeps the membrane whole; on the grid it is an integer already.
        if leak != 1 {
          v *= leak
          if truncates { v.round(.towardZero) }
        }
        v += current(position) + bias
        membrane(position, v)
      }
    }
  }
}
