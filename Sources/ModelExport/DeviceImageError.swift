/// Why a valid model has no device image (models/IMAGE.md, section 6), or its image no place on a board.
///
/// Every case names the place, what was expected there and what was found.
public enum DeviceImageError: Error, Equatable, Sendable {
  /// A port that the firmware engine does not take.
  case unsupportedPort(place: String, expected: String, found: String)
  /// A population that it does not run.
  case unsupportedPopulation(place: String, expected: String, found: String)
  /// A projection that it does not carry.
  case unsupportedProjection(place: String, expected: String, found: String)
  /// A count or a side that the image's fields cannot hold.
  case tooLarge(place: String, expected: String, found: String)
  /// An image that is larger than the board's flash.
  case flashExceeded(target: String, available: Int, needed: Int)
  /// An image whose firmware needs more than the board's RAM.
  case memoryExceeded(
    target: String, available: Int, parts: [DeviceReport.Part], arena: [DeviceReport.Part])
}

extension DeviceImageError: CustomStringConvertible {
  /// Place, expectation and finding in one line, and the way out.
  public var description: String {
    switch self {
    case .unsupportedPort(let place, let expected, let found),
      .unsupportedPopulation(let place, let expected, let found),
      .unsupportedProjection(let place, let expected, let found),
      .tooLarge(let place, let expected, let found):
      "\(place): expected \(expected), found \(found); the firmware engine does not run this model, "
        + "use the host engine"
    case .flashExceeded(let target, let available, let needed):
      "\(target): expected an image of at most \(available) bytes of flash, found \(needed): "
        + "\(needed - available) bytes are missing"
    case .memoryExceeded(let target, let available, let parts, let arena):
      "\(target): expected at most \(available) bytes of RAM, found about \(parts.bytes) in a "
        + "firmware that does nothing else (\(parts.text); in the arena \(arena.text)): "
        + "\(parts.bytes - available) bytes are missing"
    }
  }
}
