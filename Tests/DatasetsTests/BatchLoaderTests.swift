import Testing
import Wiring

@testable import Datasets

/// Frames of 2 rows and 3 columns, sample i filled with 10 * i + pixel; labels 0, 1, 0, 1 …
private struct Frames: Dataset {
  var mirror: [Int]?
  let name = "frames"
  let classNames = ["even", "odd"]
  let input = DatasetInput.values(Shape(channels: 1, height: 2, width: 3))

  func count(in split: Split) -> Int { 5 }

  func sample(at index: Int, in split: Split) -> Sample {
    let values = (0..<6).map { UInt8(10 * (index + 1) + $0) }
    return Sample(
      content: .frame(Frame(shape: input.shape, values: values)), label: index % 2)
  }

  func mirroredLabel(_ label: Int) -> Int? { mirror?[label] }
}

/// Recordings of 2 by 2 pixels in 3 steps: sample i spikes at (0, 0) ON in step i and at (1, 1) OFF
/// in step 1.
private struct Recordings: Dataset {
  let name = "recordings"
  let classNames = ["a", "b", "c"]
  let input = DatasetInput.events(
    Shape(channels: 2, height: 2, width: 2), stepMicroseconds: 10, steps: 3)

  func count(in split: Split) -> Int { 3 }

  func sample(at index: Int, in split: Split) -> Sample {
    let events = [
      Event(x: 0, y: 0, polarity: 1, microseconds: Int64(10 * index)),
      Event(x: 1, y: 1, polarity: 0, microseconds: 10),
    ].sorted { $0.microseconds < $1.microseconds }
    let recording = Recording(events: events, sensor: input.shape, startMicroseconds: 0)
    return Sample(content: .recording(recording), label: index)
  }
}

@Suite struct BatchLoaderTests {
  private func filled(
    _ augmentation: Augmentation, indices: [Int], epoch: Int = 0, seed: UInt64 = 0,
    events: Bool = false
  ) throws -> Batch {
    let loader =
      events
      ? try BatchLoader(
        dataset: Recordings(), split: .train, augmentation: augmentation, seed: seed)
      : try BatchLoader(
        dataset: Frames(mirror: [1, 0]), split: .train, augmentation: augmentation, seed: seed)
    var batch = Batch()
    loader.fill(&batch, with: indices, epoch: epoch)
    return batch
  }

  @Test func framesLieBatchMajor() throws {
    let batch = try filled(Augmentation(), indices: [2, 0])
    #expect(batch.values == [30, 31, 32, 33, 34, 35, 10, 11, 12, 13, 14, 15])
    #expect(batch.labels == [0, 0] && batch.count == 2 && batch.steps == nil)
  }

  /// `[T, B, H, W, C]` with 8 addresses a step: (0, 0) ON = 1, (1, 1) OFF = 6.
  @Test func spikesLieStepMajor() throws {
    let batch = try filled(Augmentation(), indices: [2, 0], events: true)
    #expect(batch.values.count == 48 && batch.steps == 3)
    #expect(batch.values.indices.filter { batch.values[$0] == 1 } == [9, 22, 30, 33].sorted())
    #expect(batch.labels == [2, 0])
  }

  @Test func aReusedBatchKeepsNothingOfItsLastContent() throws {
    let loader = try BatchLoader(dataset: Recordings(), split: .train)
    var batch = Batch()
    var fresh = Batch()
    loader.fill(&batch, with: [0, 1])
    loader.fill(&batch, with: [2, 2])
    loader.fill(&fresh, with: [2, 2])
    #expect(batch == fresh)
    loader.fill(&batch, with: [1])
    loader.fill(&fresh, with: [1])
    #expect(batch == fresh && batch.values.count == 24)
  }

  @Test func anEpochIsAPermutationOfItsOwn() throws {
    let loader = try BatchLoader(dataset: Frames(), split: .train, seed: 3)
    let again = try BatchLoader(dataset: Frames(), split: .train, seed: 3)
    let orders = (0..<20).map(loader.order)
    #expect(orders.allSatisfy { $0.sorted() == [0, 1, 2, 3, 4] })
    #expect(Set(orders).count > 5)
    #expect(orders == (0..<20).map(again.order))
  }

