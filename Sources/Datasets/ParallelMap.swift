import Dispatch
import Foundation

/// The results of `body` for 0..<count, in order, whatever the number of `threads`.
///
/// `body` must depend on its index alone. Throws the error of the lowest index that failed.
func parallelMap<Element: Sendable>(
  count: Int, threads: Int, _ body: @Sendable (Int) throws -> Element
) throws -> [Element] {
  precondition(threads > 0, "work needs at least one thread, found \(threads)")
  let shardCount = max(1, min(threads, count))
  let shards = Shards<Element>()
  DispatchQueue.concurrentPerform(iterations: shardCount) { shard in
    let range = shard * count / shardCount..<(shard + 1) * count / shardCount
    shards.store(Result { try range.map(body) }, at: shard)
  }
  var elements: [Element] = []
  elements.reserveCapacity(count)
  for result in shards.inOrder() { elements += try result.get() }
  return elements
}

/// The results of the shards, kept behind a lock.
private final class Shards<Element: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var results: [Int: Result<[Element], any Error>] = [:]

  func store(_ result: Result<[Element], any Error>, at shard: Int) {
    lock.withLock { results[shard] = result }
  }

  func inOrder() -> [Result<[Element], any Error>] {
    lock.withLock { results.sorted { $0.key < $1.key }.map(\.value) }
  }
}
