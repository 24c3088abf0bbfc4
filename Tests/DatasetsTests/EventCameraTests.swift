import Tensors
import Testing

@testable import Datasets

/// Every pixel's log luminance changes by `slope` per second.
private struct Ramp: LuminanceScene {
  var slope: Float
  var columns: Int
  var rows: Int

  mutating func render(atMicroseconds time: Int, into image: inout [Float]) -> PixelRegion {
    for pixel in image.indices { image[pixel] = slope * Float(time) * 1e-6 }
    return PixelRegion(columns: 0..<columns, rows: 0..<rows)
  }
}

@Suite struct EventCameraTests {
  private func settings(
    refractory: Int = 0, deviation: Double = 0, noise: Double = 0
  ) -> EventCamera.Settings {
    var settings = EventCamera.Settings()
    settings.onThreshold = 0.25
    settings.offThreshold = 0.5
    settings.thresholdDeviation = deviation
    settings.refractoryMicroseconds = refractory
    settings.noiseHertz = noise
    return settings
  }

  private func times(slope: Float, refractory: Int, render: Int) -> [Event] {
    let camera = EventCamera(
      width: 1, height: 1, settings: settings(refractory: refractory), random: RandomSource(seed: 1)
    )
    var scene = Ramp(slope: slope, columns: 1, rows: 1)
    return camera.record(
      &scene, durationMicroseconds: 1000, renderMicroseconds: render, random: RandomSource(seed: 2)
    ).events
  }

  /// Log luminance rises by 1.1 in 1000 µs: the k-th crossing of 0.25 lies at k * 227.27 µs.
  @Test(arguments: [1000, 500, 100]) func rampCrossesItsThresholdsOnTime(render: Int) {
    let rising = times(slope: 1100, refractory: 0, render: render)
    #expect(rising.map(\.microseconds) == [227, 454, 681, 909])
    #expect(rising.allSatisfy { $0.polarity == 1 })
    let falling = times(slope: -1100, refractory: 0, render: render)
    #expect(falling.map(\.microseconds) == [454, 909])
    #expect(falling.allSatisfy { $0.polarity == 0 })
  }

  /// Blind from 227.3 to 527.3 µs, the pixel compares with 0.58 and fires at (0.58 + 0.25) /
  /// 0.0011.
  @Test(arguments: [1000, 500, 100]) func aBlindPixelComparesWithWhatItSeesAfterwards(render: Int) {
    let events = times(slope: 1100, refractory: 300, render: render)
    #expect(events.map(\.microseconds) == [227, 754])
  }

  @Test func nothingHappensWhereNothingChanges() {
    #expect(times(slope: 0, refractory: 0, render: 100).isEmpty)
  }

  @Test func noiseIsPoissonAndInOrder() {
    let camera = EventCamera(
      width: 32, height: 32, settings: settings(refractory: 500, noise: 10),
      random: RandomSource(seed: 1))
    var scene = Ramp(slope: 0, columns: 32, rows: 32)
    let events = camera.record(
      &scene, durationMicroseconds: 500_000, renderMicroseconds: 500_000,
      random: RandomSource(seed: 3)
    ).events
    // Mean 10 Hz * 1024 pixels * 0.5 s = 5120, deviation 71.6; 26 or so fall into a refractory
    // time.
    #expect(abs(events.count - 5094) < 5 * 72)
    let on = events.filter { $0.polarity == 1 }.count
    #expect(abs(on - events.count / 2) < 5 * 36)
    var last: [Int: Int64] = [:]
    var previous: Int64 = 0
    for event in events {
      #expect(event.microseconds >= previous && event.microseconds < 500_000)
      previous = event.microseconds
      let pixel = Int(event.y) * 32 + Int(event.x)
      if let earlier = last[pixel] { #expect(event.microseconds - earlier >= 500) }
      last[pixel] = event.microseconds
    }
  }

  @Test func thresholdsVaryFromPixelToPixelAsStated() {
    let camera = EventCamera(
      width: 32, height: 32, settings: settings(refractory: 1000, deviation: 0.02),
      random: RandomSource(seed: 1))
    var scene = Ramp(slope: 400, columns: 32, rows: 32)
    let events = camera.record(
      &scene, durationMicroseconds: 1000, renderMicroseconds: 1000, random: RandomSource(seed: 2)
    ).events
    // Log luminance ends at 0.4, 7.5 deviations above the mean: every pixel fires, and once, for it
    // is blind from then on.
    #expect(events.count == 1024)
    // The threshold is time * slope: mean 0.25, deviation 0.02 over 1024 pixels.
    let thresholds = events.map { Double($0.microseconds) * 400e-6 }
    let mean = thresholds.reduce(0, +) / 1024
    let variance = thresholds.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1024
    #expect(abs(mean - 0.25) < 0.004)
    #expect(abs(variance.squareRoot() - 0.02) < 0.003)
  }
}
