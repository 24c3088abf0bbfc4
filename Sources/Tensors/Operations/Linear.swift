/// The product of rows of features with a weight matrix: `[…, I] · [I, J] → […, J]`.
///
/// The leading extents are merged to rows; the result has the shape `[rows…, J]` with the input's
/// leading extents as far as they cover I features each.
/// - Parameters:
///   - input: `[R, …]` with R·…  a multiple of I; viewed as rows of I features.
///   - weight: `[I, J]`, row i holding what input i sends to every output.
///   - rows: the number of rows the input is viewed as.
public func linear(_ input: Variable, weight: Variable, rows: Int, on tape: Tape) -> Variable {
  precondition(
    weight.shape.count == 2 && input.value.count == rows * weight.shape[0],
    "linear: \(rows) rows of an input \(input.shape) do not fit a weight \(weight.shape)")
  let inner = weight.shape[0]
  let columns = weight.shape[1]
  var result = Tensor(uninitialized: [rows, columns])
  result.withMutablePointer { target in
    input.value.withPointer { a in
      weight.value.withPointer { b in
        MatrixKernel.multiply(
          .plain(a), .plain(b), into: target, rows: rows, columns: columns, inner: inner)
      }
    }
  }
  let output = Variable(result, needsGradient: input.needsGradient || weight.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    if weight.needsGradient {
      var weightGradient = Tensor(uninitialized: weight.shape)
      weightGradient.withMutablePointer { target in
        input.value.withPointer { a in
          gradient.withPointer { g in
            MatrixKernel.multiply(

              .transposed(a), .plain(g), into: target, rows: inner, columns: columns, inner: rows)
          }
        }
      }
      weight.accumulate(weightGradient)
    }
    if input.needsGradient {
      var inputGradient = Tensor(uninitialized: input.shape)
      inputGradient.withMutablePointer { target in
        gradient.withPointer { g in
          weight.value.withPointer { b in
            MatrixKernel.multiply(
              .plain(g), .transposed(b), into: target, rows: rows, columns: inner, inner: columns)
          }
        }
      }
      input.accumulate(inputGradient)
    }
  }
  return output
}
