import Dispatch
import Synchronization

/// Fetches the batch after the present one on another thread while the present one is learned from.
///
/// What a batch holds depends on its epoch and index alone, so prefetching changes nothing but time.
final class Prefetcher: Sendable {
  private let source: any BatchSource
  private let queue = DispatchQueue(label: "batches")
  private let pending = Mutex<Pending?>(nil)

  private final class Pending: Sendable {
    let epoch: Int
    let index: Int
    let batch = Mutex<Result<TrainingBatch, any Error>?>(nil)
    let done = DispatchSemaphore(value: 0)

    init(epoch: Int, index: Int) {
      self.epoch = epoch
      self.index = index
    }
  }

  init(_ source: any BatchSource) { self.source = source }

  /// Batch `index` of an epoch; begins to fetch `next`.
  func take(epoch: Int, index: Int, next: (epoch: Int, index: Int)?) throws -> TrainingBatch {
    let fetched = pending.withLock { pending -> Pending? in
      defer { pending = nil }
      return pending
    }
    fetched?.done.wait()
    if let next {
      let pending = Pending(epoch: next.epoch, index: next.index)
      self.pending.withLock { $0 = pending }
      queue.async { [source] in
        let batch = Result { try source.trainingBatch(epoch: pending.epoch, index: pending.index) }
        pending.batch.withLock { $0 = batch }
        pending.done.signal()
      }
    }
    guard let fetched, fetched.epoch == epoch, fetched.index == index,
      let batch = fetched.batch.withLock({ $0 })
    else { return try source.trainingBatch(epoch: epoch, index: index) }
    return try batch.get()
  }
}