  @Test func augmentationDependsOnSampleAndEpochNotOnThePlaceInTheBatch() throws {
    var augmentation = Augmentation()
    augmentation.shiftPixels = 1
    augmentation.horizontalFlipProbability = 0.5
    let together = try filled(augmentation, indices: [0, 1, 2, 3, 4], epoch: 2)
    var epochs: Set<[UInt8]> = []
    for sample in 0..<5 {
      let alone = try filled(augmentation, indices: [sample], epoch: 2)
      #expect(alone.values == Array(together.values[sample * 6..<sample * 6 + 6]))
      #expect(alone.labels == [together.labels[sample]])
    }
    for epoch in 0..<20 {
      epochs.insert(try filled(augmentation, indices: [0], epoch: epoch).values)
    }
    #expect(epochs.count > 5)
  }

  @Test func shiftsMoveTheWholeFrameAndFillWithZero() throws {
    var augmentation = Augmentation()
    augmentation.shiftPixels = 1
    var seen: Set<[UInt8]> = []
    for epoch in 0..<200 {
      seen.insert(try filled(augmentation, indices: [0], epoch: epoch).values)
    }
    var expected: Set<[UInt8]> = []
    for (dy, dx) in (-1...1).flatMap({ dy in (-1...1).map { (dy, $0) } }) {
      var moved = [UInt8](repeating: 0, count: 6)
      for (y, x) in (0..<2).flatMap({ y in (0..<3).map { (y, $0) } })
      where (0..<2).contains(y + dy) && (0..<3).contains(x + dx) {
        moved[(y + dy) * 3 + x + dx] = UInt8(10 + y * 3 + x)
      }
      expected.insert(moved)
    }
    #expect(seen == expected)
  }

  @Test func aCertainFlipMirrorsRowsAndSwapsLabels() throws {
    var augmentation = Augmentation()
    augmentation.horizontalFlipProbability = 1
    let batch = try filled(augmentation, indices: [0, 1])
    #expect(batch.values == [12, 11, 10, 15, 14, 13, 22, 21, 20, 25, 24, 23])
    #expect(batch.labels == [1, 0])
  }

  @Test func aFlipIsRefusedWhereTheMirroredClassIsUnknown() {
    var augmentation = Augmentation()
    augmentation.horizontalFlipProbability = 0.1
    #expect(throws: DatasetError.self) {
      try BatchLoader(dataset: Frames(), split: .train, augmentation: augmentation)
    }
  }

  @Test func cutOutClearsASquare() throws {
    var augmentation = Augmentation()
    augmentation.cutOutSide = 1
    var cleared: Set<Int> = []
    for epoch in 0..<100 {
      let values = try filled(augmentation, indices: [0], epoch: epoch).values
      let zeros = values.indices.filter { values[$0] == 0 }
      #expect(zeros.count == 1)
      cleared.formUnion(zeros)
    }
    #expect(cleared.count == 6)
  }

  @Test func polarityFlipExchangesOnAndOff() throws {
    var augmentation = Augmentation()
    augmentation.polarityFlipProbability = 1
    let batch = try filled(augmentation, indices: [0], events: true)
    #expect(batch.values.indices.filter { batch.values[$0] == 1 } == [0, 15])
  }

  @Test func droppingEverySpikeLeavesSilence() throws {
    var augmentation = Augmentation()
    augmentation.eventDropProbability = 1
    let batch = try filled(augmentation, indices: [0, 1, 2], events: true)
    #expect(batch.values.allSatisfy { $0 == 0 })
    augmentation.eventDropProbability = 0.5
    var kept = 0
    for epoch in 0..<200 {
      let values = try filled(augmentation, indices: [0], epoch: epoch, events: true).values
      kept += values.reduce(0) { $0 + Int($1) }
    }
    // 400 spikes kept with probability 1/2: mean 200, deviation 10.
    #expect(abs(kept - 200) < 50)
  }

  @Test func timeJitterMovesSpikesByAtMostItsSteps() throws {
    var augmentation = Augmentation()
    augmentation.timeJitterSteps = 1
    var places: Set<Int> = []
    for epoch in 0..<100 {
      let values = try filled(augmentation, indices: [0], epoch: epoch, events: true).values
      places.formUnion(values.indices.filter { values[$0] == 1 })
    }
    #expect(places == [1, 9, 6, 14, 22])
  }
}
