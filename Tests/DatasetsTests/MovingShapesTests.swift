import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite struct MovingShapesTests {
  private var small: MovingShapes.Settings {
    var settings = MovingShapes.Settings()
    settings.trainCount = 20
    settings.validationCount = 10
    settings.testCount = 10
    return settings
  }

  private func recording(_ sample: Sample) throws -> Recording {
    guard case .recording(let recording) = sample.content else {
      throw DatasetError.badSetting(name: "sample", expected: "a recording", found: "a frame")
    }
    return recording
  }

  @Test func aSampleDependsOnSeedSplitAndIndexAlone() {
    let first = MovingShapes(seed: 1, settings: small)
    var more = small
    more.trainCount = 4000
    #expect(
      first.sample(at: 7, in: .train)
        == MovingShapes(seed: 1, settings: more).sample(at: 7, in: .train))
    #expect(first.sample(at: 7, in: .train) != first.sample(at: 7, in: .test))
    #expect(first.sample(at: 7, in: .train) != first.sample(at: 17, in: .train))
    #expect(
      first.sample(at: 7, in: .train)
        != MovingShapes(seed: 2, settings: small).sample(at: 7, in: .train))
  }

  @Test func theNumberOfThreadsChangesNothing() throws {
    let set = MovingShapes(seed: 3, settings: small)
    let one = try SpikeTrainSet(dataset: set, split: .train, threads: 1)
    #expect(try SpikeTrainSet(dataset: set, split: .train, threads: 3) == one)
    #expect(one.labels == (0..<20).map { $0 % 10 })
  }

  @Test func recordingsAreOrderedOnTheSensorAndWithinTheirSteps() throws {
    let set = MovingShapes(seed: 4, settings: small)
    for index in 0..<20 {
      let events = try recording(set.sample(at: index, in: .train)).events
      #expect(events.count > 100, "sample \(index)")
      #expect(zip(events, events.dropFirst()).allSatisfy { $0.microseconds <= $1.microseconds })
    }
    let tally = try SpikeTrainSet(dataset: set, split: .train).tally
    #expect(tally.dropped == 0)
  }

  /// The mean position of a recording's events in its last quarter minus that in its first.
  private func drift(_ motion: MovingShapes.Motion, seed: UInt64) -> (x: Double, y: Double) {
    let events = MovingShapes(seed: 1).record(motion, random: RandomSource(seed: seed)).events
    func mean(_ part: [Event]) -> (x: Double, y: Double) {
      let count = Double(part.count)
      return (
        part.reduce(0) { $0 + Double($1.x) } / count, part.reduce(0) { $0 + Double($1.y) } / count
      )
    }
    let early = mean(events.filter { $0.microseconds < 32_000 })
    let late = mean(events.filter { $0.microseconds >= 96_000 })
    return (late.x - early.x, late.y - early.y)
  }

  @Test func translationsGoWhereTheirNamesSay() {
    for seed in 0..<5 as Range<UInt64> {
      #expect(drift(.right, seed: seed).x > 4)
      #expect(drift(.left, seed: seed).x < -4)
      #expect(drift(.down, seed: seed).y > 4)
      #expect(drift(.up, seed: seed).y < -4)
      let downRight = drift(.downRight, seed: seed)
      #expect(downRight.x > 3 && downRight.y > 3)
      let upLeft = drift(.upLeft, seed: seed)
      #expect(upLeft.x < -3 && upLeft.y < -3)
    }
  }

  private func scene(
    _ outline: ShapeOutline, change: MotionScene.Placement, logContrast: Float = 0.8
  ) -> MotionScene {
    MotionScene(
      width: 32, height: 32, durationMicroseconds: 128_000, outline: outline,
      middle: .init(x: 15.3, y: 16.2, angle: 0.3, radius: 7), change: change,
      logContrast: logContrast)
  }

  /// Rows run downwards, so a growing angle turns the right end of a bar down: clockwise.
  @Test func aGrowingAngleTurnsClockwise() {
    var bar = MotionScene(
      width: 32, height: 32, durationMicroseconds: 2, outline: .bar,
      middle: .init(x: 16, y: 16, angle: 0.4, radius: 10), change: .init(angle: 0.8),
      logContrast: 1)
    var image = [Float](repeating: 0, count: 1024)
    _ = bar.render(atMicroseconds: 0, into: &image)
    #expect(image[16 * 32 + 24] == 1)
    #expect(image[22 * 32 + 22] == 0)
    _ = bar.render(atMicroseconds: 2, into: &image)
    #expect(image[16 * 32 + 25] == 0)
    #expect(image[21 * 32 + 21] == 1)
  }

  @Test func onlyTheReportedPixelsChange() {
    for outline in ShapeOutline.allCases {
      var moving = scene(outline, change: .init(x: 18, angle: 2, radius: 6))
      var image = [Float](repeating: 0, count: 1024)
      for time in stride(from: 0, through: 128_000, by: 16_000) {
        _ = moving.render(atMicroseconds: time, into: &image)
        var fresh = scene(outline, change: .init(x: 18, angle: 2, radius: 6))
        var expected = [Float](repeating: 0, count: 1024)
        _ = fresh.render(atMicroseconds: time, into: &expected)
        #expect(image == expected, "\(outline) at \(time)")
      }
    }
  }

  /// Played backwards with the opposite contrast, a scene leaves nearly the same counts at every
  /// address: what differs is where a pixel's unspent change was left over, an event here or there
  /// of the 2 to 5 that an edge makes.
  @Test func oppositeMotionsLeaveTheSameImage() {
    var settings = EventCamera.Settings()
    settings.noiseHertz = 0
    let camera = EventCamera(
      width: 32, height: 32, settings: settings, random: RandomSource(seed: 1))
    func counts(_ scene: MotionScene) -> [Int] {
      var scene = scene
      let recording = camera.record(
        &scene, durationMicroseconds: 128_000, renderMicroseconds: 2000,
        random: RandomSource(seed: 1))
      var counts = [Int](repeating: 0, count: 2048)
      for event in recording.events {
        counts[
          camera.sensor.index(channel: Int(event.polarity), y: Int(event.y), x: Int(event.x))] += 1
      }
      return counts
    }
    for outline in ShapeOutline.turning {
      for change in [
        MotionScene.Placement(x: 16), .init(y: 16), .init(x: 10, y: 10), .init(angle: 1.5),
        .init(radius: 6),
      ] {
        let back = MotionScene.Placement(
          x: -change.x, y: -change.y, angle: -change.angle, radius: -change.radius)
        let forward = counts(scene(outline, change: change))
        let reversed = counts(scene(outline, change: back, logContrast: -0.8))
        let total = forward.reduce(0, +)
        let difference = zip(forward, reversed).reduce(0) { $0 + abs($1.0 - $1.1) }
        #expect(
          total > 200 && difference * 4 < total, "\(outline) \(change): \(difference) of \(total)")
      }
    }
  }

  @Test func mirroredMotionsAreTheirOwnMirror() {
    let set = MovingShapes(seed: 1, settings: small)
    #expect(
      (0..<10).map(set.mirroredLabel) == [1, 0, 2, 3, nil, nil, 7, 6, 8, 9])
    #expect(set.classNames[5] == "up-left" && set.classNames.count == 10)
  }
}
