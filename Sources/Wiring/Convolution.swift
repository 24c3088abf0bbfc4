/// The geometry of a convolutional projection (FORMAT.md §3, CONV).
public struct Convolution: Hashable, Sendable {
  /// One spatial direction of a convolution.
  public struct Axis: Hashable, Sendable {
    /// Kernel side, 1...31.
    public var kernel: Int
    /// Stride, 1...16.
    public var stride: Int
    /// Zero padding before the first position, 0...30.
    public var paddingBefore: Int
    /// Zero padding after the last position, 0...30.
    public var paddingAfter: Int
    /// Dilation, 1...16.
    public var dilation: Int

    /// A direction with the given numbers.
    public init(
      kernel: Int, stride: Int = 1, paddingBefore: Int, paddingAfter: Int, dilation: Int = 1
    ) {
      self.kernel = kernel
      self.stride = stride
      self.paddingBefore = paddingBefore
      self.paddingAfter = paddingAfter
      self.dilation = dilation
    }

    /// A direction with the same padding on both sides.
    public init(kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1) {
      self.init(
        kernel: kernel, stride: stride, paddingBefore: padding, paddingAfter: padding,
        dilation: dilation)
    }

    /// The output length over an input of `length`, 0 if the kernel does not fit (FORMAT.md §3).
    public func outputLength(of length: Int) -> Int {
      let room = length + paddingBefore + paddingAfter - dilation * (kernel - 1) - 1
      return room < 0 ? 0 : room / stride + 1
    }

    /// The output position that tap `tap` carries source position `position` to, if it lies within
    /// `outputLength`.
    public func output(of position: Int, tap: Int, within outputLength: Int) -> Int? {
      let strided = position + paddingBefore - tap * dilation
      guard strided >= 0, strided % stride == 0, strided / stride < outputLength else { return nil }
      return strided / stride
    }

    /// The taps of output position `output` whose source lies within `0..<length`: a contiguous
    /// range, empty where a dilated kernel reaches only padding.
    public func taps(of output: Int, over length: Int) -> Range<Int> {
      let origin = output * stride - paddingBefore
      let first = origin >= 0 ? 0 : (-origin + dilation - 1) / dilation
      let end = origin >= length ? 0 : (length - origin + dilation - 1) / dilation
      return first < min(end, kernel) ? first..<min(end, kernel) : 0..<0
    }
  }

  /// The direction of rows.
  public var y: Axis
  /// The direction of columns.
  public var x: Axis
  /// Groups of channels; divides source and target channels.
  public var groups: Int

  /// A convolution of the given directions and groups.
  public init(y: Axis, x: Axis, groups: Int = 1) {
    self.y = y
    self.x = x
    self.groups = groups
  }

  /// A convolution with the same numbers in both directions.
  public init(
    kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1
  ) {
    let axis = Axis(kernel: kernel, stride: stride, padding: padding, dilation: dilation)
    self.init(y: axis, x: axis, groups: groups)
  }

  /// The shape of the target with `channels` over a (pooled) source of `shape`; a side is 0 where
  /// the kernel does not fit.
  public func outputShape(of shape: Shape, channels: Int) -> Shape {
    Shape(
      channels: channels, height: y.outputLength(of: shape.height),
      width: x.outputLength(of: shape.width))
  }
}
