/// The last of T entries along the first axis: `[T, …] → […]`, as rows of the merged leading extents.
public func lastStep(of input: Variable, steps: Int, on tape: Tape) -> Variable {
  let count = input.value.count / steps
  let columns = input.shape.last ?? 1
  let shape = [count / columns, columns]
  var result = Tensor(uninitialized: shape)
  result.withMutablePointer { target in
    input.value.withPointer { target.update(from: $0 + (steps - 1) * count, count: count) }
  }
  let output = Variable(result, needsGradient: input.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    var whole = Tensor(input.shape)
    whole.withMutablePointer { target in
      gradient.withPointer { (target + (steps - 1) * count).update(from: $0, count: count) }
    }
    input.accumulate(whole)
  }
  return output
}
