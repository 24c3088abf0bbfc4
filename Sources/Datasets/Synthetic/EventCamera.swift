import Foundation
import Tensors
import Wiring

/// What an event camera looks at.
public protocol LuminanceScene {
  /// Writes the natural logarithm of the luminance at `microseconds` into `image`, `[H, W]`.
  ///
  /// `image` holds the values of the previous call, all 0 before the first. Returns the pixels that
  /// may differ from it; the camera looks at no others.
  mutating func render(atMicroseconds microseconds: Int, into image: inout [Float]) -> PixelRegion
}

/// A rectangle of pixels.
public struct PixelRegion: Hashable, Sendable {
  /// The columns.
  public var columns: Range<Int>
  /// The rows.
  public var rows: Range<Int>

  /// The pixels of `columns` in `rows`.
  public init(columns: Range<Int>, rows: Range<Int>) {
    self.columns = columns
    self.rows = rows
  }
}

/// Simulates an event camera: each pixel reports when the logarithm of its luminance has moved by a
/// threshold since its last event.
///
/// Between two rendered instants the logarithm is taken as linear, which gives events the times at
/// which it crosses the threshold. Source: Lichtsteiner, Posch and Delbruck, "A 128x128 120 dB 15
/// µs latency asynchronous temporal contrast vision sensor", IEEE JSSC 43(2), 2008 (the pixel,
/// threshold mismatch, refractory time); Rebecq, Gehrig and Scaramuzza, "ESIM", CoRL 2018 (linear
/// interpolation); Hu, Liu and Delbruck, "v2e", CVPR workshops 2021 (noise). Here the pixel is held
/// in reset for its refractory time and afterwards compares with what it sees then, as the circuit
/// does; the bandwidth of the photoreceptor and leak events are left out.
public struct EventCamera: Sendable {
  /// The properties of the sensor.
  public struct Settings: Hashable, Sendable, Codable {
    /// Mean rise of log luminance that makes an ON event; natural logarithm, positive.
    public var onThreshold = 0.2
    /// Mean fall of log luminance that makes an OFF event; natural logarithm, positive.
    public var offThreshold = 0.2
    /// Standard deviation of both thresholds from pixel to pixel; natural logarithm. No threshold
    /// falls below a quarter of its mean.
    public var thresholdDeviation = 0.03
    /// How long a pixel is blind after an event, in microseconds; 0 = never.
    public var refractoryMicroseconds = 500
    /// Mean rate of events without a cause, per pixel and second, either polarity alike.
    public var noiseHertz = 1.0

    /// The defaults: thresholds and mismatch as in v2e.
    public init() {}
  }

  /// The sensor: two polarities, 0 = OFF and 1 = ON.
  public let sensor: Shape
  /// The properties the camera was made with.
  public let settings: Settings
  private let onThresholds: [Float]
  private let offThresholds: [Float]

  /// A camera of `width` by `height` pixels whose threshold mismatch is drawn from `random`.
  ///
  /// Preconditions: sides within 4096 by 2048, thresholds positive, the rest not negative.
  public init(width: Int, height: Int, settings: Settings = Settings(), random: RandomSource) {
    precondition(
      width <= 1 << Key.columnBits && height <= 1 << Key.rowBits,
      "the camera has at most 4096 by 2048 pixels, found \(width) by \(height)")
    precondition(
      settings.onThreshold > 0 && settings.offThreshold > 0 && settings.thresholdDeviation >= 0
        && settings.refractoryMicroseconds >= 0 && settings.noiseHertz >= 0,
      "the camera needs positive thresholds and no negative setting, found \(settings)")
    sensor = Shape(channels: 2, height: height, width: width)
    self.settings = settings
    var random = random
    func thresholds(around mean: Double) -> [Float] {
      (0..<width * height).map { _ in
        Float(max(mean / 4, mean + settings.thresholdDeviation * random.normal()))
      }
    }
    onThresholds = thresholds(around: settings.onThreshold)
    offThresholds = thresholds(around: settings.offThreshold)
  }

  /// Records `scene` from time 0 for `durationMicroseconds`, rendering every `renderMicroseconds`.
  ///
  /// The events lie in 0..<duration, ordered by time, then row, column, polarity. `noiseScale`
  /// multiplies the noise rate: dim scenes are noisier. `random` drives the noise alone.
  /// Preconditions: the duration is a positive multiple of the rendering interval, below 2^39 µs.
  public func record(
    _ scene: inout some LuminanceScene, durationMicroseconds: Int, renderMicroseconds: Int,
    noiseScale: Double = 1, random: RandomSource
  ) -> Recording {
    precondition(
      renderMicroseconds > 0 && durationMicroseconds > 0
        && durationMicroseconds % renderMicroseconds == 0
        && durationMicroseconds < 1 << (Key.timeBits - 1),
      "\(durationMicroseconds) µs must be a positive multiple of \(renderMicroseconds) µs")
    var image = [Float](repeating: 0, count: sensor.width * sensor.height)
    _ = scene.render(atMicroseconds: 0, into: &image)
    var pixels = Pixels(image: image)
    var keys: [UInt64] = []
    keys.reserveCapacity(4096)
    for start in stride(from: 0, to: durationMicroseconds, by: renderMicroseconds) {
      let end = start + renderMicroseconds
      let region = scene.render(atMicroseconds: end, into: &image)
      for y in region.rows.clamped(to: 0..<sensor.height) {
        for x in region.columns.clamped(to: 0..<sensor.width) {
          let pixel = y * sensor.width + x
          let level = image[pixel]
          guard level != pixels.level[pixel] else { continue }
          let segment = Segment(start: start, end: end, from: pixels.level[pixel], to: level)
          respond(x: x, y: y, to: segment, pixels: &pixels, keys: &keys)
          pixels.level[pixel] = level
        }
      }
    }
    appendNoise(
      until: durationMicroseconds, hertz: settings.noiseHertz * noiseScale, random: random,
      keys: &keys)
    keys.sort()
    return recording(of: keys, durationMicroseconds: durationMicroseconds)
  }

