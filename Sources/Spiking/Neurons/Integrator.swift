import Tensors

/// The membranes of a read-out population after every step: `V_t = V_{t−1} + I_t`, V_{−1} = 0.
///
/// Read-out neurons never fire. Sums run in double precision: over many steps an integer membrane may
/// pass 2^24 (models/FORMAT.md, section 5).
/// - Parameter current: `[T·B, K]`, step by step.
/// - Returns: `[T·B, K]`.
public func integrate(_ current: Variable, steps: Int, on tape: Tape) -> Variable {
  let row = current.value.count / steps
  var membranes = Tensor(uninitialized: current.shape)
  var sums = [Double](repeating: 0, count: row)
  current.value.withPointer { source in
    membranes.withMutablePointer { target in
      for step in 0..<steps {
        for index in 0..<row {
          sums[index] += Double(source[step * row + index])
          target[step * row + index] = Float(sums[index])
        }
      }
    }
  }
  let output = Variable(membranes, needsGradient: current.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard var gradient = output.takeGradient() else { return }
    gradient.withMutablePointer { target in
      // Every membrane carries to all later ones.
      for step in stride(from: steps - 2, through: 0, by: -1) {
        for index in 0..<row { target[step * row + index] += target[(step + 1) * row + index] }
      }
    }
    current.accumulate(gradient)
  }
  return output
}
