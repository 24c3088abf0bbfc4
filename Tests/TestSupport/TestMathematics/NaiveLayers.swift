/// The layers' projections as plain loops over one image, channels last: what the fast ones must equal.
public enum NaiveLayers {
  /// Side, stride and padding of a square kernel.
  public struct Kernel: Sendable {
    public var side: Int
    public var stride: Int
    public var padding: Int

    public init(side: Int, stride: Int = 1, padding: Int = 0) {
      self.side = side
      self.stride = stride
      self.padding = padding
    }

    public func extent(_ source: Int) -> Int { (source + 2 * padding - side) / stride + 1 }
  }

  /// Cross-correlation over zero padding; `image` is `[height, width, inputs]`, `weight`
  /// `[inputs, side, side, outputs]`.
  public static func convolution<N: Numeric>(
    _ image: [N], height: Int, width: Int, weight: [N], inputs: Int, outputs: Int, _ kernel: Kernel
  ) -> [N] {
    var result: [N] = []
    for y in 0..<kernel.extent(height) {
      for x in 0..<kernel.extent(width) {
        for output in 0..<outputs {
          var sum: N = 0
          for ky in 0..<kernel.side {
            for kx in 0..<kernel.side {
              let row = y * kernel.stride + ky - kernel.padding
              let column = x * kernel.stride + kx - kernel.padding
              guard (0..<height).contains(row), (0..<width).contains(column) else { continue }
              for input in 0..<inputs {
                let tap = ((input * kernel.side + ky) * kernel.side + kx) * outputs + output
                sum += image[(row * width + column) * inputs + input] * weight[tap]
              }
            }
          }
          result.append(sum)
        }
      }
    }
    return result
  }

  /// Sums over windows of `side` × `side`, incomplete windows dropped.
  public static func sumPool<N: Numeric>(
    _ image: [N], height: Int, width: Int, channels: Int, side: Int
  ) -> [N] {
    let columns = width / side
    var result = [N](repeating: 0, count: (height / side) * columns * channels)
    for y in 0..<height / side * side {
      for x in 0..<columns * side {
        for channel in 0..<channels {
          result[((y / side) * columns + x / side) * channels + channel] +=
            image[(y * width + x) * channels + channel]
        }
      }
    }
    return result
  }

  /// `features · weight`, `weight` `[features.count, outputs]`.
  public static func dense<N: Numeric>(_ features: [N], weight: [N], outputs: Int) -> [N] {
    (0..<outputs).map { output in
      features.indices.reduce(0) { $0 + features[$1] * weight[$1 * outputs + output] }
    }
  }
}
