/// Operations along the first axis of T steps.

/// The input of `delay` steps before, zeros first: `[T·R, …] → [T·R, …]`. No delay yields the input
/// itself.
public func delayed(_ input: Variable, by delay: Int, steps: Int, on tape: Tape) -> Variable {
  guard delay > 0 else { return input }
  let row = input.value.count / steps
  let moved = max(steps - delay, 0) * row
  var result = Tensor(input.shape)
  result.withMutablePointer { target in
    input.value.withPointer {
      target.advanced(by: min(delay, steps) * row).update(from: $0, count: moved)
    }
  }
  let output = Variable(result, needsGradient: input.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    var earlier = Tensor(input.shape)
    earlier.withMutablePointer { target in
      gradient.withPointer { target.update(from: $0 + min(delay, steps) * row, count: moved) }
    }
    input.accumulate(earlier)
  }
  return output
}

/// Part `index` of `entries` equal parts along the first axis, under the given shape.
public func part(
  _ index: Int, of entries: Int, _ input: Variable, shape: [Int], on tape: Tape
) -> Variable {
  let output = Variable(
    input.value.slice(index, of: entries, shape: shape), needsGradient: input.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    input.accumulate(gradient, toPart: index, of: entries)
  }
  return output
}

/// Parts of equal shape one after the other: `[[R, …]] → [T·R, …]`, under the given shape.
public func joined(_ parts: [Variable], shape: [Int], on tape: Tape) -> Variable {
  var result = Tensor(uninitialized: shape)
  let row = result.count / parts.count
  result.withMutablePointer { target in
    for (index, part) in parts.enumerated() {
      part.value.withPointer { (target + index * row).update(from: $0, count: row) }
    }
  }
  let output = Variable(result, needsGradient: parts.contains { $0.needsGradient })
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    for (index, part) in parts.enumerated() where part.needsGradient {
      part.accumulate(gradient.slice(index, of: parts.count, shape: part.shape))
    }
  }
  return output
}

/// Adds a held tensor `[R, …]` to every step of `[T·R, …]`.
public func addedToSteps(
  _ input: Variable, _ held: Variable, steps: Int, on tape: Tape
) -> Variable {
  let row = held.value.count
  precondition(
    input.value.count == steps * row, "\(steps) steps of \(held.shape) are no \(input.shape)")
  var result = input.value
  result.withMutablePointer { target in
    held.value.withPointer { source in
      for step in 0..<steps {
        for index in 0..<row { target[step * row + index] += source[index] }
      }
    }
  }
  let output = Variable(result, needsGradient: input.needsGradient || held.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    if held.needsGradient { held.accumulate(gradient.summedOverSteps(steps, shape: held.shape)) }
    input.accumulate(gradient)
  }
  return output
}

extension Variable {
  /// Adds a gradient to one of `entries` equal parts of this variable's.
  func accumulate(_ contribution: Tensor, toPart index: Int, of entries: Int) {
    guard needsGradient else { return }
    var whole = takeGradient() ?? Tensor(shape)
    let length = contribution.count
    precondition(entries * length == whole.count, "a part's gradient is \(contribution.shape)")
    whole.withMutablePointer { target in
      contribution.withPointer { source in
        for position in 0..<length { target[index * length + position] += source[position] }
      }
    }
    gradient = whole
  }
}
