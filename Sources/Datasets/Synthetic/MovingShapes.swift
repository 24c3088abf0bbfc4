import Tensors

/// The built-in task `moving-shapes`: name the motion of one shape before a simulated event camera.
///
/// Ten motions in five pairs, each the other played backwards. Shapes are brighter or darker than
/// the ground with equal chance, so the image that a motion leaves when time is summed away has the
/// same distribution as that of its opposite: no classifier without time can tell the two apart,
/// and none can be right more often than 50 %. A single step does not tell either: the bright edge
/// that leads in one motion trails in the other.
///
/// Sample `i` of a split is a function of (seed, split, i) alone; its class is `i % 10`. The
/// threshold mismatch of the camera is a function of the seed: one device records the whole set.
public struct MovingShapes: Dataset {
  /// The classes, in label order; each even one is followed by its reverse.
  public enum Motion: Int, CaseIterable, Hashable, Sendable {
    /// Along a row.
    case right, left
    /// Along a column.
    case down, up
    /// Along the diagonal from the upper left to the lower right.
    case downRight, upLeft
    /// About the shape's own centre.
    case clockwise, counterClockwise
    /// Towards the camera or away from it.
    case growing, shrinking

    /// The motion played backwards.
    public var reversed: Motion { Motion(rawValue: rawValue ^ 1) ?? self }

    /// The motion seen in a mirror with a vertical axis; nil where it is no class: the mirror image
    /// of down-right is down-left.
    public var mirrored: Motion? {
      switch self {
      case .right, .left, .clockwise, .counterClockwise: return reversed
      case .down, .up, .growing, .shrinking: return self
      case .downRight, .upLeft: return nil
      }
    }

    /// The class name.
    public var name: String {
      switch self {
      case .downRight: return "down-right"
      case .upLeft: return "up-left"
      case .counterClockwise: return "counter-clockwise"
      default: return String(describing: self)
      }
    }
  }

  /// The numbers of samples, the steps and the camera.
  public struct Settings: Hashable, Sendable {
    /// Samples to train on.
    public var trainCount = 4000
    /// Samples to choose by.
    public var validationCount = 500
    /// Samples to report on.
    public var testCount = 1000
    /// The number of steps, T.
    public var steps = 16
    /// The length of a step in microseconds; the recording lasts `steps` of them.
    public var stepMicroseconds = 8000
    /// The properties of the sensor.
    public var camera = EventCamera.Settings()

    /// The defaults: 128 ms in 16 steps.
    public init() {}
  }

  /// Pixels along each side of the sensor.
  public static let side = 32
  /// Rendered instants per step; the shape's edge moves less than half a pixel between two.
  private static let instantsPerStep = 4

  /// The numbers of samples, the steps and the camera.
  public let settings: Settings
  private let camera: EventCamera
  private let random: RandomSource

  /// The set made from `seed`.
  ///
  /// Preconditions: counts not negative, `steps` positive, `stepMicroseconds` a positive multiple
  /// of 4.
  public init(seed: UInt64, settings: Settings = Settings()) {
    precondition(
      min(settings.trainCount, settings.validationCount, settings.testCount) >= 0,
      "the number of samples cannot be negative, found \(settings)")
    precondition(
      settings.steps > 0 && settings.stepMicroseconds > 0
        && settings.stepMicroseconds % Self.instantsPerStep == 0,
      "steps must be positive and their length a multiple of \(Self.instantsPerStep) µs, found "
        + "\(settings.steps) of \(settings.stepMicroseconds) µs")
    self.settings = settings
    let root = RandomSource(seed: seed)
    camera = EventCamera(
      width: Self.side, height: Self.side, settings: settings.camera, random: root.split(0))
    random = root.split(1)
  }

  /// `moving-shapes`.
  public var name: String { "moving-shapes" }

  /// The ten motions.
  public var classNames: [String] { Motion.allCases.map(\.name) }

  /// Events of a 32 by 32 sensor with two polarities.
  public var input: DatasetInput {
    .events(
      camera.sensor, stepMicroseconds: settings.stepMicroseconds, steps: settings.steps)
  }

  /// The number of samples set for `split`.
  public func count(in split: Split) -> Int {
    switch split {
    case .train: return settings.trainCount
    case .validation: return settings.validationCount
    case .test: return settings.testCount
    }
  }

  /// Draws and records sample `index` of `split`; no file is read and nothing is thrown.
  public func sample(at index: Int, in split: Split) -> Sample {
    precondition(
      index >= 0 && index < count(in: split),
      "sample \(index) is not in 0..<\(count(in: split)) of \(split.rawValue)")
    let motion = Motion.allCases[index % Motion.allCases.count]
    let stream = random.split(Self.key(of: split)).split(UInt64(index))
    return Sample(
      content: .recording(record(motion, random: stream)), label: motion.rawValue)
  }

  /// The mirrored motion, nil for the diagonals.
  public func mirroredLabel(_ label: Int) -> Int? {
    Motion(rawValue: label)?.mirrored?.rawValue
  }

  /// One recording of `motion`, all else drawn from `random`.
  func record(_ motion: Motion, random: RandomSource) -> Recording {
    var draw = random.split(0)
    var scene = scene(of: motion, drawnFrom: &draw)
    // From a bright street to a dim room the noise of a sensor grows about fourfold.
    let noiseScale = draw.uniform(0.5...2)
    return camera.record(
      &scene, durationMicroseconds: scene.durationMicroseconds,
      renderMicroseconds: settings.stepMicroseconds / Self.instantsPerStep,
      noiseScale: noiseScale, random: random.split(1))
  }

  /// A scene of `motion`. Opposite motions draw the same numbers and differ in the sign of the
  /// rate.
  private func scene(of motion: Motion, drawnFrom draw: inout RandomSource) -> MotionScene {
    let centre = Double(Self.side - 1) / 2
    var middle = MotionScene.Placement()
    var change = MotionScene.Placement()
    middle.x = Float(centre + draw.uniform(-4...4))
    middle.y = Float(centre + draw.uniform(-4...4))
    middle.angle = Float(draw.uniform(0...2 * .pi))
    var outlines = ShapeOutline.allCases
    let backwards: Float = motion.rawValue % 2 == 0 ? 1 : -1
    switch motion {
    case .right, .left, .down, .up, .downRight, .upLeft:
      middle.radius = Float(draw.uniform(4...7))
      let distance = backwards * Float(draw.uniform(12...20))
      if motion == .right || motion == .left { change.x = distance }
      if motion == .down || motion == .up { change.y = distance }
      if motion == .downRight || motion == .upLeft {
        change.x = distance * Float(0.5).squareRoot()
        change.y = change.x
      }
    case .clockwise, .counterClockwise:
      outlines = ShapeOutline.turning
      middle.radius = Float(draw.uniform(7...11))
      change.angle = backwards * Float(draw.uniform(1...2.2))
    case .growing, .shrinking:
      middle.radius = Float(draw.uniform(6...8))
      change.radius = backwards * Float(draw.uniform(5...9))
    }
    let outline = outlines[draw.integer(below: outlines.count)]
    let sign: Double = draw.integer(below: 2) == 0 ? 1 : -1
    return MotionScene(
      width: Self.side, height: Self.side,
      durationMicroseconds: settings.steps * settings.stepMicroseconds, outline: outline,
      middle: middle, change: change, logContrast: Float(sign * draw.uniform(0.5...1.1)))
  }

  private static func key(of split: Split) -> UInt64 {
    switch split {
    case .train: return 0
    case .validation: return 1
    case .test: return 2
    }
  }
}