  /// Appends the events of one pixel over one linear piece of its log luminance.
  private func respond(
    x: Int, y: Int, to segment: Segment, pixels: inout Pixels, keys: inout [UInt64]
  ) {
    let pixel = y * sensor.width + x
    let rising = segment.to > segment.from
    let step = rising ? onThresholds[pixel] : -offThresholds[pixel]
    let blind = Float(settings.refractoryMicroseconds)
    while true {
      let release = pixels.release[pixel]
      if release >= Float(segment.end) { return }
      if release >= 0 {
        // A release before the segment fell while nothing changed, so its level was the first one.
        pixels.reference[pixel] = segment.level(at: max(release, Float(segment.start)))
        pixels.release[pixel] = -1
      }
      let target = pixels.reference[pixel] + step
      guard rising ? target <= segment.to : target >= segment.to else { return }
      let crossing = segment.time(of: target)
      keys.append(Key.make(microseconds: Int(crossing), x: x, y: y, polarity: rising ? 1 : 0))
      pixels.reference[pixel] = target
      if blind > 0 { pixels.release[pixel] = crossing + blind }
    }
  }

  /// Appends a Poisson process of events over the whole sensor.
  private func appendNoise(
    until duration: Int, hertz: Double, random: RandomSource, keys: inout [UInt64]
  ) {
    guard hertz > 0 else { return }
    var random = random
    let perMicrosecond = hertz * 1e-6 * Double(sensor.width * sensor.height)
    var time = 0.0
    while true {
      time -= log(1 - random.uniform()) / perMicrosecond
      guard time < Double(duration) else { return }
      let address = random.integer(below: sensor.count)
      let pixel = address / 2
      keys.append(
        Key.make(
          microseconds: Int(time), x: pixel % sensor.width, y: pixel / sensor.width,
          polarity: address % 2))
    }
  }

  /// The events of sorted `keys`, without those at the end itself and those that fall into the
  /// refractory time of a noise event.
  private func recording(of keys: [UInt64], durationMicroseconds: Int) -> Recording {
    var last = [Int](repeating: .min / 2, count: sensor.width * sensor.height)
    var events: [Event] = []
    events.reserveCapacity(keys.count)
    for key in keys {
      let event = Key.event(key)
      let pixel = Int(event.y) * sensor.width + Int(event.x)
      let time = Int(event.microseconds)
      guard time < durationMicroseconds,
        time - last[pixel] >= settings.refractoryMicroseconds
      else { continue }
      last[pixel] = time
      events.append(event)
    }
    return Recording(
      events: events, sensor: sensor, startMicroseconds: 0,
      durationMicroseconds: Int64(durationMicroseconds))
  }
}

/// What each pixel remembers, `[H, W]`.
private struct Pixels {
  /// The log luminance at the last rendered instant.
  var level: [Float]
  /// The log luminance that the next event is measured from.
  var reference: [Float]
  /// The time in microseconds at which the pixel leaves its reset; -1 where it is not in reset.
  var release: [Float]

  init(image: [Float]) {
    level = image
    reference = image
    release = [Float](repeating: -1, count: image.count)
  }
}

/// A pixel's log luminance between two rendered instants. Times are exact below 2^24 µs = 16 s;
/// beyond, a Float rounds them, never past the segment's ends.
private struct Segment {
  let start: Int
  let end: Int
  let from: Float
  let to: Float

  func level(at time: Float) -> Float {
    from + (to - from) * ((time - Float(start)) / Float(end - start))
  }

  func time(of level: Float) -> Float {
    let fraction = min(max((level - from) / (to - from), 0), 1)
    return Float(start) + Float(end - start) * fraction
  }
}

/// An event packed so that keys sort by time, row, column, polarity.
private enum Key {
  static let timeBits = 40
  static let rowBits = 11
  static let columnBits = 12

  static func make(microseconds: Int, x: Int, y: Int, polarity: Int) -> UInt64 {
    UInt64(((microseconds << rowBits | y) << columnBits | x) << 1 | polarity)
  }

  static func event(_ key: UInt64) -> Event {
    Event(
      x: UInt16(key >> 1 & 0xfff), y: UInt16(key >> 13 & 0x7ff), polarity: UInt8(key & 1),
      microseconds: Int64(key >> 24))
  }
}
