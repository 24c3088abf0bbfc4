import Tensors

/// `floor((a + 2^(r−1)) / 2^r)`: the scale of a projection from values (models/FORMAT.md, section 4).
///
/// Exact for |a| + 2^(r−1) < 2^24. The gradient passes straight through, divided by 2^r. r = 0 yields the
/// current itself.
func roundingShift(_ current: Variable, right: Int, on tape: Tape) -> Variable {
  guard right > 0 else { return current }
  let factor = 1 / Float(1 << right)
  let half = Float(1 << (right - 1))
  let output = Variable(
    current.value.map { floor(($0 + half) * factor) },
    needsGradient: current.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard var gradient = output.takeGradient() else { return }
    gradient.apply { $0 * factor }
    current.accumulate(gradient)
  }
  return output
}

/// The greatest integer not above x, for |x| < 2^23: adding and subtracting 2^23 rounds to the nearest
/// integer, and one is taken off where that went up. (The standard library's is a call per element.)
@inline(__always) private func floor(_ x: Float) -> Float {
  let magnitude = abs(x)
  let rounded = (magnitude + 0x1p23) - 0x1p23
  let nearest = x < 0 ? -rounded : rounded
  return nearest > x ? nearest - 1 : nearest
}
