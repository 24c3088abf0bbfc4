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
          forEachLanes(channels) { channel, lanes in
            var sum = load(corner + channel, lanes)
            for y in 0..<side {
              for x in (y == 0 ? 1 : 0)..<side {
                sum += load(corner + ((y * width + x) * channels + channel), lanes)
              }
            }
            store(sum, target + channel, lanes)
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
          forEachLanes(channels) { channel, lanes in
            let value = load(from + channel, lanes)
            for y in 0..<side {
              for x in 0..<side {
                store(value, corner + ((y * width + x) * channels + channel), lanes)
              }
            }
          }
        }
      }
    }
  }

  // MARK: Lanes

  /// Eight neighbouring channels: whole windows are too short for calls and checks of overlap.
  private typealias Lanes = SIMD8<Float>

  /// Calls `body` with the first channel and the number of channels of each group of eight.
  @inline(__always)
  private static func forEachLanes(_ channels: Int, _ body: (_ channel: Int, _ lanes: Int) -> Void)
  {
    let whole = channels & ~(Lanes.scalarCount - 1)
    for channel in stride(from: 0, to: whole, by: Lanes.scalarCount) {
      body(channel, Lanes.scalarCount)
    }
    if whole < channels { body(whole, channels - whole) }
  }

  @inline(__always)
  private static func load(_ pointer: UnsafePointer<Float>, _ count: Int) -> Lanes {
    if count == Lanes.scalarCount {
      return UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self)
    }
    var lanes = Lanes(repeating: 0)
    for index in 0..<count { lanes[index] = pointer[index] }
    return lanes
  }

  @inline(__always)
  private static func store(_ lanes: Lanes, _ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    if count == Lanes.scalarCount {
      UnsafeMutableRawPointer(pointer).storeBytes(of: lanes, as: Lanes.self)
    } else {
      for index in 0..<count { pointer[index] = lanes[index] }
    }
  }
}
