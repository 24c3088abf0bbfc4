/// Sums over windows of `[images, height, width, channels]`. Written as loops, not through the
/// library's average pooling: dividing by k² is inexact unless k is a power of two, and sums of spikes
/// must stay integers.
enum PoolKernel {
  /// Rows and columns that do not fill a window are dropped.
  static func sum(
    _ source: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>,
    images: Int, height: Int, width: Int, channels: Int, side: Int
  ) {
    let rows = height / side
    let columns = width / side
    for image in 0..<images {
      for row in 0..<rows {
        for column in 0..<columns {
          let target = result + ((image * rows + row) * columns + column) * channels
          let corner =
            source + ((image * height + row * side) * width + column * side) * channels
          for channel in 0..<channels { target[channel] = corner[channel] }
          for cell in 1..<side * side {
            let from = corner + ((cell / side) * width + cell % side) * channels
            for channel in 0..<channels { target[channel] += from[channel] }
          }
        }
      }
    }
  }

  /// Hands each window's gradient to all its cells; dropped rows and columns get 0.
  static func spread(
    _ gradient: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>,
    images: Int, height: Int, width: Int, channels: Int, side: Int
  ) {
    let rows = height / side
    let columns = width / side
    if rows * side != height || columns * side != width {
      result.update(repeating: 0, count: images * height * width * channels)
    }
    for image in 0..<images {
      for row in 0..<rows {
        for column in 0..<columns {
          let from = gradient + ((image * rows + row) * columns + column) * channels
          let corner =
            result + ((image * height + row * side) * width + column * side) * channels
          for cell in 0..<side * side {
            (corner + ((cell / side) * width + cell % side) * channels).update(
              from: from, count: channels)
          }
        }
      }
    }
  }
}
