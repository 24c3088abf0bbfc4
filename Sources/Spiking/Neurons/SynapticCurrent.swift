import Tensors

/// The synaptic currents of a population over some steps, `i_t = μ·i_{t−1} + I_t`: what arrives decays
/// over the steps instead of acting once. On the integer grid μ·i is truncated toward zero
/// (models/FORMAT.md, section 4).
///
/// Backward: `∂I_t = g_t = ∂i_t + μ·g_{t+1}`, `∂μ = Σ g_t·i_{t−1}`; the truncation counts as nothing.
///
/// Products are formed in double precision: on the grid a current has 24 bits, its leak 15.
/// - Parameters:
///   - arriving: I, `[T·B, …]`, step by step.
///   - earlier: the currents of the step before, `[B, …]`; nil: 0.
///   - leak: μ, of 1, C or N values.
/// - Returns: i, in the shape of `arriving`.
func synapticCurrent(
  _ arriving: Variable, after earlier: Variable? = nil, leak: Variable, steps: Int, onGrid: Bool,
  on tape: Tape
) -> Variable {
  let row = arriving.value.count / steps
  let before = earlier?.value
  var currents = Tensor(uninitialized: arriving.shape)
  currents.withMutablePointer { target in
    arriving.value.withPointer { source in
      leak.value.withPointer { leaks in
        let lanes = leak.value.count
        for index in 0..<row {
          var current = Double(before?[index] ?? 0)
          let factor = Double(leaks[index % lanes])
          for position in stride(from: index, to: steps * row, by: row) {
            current *= factor
            if onGrid { current.round(.towardZero) }
            current += Double(source[position])
            target[position] = Float(current)
            // Off the grid the next step goes on from what was stored.
            current = Double(target[position])
          }
        }
      }
    }
  }
  let inputs = [arriving, leak] + (earlier.map { [$0] } ?? [])
  let output = Variable(currents, needsGradient: inputs.contains { $0.needsGradient })
  guard output.needsGradient else { return output }
  tape.record {
    guard var gradient = output.takeGradient() else { return }
    var leakSums = [Double](repeating: 0, count: leak.value.count)
    var earlierGradient = Tensor(before?.shape ?? [1])
    gradient.withMutablePointer { g in
      for index in 0..<row {
        let lane = index % leakSums.count
        let factor = leak.value[lane]
        for step in stride(from: steps - 1, to: 0, by: -1) {
          let position = step * row + index
          g[position - row] += factor * g[position]
          leakSums[lane] += Double(g[position] * currents[position - row])
        }
        if let before {
          leakSums[lane] += Double(g[index] * before[index])
          earlierGradient[index] = factor * g[index]
        }
      }
    }
    leak.accumulate(Tensor(leak.shape, leakSums.map(Float.init)))
    earlier?.accumulate(earlierGradient)
    arriving.accumulate(gradient)
  }
  return output
}
