/// Loops of quantisation over `[rows, columns]` weights with a step per column, or one for all.
enum QuantizeKernel {
  /// codes = clamp(round(weights / step), ±limit), halves to even.
  static func codes(
    _ weights: UnsafePointer<Float>, inverseSteps: UnsafePointer<Float>, limit: Float,
    into codes: UnsafeMutablePointer<Float>, rows: Int, columns: Int
  ) {
    for row in 0..<rows {
      let from = weights + row * columns
      let to = codes + row * columns
      for column in 0..<columns {
        to[column] = rounded(min(max(from[column] * inverseSteps[column], -limit), limit))
      }
    }
  }

  /// Turns dL/dcode into dL/dweight in place and adds Σ dL/dŵ · ∂ŵ/∂step by column to `stepGradients`.
  static func backward(
    _ weights: UnsafePointer<Float>, inverseSteps: UnsafePointer<Float>, limit: Float,
    gradient: UnsafeMutablePointer<Float>, stepGradients: UnsafeMutablePointer<Float>,
    rows: Int, columns: Int
  ) {
    for row in 0..<rows {
      let from = weights + row * columns
      let to = gradient + row * columns
      for column in 0..<columns {
        let scaled = from[column] * inverseSteps[column]
        let clamped = min(max(scaled, -limit), limit)
        let inside = scaled == clamped
        let real = to[column] * inverseSteps[column]
        stepGradients[column] += real * (rounded(clamped) - (inside ? scaled : 0))
        to[column] = inside ? real : 0
      }
    }
  }

  /// The nearest integer of |x| ≤ 2^22, halves to even: what lies below the last bit of 1.5·2^23 is
  /// rounded away. Vectorises where the C library's `rint` does not.
  @inline(__always) static func rounded(_ x: Float) -> Float { (x + 0x1.8p23) - 0x1.8p23 }
}
