/// Stride and zero padding of a two-dimensional convolution, the same in both directions.
public struct ConvolutionGeometry: Hashable, Sendable, Codable {
  /// Cells from one window to the next, at least 1.
  public var stride: Int
  /// Rows and columns of zeros on every side of the image, at least 0.
  public var padding: Int

  /// A geometry of the given numbers.
  /// - Parameters:
  ///   - stride: cells between windows, at least 1.
  ///   - padding: rows and columns of zeros around the image, at least 0.
  public init(stride: Int = 1, padding: Int = 0) {
    self.stride = stride
    self.padding = padding
  }

  /// The output extent for an input extent, `(extent + 2·padding − kernel) div stride + 1`; 0 where
  /// the kernel does not fit.
  public func outputExtent(_ extent: Int, kernel: Int) -> Int {
    extent + 2 * padding < kernel ? 0 : (extent + 2 * padding - kernel) / stride + 1
  }
}

/// Cross-correlation of images with a bank of kernels: `[…, H, W, I] → [N, H', W', O]`, where H' and
/// W' are ``ConvolutionGeometry/outputExtent(_:kernel:)`` of H and W.
///
/// Precondition: the input's channels are the weight's I, and the kernel fits the padded image.
/// - Parameters:
///   - input: images, all extents before the last three merged to N.
///   - weight: `[I, K, K, O]`.
public func convolution(
  _ input: Variable, weight: Variable, geometry: ConvolutionGeometry, on tape: Tape
) -> Variable {
  let extents = input.shape.suffix(3)
  precondition(
    extents.count == 3 && weight.shape.count == 4 && weight.shape[0] == extents.last,
    "convolution: an input \(input.shape) does not fit a weight \(weight.shape)")
  let size = ConvolutionSize(
    images: input.value.count / extents.reduce(1, *), inputs: weight.shape[0],
    height: extents[extents.startIndex], width: extents[extents.startIndex + 1],
    outputs: weight.shape[3], kernel: weight.shape[1], stride: geometry.stride,
    padding: geometry.padding)
  precondition(
    geometry.outputExtent(size.height, kernel: size.kernel) > 0
      && geometry.outputExtent(size.width, kernel: size.kernel) > 0,
    "convolution: a kernel of \(size.kernel) does not fit an input \(input.shape)")
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
