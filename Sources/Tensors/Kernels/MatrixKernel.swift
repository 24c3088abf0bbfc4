import COneDNN

/// Row-major single-precision matrix products.
enum MatrixKernel {
  /// A factor, in the orientation it is stored in.
  enum Factor {
    case plain(UnsafePointer<Float>)
    case transposed(UnsafePointer<Float>)
  }

  /// result[m, n] = a[m, k] · b[k, n].
  static func multiply(
    _ a: Factor, _ b: Factor, into result: UnsafeMutablePointer<Float>,
    rows m: Int, columns n: Int, inner k: Int
  ) {
    let (letterA, pointerA, strideA) = stored(a, plainStride: k, transposedStride: m)
    let (letterB, pointerB, strideB) = stored(b, plainStride: n, transposedStride: k)
    OneDNN.onOneThread("multiplying [\(m), \(k)] by [\(k), \(n)]") {
      dnnl_sgemm(
        letterA, letterB, Int64(m), Int64(n), Int64(k), 1, pointerA, strideA, pointerB, strideB, 0,
        result, Int64(n))
    }
  }

  private static func stored(
    _ factor: Factor, plainStride: Int, transposedStride: Int
  ) -> (CChar, UnsafePointer<Float>, Int64) {
    switch factor {
    case .plain(let pointer): (CChar(UInt8(ascii: "N")), pointer, Int64(plainStride))
    case .transposed(let pointer): (CChar(UInt8(ascii: "T")), pointer, Int64(transposedStride))
    }
  }
}
