/// The camera of an EVENTS port, and how its addresses become the port's (FORMAT.md §2).
public struct Sensor: Equatable, Sendable {
  /// Which channel a brightness that rose has, where a port has two.
  public enum PolarityOrder: Equatable, Sendable {
    /// Channel 0: brightness fell; channel 1: it rose.
    case offOn
    /// Channel 0: brightness rose; channel 1: it fell.
    case onOff
  }

  /// The camera's columns, 1...65536.
  public var width: Int
  /// The camera's rows, 1...65536.
  public var height: Int
  /// By how many bits x and y are shifted right, 0...15.
  public var coarsening: Int
  /// The order of the channels.
  public var polarity: PolarityOrder

  /// A camera of the given extent.
  public init(width: Int, height: Int, coarsening: Int = 0, polarity: PolarityOrder = .offOn) {
    self.width = width
    self.height = height
    self.coarsening = coarsening
    self.polarity = polarity
  }

  /// Columns and rows of the port that takes the coarsened addresses.
  public var coarsened: (width: Int, height: Int) {
    (((width - 1) >> coarsening) + 1, ((height - 1) >> coarsening) + 1)
  }
}

extension InputPort {
  /// The linear index of an address event; nil: the event lies outside the sensor, or outside the port
  /// where that states no sensor.
  public func index(x: Int, y: Int, polarity: Int) -> Int? {
    guard let sensor else {
      guard (0..<shape.width).contains(x), (0..<shape.height).contains(y),
        (0..<shape.channels).contains(polarity)
      else { return nil }
      return shape.index(channel: polarity, y: y, x: x)
    }
    guard (0..<sensor.width).contains(x), (0..<sensor.height).contains(y),
      polarity == 0 || polarity == 1
    else { return nil }
    let channel = sensor.polarity == .offOn ? polarity : 1 - polarity
    return shape.index(
      channel: shape.channels == 1 ? 0 : channel, y: y >> sensor.coarsening,
      x: x >> sensor.coarsening)
  }
}
