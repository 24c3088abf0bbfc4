import Wiring

/// The projections as plain loops over one image, channels last: what the fast ones must equal.
public enum NaiveLayers {
  /// Cross-correlation over zero padding; `image` is `[H, W, C]` of `shape`, `weight`
  /// `[C, kernel height, kernel width, outputs / groups]`.
  public static func convolution<N: Numeric>(
    _ image: [N], _ shape: Shape, weight: [N], outputs: Int, _ geometry: Convolution
  ) -> [N] {
    let (y, x) = (geometry.y, geometry.x)
    let target = geometry.outputShape(of: shape, channels: outputs)
    let columns = outputs / geometry.groups
    let inputs = shape.channels / geometry.groups
    var result: [N] = []
    for row in 0..<target.height {
      for column in 0..<target.width {
        for output in 0..<outputs {
          var sum: N = 0
          for ky in 0..<y.kernel {
            for kx in 0..<x.kernel {
              let sourceRow = row * y.stride + ky * y.dilation - y.paddingBefore
              let sourceColumn = column * x.stride + kx * x.dilation - x.paddingBefore
              guard (0..<shape.height).contains(sourceRow),
                (0..<shape.width).contains(sourceColumn)
              else { continue }
              let group = output / columns
              for input in group * inputs..<(group + 1) * inputs {
                let tap =
                  ((input * y.kernel + ky) * x.kernel + kx) * columns + output % columns
                sum +=
                  image[shape.index(channel: input, y: sourceRow, x: sourceColumn)] * weight[tap]
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
