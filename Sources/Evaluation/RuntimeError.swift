/// What can go wrong between a file, a data set and the C runtime.
///
/// ``description`` is one line with the place, what was expected there and what was found.
public enum RuntimeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The C runtime refuses a model: the rule it names at `path`, and the numbers it compared.
  case refused(path: String, expected: Int, found: Int, reason: String)
  /// A sample, a data set or an input does not fit the model at `path`.
  case unsuitable(path: String, expected: String, found: String)

  /// The place, what was expected and what was found, in one line.
  public var description: String {
    switch self {
    case .refused(let path, let expected, let found, let reason):
      // Some rules compare no numbers: that the bytes are a message at all, or a stream is whole.
      "\(path.isEmpty ? "model" : path): "
        + (expected == found
          ? "expected valid bytes, found: \(reason)"
          : "expected \(expected), found \(found): \(reason)")
    case .unsuitable(let path, let expected, let found):
      "\(path): expected \(expected), found \(found)"
    }
  }
}
