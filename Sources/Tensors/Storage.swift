import Foundation
import Synchronization

/// The memory of tensors: 64-byte aligned, uninitialised, handed back for reuse when it is let go.
///
/// Large buffers given back to the operating system are faulted in again page by page at the next
/// step, which costs up to half the time of small convolutional networks; so they are kept.
final class Storage {
  let count: Int
  let pointer: UnsafeMutablePointer<Float>
  private let capacity: Int

  init(count: Int) {
    self.count = count
    capacity = BufferPool.capacity(for: count)
    pointer = BufferPool.shared.take(capacity)
  }

  deinit { BufferPool.shared.giveBack(pointer, capacity: capacity) }
}

/// Free buffers by capacity. Capacities are four steps to the octave, so reuse wastes at most 25 %.
private final class BufferPool: Sendable {
  static let shared = BufferPool()

  private struct Free: @unchecked Sendable {
    var buffers: [Int: [UnsafeMutablePointer<Float>]] = [:]
  }
  private let free = Mutex(Free())

  static func capacity(for count: Int) -> Int {
    let least = 64
    guard count > least else { return least }
    let quarter = 1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount - 2)
    return (count + quarter - 1) / quarter * quarter
  }

  func take(_ capacity: Int) -> UnsafeMutablePointer<Float> {
    if let kept = free.withLock({ $0.buffers[capacity]?.popLast() }) { return kept }
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: capacity * MemoryLayout<Float>.stride, alignment: 64)
    return bytes.bindMemory(to: Float.self, capacity: capacity)
  }

  func giveBack(_ pointer: UnsafeMutablePointer<Float>, capacity: Int) {
    nonisolated(unsafe) let pointer = pointer
    free.withLock { $0.buffers[capacity, default: []].append(pointer) }
  }
}
