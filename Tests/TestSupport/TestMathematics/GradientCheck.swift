import Tensors

/// How far an operation's gradients are from central differences: for each input, the largest
/// difference in units of the largest gradient; the worst of all inputs.
///
/// The differentiated number is Σ w·output with fixed random weights w, summed in double precision.
/// - Parameters:
///   - step: half the distance of the two evaluations. An operation linear in each input has no error of
///     truncation, so a step as large as the inputs loses the least to rounding.
public func gradientError(
  of inputs: [Tensor], step: Float, _ operation: ([Variable], Tape) -> Variable
) -> Double {
  let tape = Tape()
  let variables = inputs.map { Variable($0, needsGradient: true) }
  let output = operation(variables, tape)
  var random = RandomSource(seed: 0xC0FFEE)
  let weights = Tensor.random(output.shape, in: -1...1, using: &random)
  tape.backward(from: output, seed: weights)

  func weighted(_ inputs: [Tensor]) -> Double {
    let output = operation(inputs.map { Variable($0) }, Tape()).value
    return zip(output.elements, weights.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
  var worst = 0.0
  for (position, variable) in variables.enumerated() {
    let differences = (0..<inputs[position].count).map { index -> Double in
      var moved = inputs
      moved[position][index] = inputs[position][index] + step
      let above = weighted(moved)
      moved[position][index] = inputs[position][index] - step
      return (above - weighted(moved)) / (2 * Double(step))
    }
    worst = max(worst, relativeDifference(variable.gradient?.elements ?? [], differences))
  }
  return worst
}
