import Datasets
import ModelFixtures
import ModelFormat
import Testing
import Wiring

@testable import Evaluation

@Suite struct SessionTests {
  @Test func frameIsRunAsWorkedByHand() throws {
    let session = try Session(SessionModel(Models.frame))
    var membranes: [[Int32]] = []
    let inference = try session.run(Models.frameInput) { membranes.append($0.membranes[0]) }
    // 100 > 99 fires and leaves 1; then 101 and 102. Neuron 1 sinks by 40 a step.
    #expect(membranes == [[1, -40], [2, -80], [3, -120]])
    #expect(inference.scores == [3, 0])
    // Values 50, 40 and 10 meet the synapses 1; 1, −1; 1. Three spikes meet one synapse each.
    #expect(inference.counters.projections.map(\.macs) == [4, 0])
    #expect(inference.counters.projections.map(\.synops) == [0, 3])
    #expect(inference.counters.populations[0].spikesOut == 3)
    #expect(try session.run(Models.frameInput) == inference)
  }

  @Test func brokenBytesNameWhatIsWrong() throws {
    #expect(throws: (any Error).self) { try Session([UInt8]("no model".utf8)) }
    let bytes = try ModelFile.encode(Models.frame).bytes
    do {
      _ = try Session(Array(bytes.dropLast(20)))
      Issue.record("a cut file was loaded")
    } catch let error as RuntimeError {
      #expect(error.description.contains("expected"))
    }
  }

  @Test func unsuitableInputIsRefused() throws {
    let session = try Session(SessionModel(Models.frame))
    #expect(throws: InferenceError.self) {
      try session.run(InferenceInput(steps: 3, ports: [.held([1, 2])]))
    }
    #expect(throws: InferenceError.self) {
      try session.run(InferenceInput(steps: 3, ports: [.held([256, 0, 0, 0])]))
    }
  }

  @Test func streamedEventsGiveWhatTheBinnedRecordingGives() throws {
    let model = Models.camera(side: 8, steps: 6)
    let loaded = try SessionModel(model)
    let session = try Session(loaded)
    let recording = Self.recording(side: 8)
    let sample = Sample(content: .recording(recording), label: 0)
    let binned = try session.run(InferenceInput(sample, at: 0, for: model))
    try session.start(microseconds: 500)
    for event in recording.events {
      session.event(
        x: UInt32(event.x), y: UInt32(event.y), polarity: UInt32(event.polarity),
        microseconds: UInt64(event.microseconds))
    }
    let streamed = session.finish()
    #expect(session.steps == 6)
    #expect(streamed.scores == binned.scores)
    #expect(streamed.counters.populations == binned.counters.populations)
    #expect(streamed.counters.projections == binned.counters.projections)
    #expect(streamed.counters.ports[0].droppedOutside == 1)
    #expect(streamed.counters.ports[0].droppedLate == 2)
    #expect(binned.counters.populations[0].spikesOut > 0)
  }

  /// Events over 7 ms from 500 µs on: one outside, one before the start, one after 6 ms.
  private static func recording(side: Int) -> Recording {
    var events: [Event] = [Event(x: 0, y: 0, polarity: 0, microseconds: 100)]
    for index in 0..<90 {
      events.append(
        Event(
          x: UInt16(index * 5 % side), y: UInt16(index * 3 % side), polarity: UInt8(index % 2),
          microseconds: Int64(500 + index * 66)))
    }
    events.append(Event(x: UInt16(side), y: 0, polarity: 0, microseconds: 6450))
    events.append(Event(x: 1, y: 1, polarity: 1, microseconds: 7300))
    return Recording(
      events: events, sensor: Shape(channels: 2, height: side, width: side),
      startMicroseconds: 500)
  }

  @Test func quietStepsAreSkippedAndWeightsCounted() throws {
    let session = try Session(SessionModel(TinyModels.neuron(lif: Population.LIF(threshold: 5))))
    _ = try session.run(
      InferenceInput(steps: 4, ports: [.events([[0], [], [], []])]))
    #expect(session.engineCounters.weightBytesRead == 1)
    #expect(session.engineCounters.populationStepsSkipped >= 3)
    #expect(session.path(of: 0) == .accumulator16)
    #expect(session.loaded.stateBytes > 0 && session.loaded.arenaBytes > 0)
  }
}
