/// The sum over T steps times `scale`, `[T·B, K] → [B, K]`.
public func sumOverSteps(
  _ input: Variable, steps: Int, scale: Float, on tape: Tape
) -> Variable {
  let columns = input.shape.last ?? 1
  let shape = [input.value.count / steps / columns, columns]
  let output = Variable(
    input.value.summedOverSteps(steps, shape: shape).map { $0 * scale },
    needsGradient: input.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    let row = gradient.count
    var whole = Tensor(uninitialized: input.shape)
    whole.withMutablePointer { target in
      gradient.withPointer { source in
        for position in 0..<steps * row { target[position] = source[position % row] * scale }
      }
    }
    input.accumulate(whole)
  }
  return output
}

/// The largest of T steps, element by element, `[T·B, K] → [B, K]`; the gradient goes to the first step
/// that has it.
public func maximumOverSteps(_ input: Variable, steps: Int, on tape: Tape) -> Variable {
  let columns = input.shape.last ?? 1
  let row = input.value.count / steps
  var result = input.value.slice(0, of: steps, shape: [row / columns, columns])
  var places = [Int](repeating: 0, count: row)
  for step in 1..<max(steps, 1) {
    for index in 0..<row where input.value[step * row + index] > result[index] {
      result[index] = input.value[step * row + index]
      places[index] = step
    }
  }
  let output = Variable(result, needsGradient: input.needsGradient)
  guard output.needsGradient else { return output }
  tape.record { [places] in
    guard let gradient = output.takeGradient() else { return }
    var whole = Tensor(input.shape)
    for index in 0..<row { whole[places[index] * row + index] = gradient[index] }
    input.accumulate(whole)
  }
  return output
}
