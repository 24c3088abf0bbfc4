import Datasets
import Evaluation
import ModelFormat
import Testing
import Wiring

import struct Tensors.RandomSource

/// Events streamed one by one against the same recording binned first.
@Suite struct StreamingTests {
  private static let side = 6

  private static let model = Model(
    name: "stream", stepMicroseconds: 100, steps: 7,
    inputs: [
      InputPort(
        name: "camera", shape: Shape(channels: 2, height: side, width: side), kind: .events(.once))
    ],
    populations: [
      Population(
        name: "hidden", shape: Shape(channels: 5), kind: .lif(Population.LIF(threshold: 12)),
        leak: 29_000),
      Population(name: "answer", shape: Shape(channels: 3), kind: .readout),
    ],
    projections: [
      Projection(
        name: "in", from: .input(0), to: 0, topology: .dense,
        weights: WeightMatrix(
          rows: 2 * side * side, columns: 5,
          values: (0..<10 * side * side).map { Int8($0 * 11 % 17 - 6) })),
      Projection(
        name: "out", from: .population(0), to: 1, topology: .dense,
        weights: WeightMatrix(rows: 5, columns: 3, values: (0..<15).map { Int8($0 * 5 % 9 - 4) })),
    ], readout: 1)

  /// Events that mostly move forward in time, some back, some far ahead, some off the sensor.
  private static func recording(seed: UInt64) -> Recording {
    var random = RandomSource(seed: seed)
    var time: Int64 = 1000
    let events = (0..<random.integer(below: 60)).map { _ in
      time += Int64(random.integer(below: 30))
      let jump = [0, 0, 0, 0, -40, -200, 90, 400][random.integer(below: 8)]
      return Event(
        x: UInt16(random.integer(below: side + 1)), y: UInt16(random.integer(below: side + 1)),
        polarity: UInt8(random.integer(below: 2)), microseconds: time + Int64(jump))
    }
    return Recording(
      events: events, sensor: Shape(channels: 2, height: side, width: side),
      startMicroseconds: random.integer(below: 2) == 0 ? 1000 : nil)
  }

  @Test func streamedEventsAreTheBinnedOnes() throws {
    let session = try Session(SessionModel(Self.model))
    for seed in 0..<300 as Range<UInt64> {
      let recording = Self.recording(seed: seed)
      let train = SpikeTrain(recording, steps: Self.model.steps, stepMicroseconds: 100)
      let sample = Sample(content: .recording(recording), label: 0)
      let binned = try session.run(InferenceInput(sample, at: 0, for: Self.model))
      if let start = recording.startMicroseconds {
        try session.start(microseconds: UInt64(start))
      } else {
        session.reset()
      }
      for event in recording.events {
        session.event(
          x: UInt32(event.x), y: UInt32(event.y), polarity: UInt32(event.polarity),
          microseconds: UInt64(event.microseconds))
      }
      // Without an event on the sensor no time is known, and no step closes.
      guard train.tally.binned > 0 else { continue }
      let streamed = session.finish()
      let port = streamed.counters.ports[0]
      #expect(streamed.scores == binned.scores, "seed \(seed)")
      #expect(streamed.counters.populations == binned.counters.populations, "seed \(seed)")
      #expect(streamed.counters.projections == binned.counters.projections, "seed \(seed)")
      #expect(port.events == train.tally.binned, "seed \(seed)")
      #expect(port.droppedOutside == train.tally.outsideSensor, "seed \(seed)")
      #expect(
        port.droppedLate == train.tally.beforeOpenStep + train.tally.afterLastStep, "seed \(seed)")
    }
  }
}
