import Wiring

/// Cross-correlation of images with a bank of kernels: `[…, H, W, I] → [N, H', W', O]`, where H' and
/// W' are ``Wiring/Convolution/Axis/outputLength(of:)`` of H and W.
///
/// Precondition: the input's channels are the weight's I, and the kernel fits the padded image.
/// - Parameters:
///   - input: images, all extents before the last three merged to N.
///   - weight: `[I, kernel height, kernel width, O / groups]`; input channel i belongs to group
///     g = i div (I / groups) and reaches the output channels g·(O / groups) and up.
///   - geometry: kernel, stride, zero padding and dilation by direction, and groups.
public func convolution(
  _ input: Variable, weight: Variable, geometry: Convolution, on tape: Tape
) -> Variable {
  let extents = input.shape.suffix(3)
  precondition(
    extents.count == 3 && weight.shape.count == 4 && weight.shape[0] == extents.last
      && weight.shape[1] == geometry.y.kernel && weight.shape[2] == geometry.x.kernel
      && weight.shape[0] % geometry.groups == 0,
    "convolution: an input \(input.shape) or \(geometry) does not fit a weight \(weight.shape)")
  let size = ConvolutionSize(
    images: input.value.count / extents.reduce(1, *), inputs: weight.shape[0],
    height: extents[extents.startIndex], width: extents[extents.startIndex + 1],
    outputs: weight.shape[3] * geometry.groups, geometry: geometry)
  precondition(
    size.outputHeight > 0 && size.outputWidth > 0,
    "convolution: \(geometry) does not fit an input \(input.shape)")
  var result = Tensor(
    uninitialized: [size.images, size.outputHeight, size.outputWidth, size.outputs])
  result.withMutablePointer { target in
    input.value.withPointer { source in
      weight.value.withPointer { weights in
        ConvolutionKernel.cached(size, .forward).forward(source, weights, target)
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
        input.value.withPointer { source in
          gradient.withPointer { g in
            ConvolutionKernel.cached(size, .backwardWeights).backwardWeights(source, g, target)
          }
        }
      }
      weight.accumulate(weightGradient)
    }
    if input.needsGradient {
      var inputGradient = Tensor(uninitialized: input.shape)
      inputGradient.withMutablePointer { target in
        gradient.withPointer { g in
          weight.value.withPointer { weights in
            ConvolutionKernel.cached(size, .backwardData).backwardData(g, weights, target)
          }
        }
      }
      input.accumulate(inputGradient)
    }
  }
  return output
}
