import Tensors
import Testing
import Wiring

@testable import Datasets

@Suite struct SpikeTrainTests {
  let sensor = Shape(channels: 2, height: 2, width: 3)

  private func event(_ x: Int, _ y: Int, _ polarity: Int, at time: Int64) -> Event {
    Event(x: UInt16(x), y: UInt16(y), polarity: UInt8(polarity), microseconds: time)
  }

  @Test func handWorkedRecordingFallsIntoItsSteps() {
    let recording = Recording(
      events: [
        event(0, 0, 0, at: 100), event(2, 1, 1, at: 109), event(1, 0, 1, at: 110),
        event(1, 0, 0, at: 119), event(0, 1, 1, at: 129),
      ], sensor: sensor)
    let train = SpikeTrain(recording, steps: 3, stepMicroseconds: 10)
    #expect(train.activeIndices(step: 0) == [0, 11])
    #expect(train.activeIndices(step: 1) == [2, 3])
    #expect(train.activeIndices(step: 2) == [7])
    #expect(train.tally.binned == 5 && train.tally.total == 5)
    #expect(train.bitmap.count == 36)
    #expect(train.bitmap.indices.filter { train.bitmap[$0] == 1 } == [0, 11, 14, 15, 31])
    #expect(train.stepSum.reduce(0, +) == 5)
  }

  @Test func statedStartMovesTheStepsAndDropsWhatCameBefore() {
    let recording = Recording(
      events: [event(0, 0, 0, at: 99), event(0, 0, 0, at: 115)], sensor: sensor,
      startMicroseconds: 100)
    let train = SpikeTrain(recording, steps: 2, stepMicroseconds: 10)
    #expect(train.activeIndices(step: 0).isEmpty)
    #expect(train.activeIndices(step: 1) == [0])
    #expect(train.tally.beforeOpenStep == 1)
  }

  @Test func anAddressCountsOnceAStep() {
    let recording = Recording(
      events: [event(1, 1, 0, at: 0), event(1, 1, 0, at: 3), event(1, 1, 0, at: 10)],
      sensor: sensor)
    let train = SpikeTrain(recording, steps: 2, stepMicroseconds: 10)
    #expect(train.tally.binned == 2 && train.tally.merged == 1 && train.tally.dropped == 0)
  }

  @Test func eventsOutsideTheSensorAreCountedAndLeaveTheClockAlone() {
    let recording = Recording(
      events: [
        event(3, 0, 0, at: 0), event(0, 0, 0, at: 50), event(0, 2, 0, at: 99),
        event(0, 0, 2, at: 99), event(1, 0, 0, at: 59),
      ], sensor: sensor)
    let train = SpikeTrain(recording, steps: 2, stepMicroseconds: 10)
    #expect(train.tally.outsideSensor == 3)
    #expect(train.activeIndices(step: 0) == [0, 2])
  }

  @Test func goingBackCountsOnlyWhenTheStepIsClosed() {
    let recording = Recording(
      events: [
        event(0, 0, 0, at: 0), event(0, 0, 0, at: 15), event(1, 0, 0, at: 12),
        event(2, 0, 0, at: 9),
      ], sensor: sensor)
    let train = SpikeTrain(recording, steps: 2, stepMicroseconds: 10)
    #expect(train.activeIndices(step: 1) == [0, 2])
    #expect(train.tally.beforeOpenStep == 1)
  }

  @Test func anEventPastTheLastStepClosesEveryStep() {
    let recording = Recording(
      events: [event(0, 0, 0, at: 0), event(0, 0, 0, at: 20), event(1, 0, 0, at: 5)],
      sensor: sensor)
    let train = SpikeTrain(recording, steps: 2, stepMicroseconds: 10)
    #expect(train.tally.afterLastStep == 1 && train.tally.beforeOpenStep == 1)
    #expect(train.tally.binned == 1)
  }

  @Test func anEmptyRecordingIsSilent() {
    let train = SpikeTrain(
      Recording(events: [], sensor: sensor), steps: 2, stepMicroseconds: 10)
    #expect(train.addresses.isEmpty && train.tally.total == 0)
    #expect(train.activeIndices(step: 1).isEmpty)
  }

  @Test func theWholeRangeOfTimesIsHandled() {
    let recording = Recording(
      events: [event(0, 0, 0, at: .min), event(0, 0, 0, at: .max), event(0, 0, 0, at: 0)],
      sensor: sensor)
    let train = SpikeTrain(recording, steps: 2, stepMicroseconds: 10)
    #expect(train.tally.afterLastStep == 1 && train.tally.beforeOpenStep == 1)
  }

  /// Every event is accounted for, and each spike is where the definition puts it.
  @Test func noEventIsLostSilently() {
    for seed in 0..<200 as Range<UInt64> {
      var random = RandomSource(seed: seed)
      let start: Int64? = random.integer(below: 2) == 0 ? 40 : nil
      let events = (0..<random.integer(below: 60)).map { _ in
        event(
          random.integer(below: 4), random.integer(below: 3), random.integer(below: 3),
          at: Int64(random.integer(below: 120)))
      }
      let recording = Recording(events: events, sensor: sensor, startMicroseconds: start)
      let train = SpikeTrain(recording, steps: 5, stepMicroseconds: 13)
      #expect(train.tally.total == events.count, "seed \(seed)")
      #expect(train.tally.binned == train.addresses.count, "seed \(seed)")
      let dense = train.bitmap
      for step in 0..<5 {
        let active = train.activeIndices(step: step)
        #expect(active == (0..<12).filter { dense[step * 12 + $0] == 1 }, "seed \(seed)")
      }
      let ordered = events.sorted { $0.microseconds < $1.microseconds }
      let inOrder = Recording(events: ordered, sensor: sensor, startMicroseconds: start)
      let onSensor = ordered.filter { $0.x < 3 && $0.y < 2 && $0.polarity < 2 }
      let origin = start ?? onSensor.first?.microseconds ?? 0
      let expected = Set(
        onSensor.filter { $0.microseconds >= origin && $0.microseconds - origin < 65 }
          .map { event in
            let step = Int(event.microseconds - origin) / 13
            let index = sensor.index(
              channel: Int(event.polarity), y: Int(event.y), x: Int(event.x))
            return UInt32(step * 12 + index)
          })
      let binned = SpikeTrain(inOrder, steps: 5, stepMicroseconds: 13)
      #expect(binned.addresses == expected.sorted(), "seed \(seed)")
    }
  }
}
