import Wiring

/// One labelled example of a task.
public struct Sample: Hashable, Sendable {
  /// What the network sees.
  public enum Content: Hashable, Sendable {
    /// A still image, shown unchanged in every step.
    case frame(Frame)
    /// The output of an event camera, binned into steps by ``SpikeTrain``.
    case recording(Recording)
  }

  /// What the network sees.
  public var content: Content
  /// The class, an index into the class names of the data set.
  public var label: Int

  /// A sample of class `label`.
  public init(content: Content, label: Int) {
    self.content = content
    self.label = label
  }
}

/// An image of bytes, channels-last.
public struct Frame: Hashable, Sendable {
  /// The shape `[H, W, C]`.
  public let shape: Shape
  /// `shape.count` values in 0...255, ordered by ``Wiring/Shape/index(channel:y:x:)``.
  public let values: [UInt8]

  /// An image of `values`. Precondition: there are `shape.count` of them.
  public init(shape: Shape, values: [UInt8]) {
    precondition(
      values.count == shape.count,
      "a frame of \(shape) needs \(shape.count) values, found \(values.count)")
    self.shape = shape
    self.values = values
  }
}

/// One event of an event camera: a pixel's brightness passed a threshold.
public struct Event: Hashable, Sendable {
  /// The column, from the left.
  public var x: UInt16
  /// The row, from the top.
  public var y: UInt16
  /// 1 where brightness rose (ON), 0 where it fell (OFF).
  public var polarity: UInt8
  /// The time in microseconds on the recording's own clock.
  public var microseconds: Int64

  /// An event at column `x`, row `y`.
  public init(x: UInt16, y: UInt16, polarity: UInt8, microseconds: Int64) {
    self.x = x
    self.y = y
    self.polarity = polarity
    self.microseconds = microseconds
  }
}

/// The events of one recording in the order in which they were stored.
///
/// Nothing is filtered here: events outside the sensor or going back in time are kept as found, and
/// ``SpikeTrain`` drops and counts them.
public struct Recording: Hashable, Sendable {
  /// The events, in stored order.
  public var events: [Event]
  /// The sensor; its channels are the polarities.
  public var sensor: Shape
  /// The time at which the recording began, where the source states one.
  public var startMicroseconds: Int64?
  /// The length of the recording, where the source states one.
  public var durationMicroseconds: Int64?

  /// A recording of `events` by a camera of shape `sensor`.
  public init(
    events: [Event], sensor: Shape, startMicroseconds: Int64? = nil,
    durationMicroseconds: Int64? = nil
  ) {
    self.events = events
    self.sensor = sensor
    self.startMicroseconds = startMicroseconds
    self.durationMicroseconds = durationMicroseconds
  }
}
