import Tensors

/// One-to-one synapses: every source times a weight, `[R, N] → [R, N]`, weights of 1, C or N values.
func oneToOne(_ input: Variable, weight: Variable, on tape: Tape) -> Variable {
  let columns = weight.value.count
  var result = Tensor(uninitialized: input.shape)
  result.withMutablePointer { target in
    input.value.withPointer { source in
      weight.value.withPointer { weights in
        for start in stride(from: 0, to: input.value.count, by: columns) {
          for column in 0..<columns {
            target[start + column] = source[start + column] * weights[column]
          }
        }
      }
    }
  }
  let output = Variable(result, needsGradient: input.needsGradient || weight.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    if weight.needsGradient {
      var sums = [Double](repeating: 0, count: columns)
      input.value.withPointer { source in
        gradient.withPointer { g in
          for start in stride(from: 0, to: gradient.count, by: columns) {
            for column in 0..<columns {
              sums[column] += Double(g[start + column] * source[start + column])
            }
          }
        }
      }
      weight.accumulate(Tensor(weight.shape, sums.map(Float.init)))
    }
    if input.needsGradient {
      input.accumulate(oneToOne(Variable(gradient), weight: weight, on: Tape()).value)
    }
  }
  return output
}

/// Lateral synapses: every source times one weight to all others of its row, `[R, N] → [R, N]`.
///
/// The current of j is w·(Σ_i s_i − s_j); the same sums carry gradients back.
func lateral(_ input: Variable, weight: Variable, neurons: Int, on tape: Tape) -> Variable {
  let output = Variable(
    sumsOfOthers(input.value, neurons: neurons).map { $0 * weight.value[0] },
    needsGradient: input.needsGradient || weight.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    let back = sumsOfOthers(gradient, neurons: neurons)
    if weight.needsGradient {
      // Σ g_j · others_j = Σ s_i · (sums of others' gradients)_i.
      var product = back
      product.multiply(by: input.value)
      weight.accumulate(Tensor(weight.shape, filledWith: Float(product.sum)))
    }
    if input.needsGradient { input.accumulate(back.map { $0 * weight.value[0] }) }
  }
  return output
}

/// For each element of rows of `neurons` the sum of the row's others. Integers stay exact below 2^24.
private func sumsOfOthers(_ rows: Tensor, neurons: Int) -> Tensor {
  var result = Tensor(uninitialized: rows.shape)
  result.withMutablePointer { target in
    rows.withPointer { source in
      for start in stride(from: 0, to: rows.count, by: neurons) {
        var total = 0.0
        for index in 0..<neurons { total += Double(source[start + index]) }
        for index in 0..<neurons {
          target[start + index] = Float(total - Double(source[start + index]))
        }
      }
    }
  }
  return result
}
