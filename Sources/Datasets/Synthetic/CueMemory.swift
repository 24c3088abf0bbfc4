import Tensors
import Wiring

/// Which of two cues came with the gate, forty steps before the end: a task that needs memory.
///
/// Three lines of events on a sensor of 2 × 1 pixels. The cue lines, OFF and ON of pixel 0, spike at
/// random in every step, both at the same rate. The gate, ON of pixel 1, spikes in one step only, and
/// in that step one cue line alone spikes: the class. In the next step the other one does, so that
/// counts of events tell nothing. What the cue lines say in all other steps is noise.
public struct CueMemory: Dataset {
  /// The sizes of the set.
  public struct Settings: Hashable, Sendable {
    /// The number of training samples.
    public var trainCount = 2000
    /// The number of validation samples.
    public var validationCount = 500
    /// The number of test samples.
    public var testCount = 1000
    /// T, > ``CueMemory/delay``.
    public var steps = 50
    /// The length of a step in microseconds.
    public var stepMicroseconds = 1000

    /// The defaults: 50 steps of a millisecond.
    public init() {}
  }

  /// Steps from the one with the gate to the last one.
  public static let delay = 40
  /// The probability that a cue line spikes in a step of noise.
  private static let noise = 0.2
  private static let sensor = Shape(channels: 2, height: 1, width: 2)

  /// The numbers of samples and steps.
  public let settings: Settings
  private let random: RandomSource

  /// The set made from `seed`. Preconditions: counts not negative, more steps than ``delay``.
  public init(seed: UInt64, settings: Settings = Settings()) {
    precondition(
      min(settings.trainCount, settings.validationCount, settings.testCount) >= 0
        && settings.steps > Self.delay && settings.stepMicroseconds > 0,
      "expected counts of at least 0 and more than \(Self.delay) steps, found \(settings)")
    self.settings = settings
    random = RandomSource(seed: seed)
  }

  /// `cue-memory`.
  public var name: String { "cue-memory" }

  /// The two cues.
  public var classNames: [String] { ["off", "on"] }

  /// Events of a 2 by 1 sensor with two polarities.
  public var input: DatasetInput {
    .events(
      Self.sensor, stepMicroseconds: settings.stepMicroseconds, steps: settings.steps)
  }

  /// The number of samples set for `split`.
  public func count(in split: Split) -> Int {
    switch split {
    case .train: settings.trainCount
    case .validation: settings.validationCount
    case .test: settings.testCount
    }
  }

  /// Draws sample `index` of `split`; no file is read and nothing is thrown.
  public func sample(at index: Int, in split: Split) -> Sample {
    precondition(
      index >= 0 && index < count(in: split),
      "sample \(index) is not in 0..<\(count(in: split)) of \(split.rawValue)")
    let label = index % classNames.count
    var draw = random.split(UInt64(Split.allCases.firstIndex(of: split) ?? 0)).split(UInt64(index))
    let gate = settings.steps - 1 - Self.delay
    var events: [Event] = []
    for step in 0..<settings.steps {
      let time = Int64(step * settings.stepMicroseconds)
      for cue in 0..<2 {
        let isNoise = draw.uniform() < Self.noise
        let spikes =
          switch step {
          case gate: cue == label
          case gate + 1: cue != label
          default: isNoise
          }
        guard spikes else { continue }
        events.append(Event(x: 0, y: 0, polarity: UInt8(cue), microseconds: time))
      }
      if step == gate { events.append(Event(x: 1, y: 0, polarity: 1, microseconds: time)) }
    }
    return Sample(
      content: .recording(
        Recording(
          events: events, sensor: Self.sensor, startMicroseconds: 0,
          durationMicroseconds: Int64(settings.steps * settings.stepMicroseconds))),
      label: label)
  }
}
