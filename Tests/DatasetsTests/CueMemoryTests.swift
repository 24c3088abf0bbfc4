import Datasets
import Testing
import Wiring

@Suite struct CueMemoryTests {
  private let set = CueMemory(seed: 1)

  private func events(_ index: Int) -> [Event] {
    guard case .recording(let recording) = set.sample(at: index, in: .train).content else {
      return []
    }
    return recording.events
  }

  @Test func theGateComesOnceAndTheClassWithIt() throws {
    for index in 0..<50 {
      let sample = set.sample(at: index, in: .train)
      let events = events(index)
      let gates = events.filter { $0.x == 1 }
      #expect(gates.count == 1)
      let time = try #require(gates.first).microseconds
      #expect(time == Int64(set.settings.steps - 1 - CueMemory.delay) * 1000)
      let cues = events.filter { $0.x == 0 && $0.microseconds == time }
      #expect(cues.map { Int($0.polarity) } == [sample.label])
    }
  }

  /// Both cues have as many events in the mean: sums over time tell nothing.
  @Test func countsDoNotTellTheClass() {
    var surplus = [0, 0]
    for index in 0..<1000 {
      let label = set.sample(at: index, in: .train).label
      for event in events(index) where event.x == 0 {
        surplus[label] += event.polarity == 1 ? 1 : -1
      }
    }
    // 500 samples of 96 draws of variance 0.16: a deviation of 88; four of them.
    #expect(surplus.allSatisfy { abs($0) < 350 }, "\(surplus)")
  }

  @Test func samplesDependOnSeedSplitAndIndexAlone() {
    #expect(set.sample(at: 3, in: .train) == CueMemory(seed: 1).sample(at: 3, in: .train))
    #expect(set.sample(at: 3, in: .train) != set.sample(at: 3, in: .test))
    #expect(set.sample(at: 3, in: .train) != CueMemory(seed: 2).sample(at: 3, in: .train))
  }

  @Test func tooFewStepsAreRefused() {
    var options = DatasetCatalog.Options()
    options.steps = CueMemory.delay
    #expect(
      throws: DatasetError.badSetting(
        name: "steps", expected: "a number in 41...4096", found: "40")
    ) { try DatasetCatalog.open("cue-memory", environment: [:], options: options) }
  }
}
