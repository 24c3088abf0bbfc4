import Wiring

/// Every recording of a split, binned once and kept.
public struct SpikeTrainSet: Hashable, Sendable {
  /// The shape `[H, W, C]` of one step.
  public let shape: Shape
  /// The number of steps, T.
  public let steps: Int
  /// One spike train per sample.
  public let trains: [SpikeTrain]
  /// One label per sample.
  public let labels: [Int]
  /// What became of the events of all recordings together.
  public let tally: BinningTally

  /// Reads or draws and bins the samples of `split`, the first `limit` or all, by `threads` threads;
  /// the result does not depend on their number. Holds four bytes per spike.
  ///
  /// Throws what reading a sample throws, and ``DatasetError/badSetting(name:expected:found:)``
  /// where the data set has no events.
  public init(dataset: some Dataset, split: Split, limit: Int? = nil, threads: Int = 2) throws {
    guard case .events(let shape, let stepMicroseconds, let steps) = dataset.input else {
      throw DatasetError.badSetting(
        name: "dataset", expected: "a set of event recordings", found: dataset.name)
    }
    let count = min(dataset.count(in: split), limit ?? Int.max)
    let samples = try parallelMap(count: count, threads: threads) { index in
      let sample = try dataset.sample(at: index, in: split)
      guard case .recording(let recording) = sample.content, recording.sensor == shape else {
        throw DatasetError.badSetting(
          name: "sample \(index) of \(dataset.name)", expected: "a recording of \(shape)",
          found: "another content")
      }
      let train = SpikeTrain(recording, steps: steps, stepMicroseconds: stepMicroseconds)
      return (train, sample.label)
    }
    self.shape = shape
    self.steps = steps
    trains = samples.map(\.0)
    labels = samples.map(\.1)
    tally = trains.reduce(BinningTally()) { $0 + $1.tally }
  }
}
