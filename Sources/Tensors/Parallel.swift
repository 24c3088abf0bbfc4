import Foundation
import Synchronization

/// Independent pieces of work, spread over the cores.
///
/// The number of pieces, and hence every sum over them, is the caller's; the number of threads only
/// decides who computes a piece. Results therefore do not depend on it.
public enum Parallel {
  /// The threads used when the caller names none: the machine's active cores.
  public static let coreCount = max(1, ProcessInfo.processInfo.activeProcessorCount)

  /// Calls `body` once for each piece in `0..<pieces`, on at most `threads` threads, and returns when
  /// all are done.
  public static func forEach(
    _ pieces: Int, threads: Int = coreCount, _ body: @Sendable (Int) -> Void
  ) {
    let workers = min(pieces, threads)
    guard workers > 1 else {
      for piece in 0..<pieces { body(piece) }
      return
    }
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      while true {
        let piece = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard piece < pieces else { return }
        body(piece)
      }
    }
  }

  /// The results of `body` for each piece, in the order of the pieces.
  public static func map<R: Sendable>(
    _ pieces: Int, threads: Int = coreCount, _ body: @Sendable (Int) -> R
  ) -> [R] {
    let results = Mutex([R?](repeating: nil, count: pieces))
    forEach(pieces, threads: threads) { piece in
      let result = body(piece)
      results.withLock { $0[piece] = result }
    }
    return results.withLock { $0.compactMap { $0 } }
  }
}
