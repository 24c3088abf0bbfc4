import Tensors

/// The connections into a layer.
public enum Synapse: Hashable, Sendable {
  /// Every source to every one of `outputs` targets. Weights `[sources, outputs]`.
  case dense(outputs: Int)
  /// A bank of square kernels. Weights `[channels, kernel, kernel, outputs]`.
  case convolution(outputs: Int, kernel: Int, geometry: ConvolutionGeometry)

  var isConvolution: Bool {
    if case .convolution = self { true } else { false }
  }

  /// The target's shape for a (pooled) source, nil where the kernel does not fit.
  public func outputShape(for source: FeatureShape) -> FeatureShape? {
    switch self {
    case .dense(let outputs): return FeatureShape(channels: outputs)
    case .convolution(let outputs, let kernel, let geometry):
      let height = geometry.outputExtent(source.height, kernel: kernel)
      let width = geometry.outputExtent(source.width, kernel: kernel)
      guard height > 0, width > 0 else { return nil }
      return FeatureShape(channels: outputs, height: height, width: width)
    }
  }

  /// The weights' shape for a (pooled) source: rows by presynaptic neuron or channel, the target's
  /// channel last, as in a model file.
  public func weightShape(for source: FeatureShape) -> [Int] {
    switch self {
    case .dense(let outputs): return [source.count, outputs]
    case .convolution(let outputs, let kernel, _):
      return [source.channels, kernel, kernel, outputs]
    }
  }

  /// The number of sources a target neuron sums over.
  public func fanIn(for source: FeatureShape) -> Int {
    switch self {
    case .dense: return source.count
    case .convolution(_, let kernel, _): return source.channels * kernel * kernel
    }
  }
}
