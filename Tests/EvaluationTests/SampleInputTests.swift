import Datasets
import ModelFormat
import Testing
import Wiring

@testable import Evaluation

@Suite struct SampleInputTests {
  private let image = Sample(
    content: .frame(
      Frame(shape: Shape(channels: 1, height: 2, width: 2), values: [0, 255, 3, 4])),
    label: 1)

  @Test func frameIsHeldOverTheModelsSteps() throws {
    let input = try InferenceInput(image, at: 0, for: Models.frame)
    #expect(input == InferenceInput(steps: 3, ports: [.held([0, 255, 3, 4])]))
  }

  @Test func encodersDrawBySamplesPlace() throws {
    #expect(try InferenceInput(image, at: 7, for: Models.frame).seed == 7)
  }

  @Test func recordingIsBinnedIntoTheModelsSteps() throws {
    let recording = Recording(
      events: [
        Event(x: 1, y: 0, polarity: 1, microseconds: 10),
        Event(x: 1, y: 0, polarity: 1, microseconds: 900),
        Event(x: 3, y: 3, polarity: 0, microseconds: 1011),
      ], sensor: Shape(channels: 2, height: 4, width: 4))
    let input = try InferenceInput(
      Sample(content: .recording(recording), label: 0), at: 0,
      for: Models.camera(side: 4, steps: 3))
    #expect(input == InferenceInput(steps: 3, ports: [.events([[3], [30], []])]))
  }

  @Test func whatDoesNotFitIsRefusedWithItsPlace() throws {
    let camera = Models.camera(side: 4, steps: 3)
    let small = Recording(events: [], sensor: Shape(channels: 2, height: 3, width: 4))
    var clockless = camera
    clockless.stepMicroseconds = 0
    let fitting = Recording(events: [], sensor: Shape(channels: 2, height: 4, width: 4))
    let cases: [(Sample, Model, String)] = [
      (image, camera, "expected a recording, found a frame"),
      (Sample(content: .recording(small), label: 0), camera, "expected samples of 2×4×4"),
      (Sample(content: .recording(small), label: 0), Models.frame, "expected a frame"),
      (Sample(content: .recording(fitting), label: 0), clockless, "step_microseconds"),
    ]
    for (sample, model, words) in cases {
      let error = #expect(throws: RuntimeError.self) {
        try InferenceInput(sample, at: 0, for: model)
      }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "no error")")
    }
  }
}
