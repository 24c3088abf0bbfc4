/// Sums over windows of `side` × `side` cells, stride `side`: `[…, H, W, C] → [N, H div side, W div side, C]`.
///
/// Rows and columns that do not fill a window are dropped (models/FORMAT.md, section 3).
public func sumPool(_ input: Variable, side: Int, on tape: Tape) -> Variable {
  let extents = Array(input.shape.suffix(3))
  precondition(
    extents.count == 3 && side >= 1 && extents[0] >= side && extents[1] >= side,
    "sumPool: windows of \(side) do not fit an input \(input.shape)")
  let images = input.value.count / extents.reduce(1, *)
  var result = Tensor(
    uninitialized: [images, extents[0] / side, extents[1] / side, extents[2]])
  result.withMutablePointer { target in
    input.value.withPointer { source in
      PoolKernel.sum(
        source, into: target, images: images, height: extents[0], width: extents[1],
        channels: extents[2], side: side)
    }
  }
  let output = Variable(result, needsGradient: input.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    var inputGradient = Tensor(uninitialized: input.shape)
    inputGradient.withMutablePointer { target in
      gradient.withPointer { g in
        PoolKernel.spread(
          g, into: target, images: images, height: extents[0], width: extents[1],
          channels: extents[2], side: side)
      }
    }
    input.accumulate(inputGradient)
  }
  return output
}
