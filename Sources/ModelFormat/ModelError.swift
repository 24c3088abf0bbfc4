/// Why something is not a model of the format.
///
/// Every case names the place, such as `populations[2] "conv2".threshold[17]`, what was expected
/// there and what was found. ``description`` is one line.
public enum ModelError: Error, Equatable, Sendable {
  /// A number outside its limits.
  case outOfRange(place: String, expected: String, found: String)
  /// A wrong number of elements or bytes.
  case wrongCount(place: String, expected: String, found: String)
  /// Shapes that do not fit each other.
  case wrongShape(place: String, expected: String, found: String)
  /// An index that points nowhere, or at something of the wrong kind.
  case wrongReference(place: String, expected: String, found: String)
  /// Delay-0 projections that form a cycle; `found` names its populations.
  case cycle(place: String, expected: String, found: String)
  /// A sum that may leave its machine type (FORMAT.md §5).
  case boundExceeded(place: String, expected: String, found: String)
  /// Bytes that say nothing the format knows.
  case malformed(place: String, expected: String, found: String)
  /// A version this module does not read (FORMAT.md §10).
  case unsupportedVersion(place: String, expected: String, found: String)
  /// A file that cannot be read or written.
  case fileFailure(place: String, expected: String, found: String)

  /// Where the fault lies.
  public var place: String { parts.place }

  private var parts: (place: String, expected: String, found: String) {
    switch self {
    case .outOfRange(let place, let expected, let found),
      .wrongCount(let place, let expected, let found),
      .wrongShape(let place, let expected, let found),
      .wrongReference(let place, let expected, let found),
      .cycle(let place, let expected, let found),
      .boundExceeded(let place, let expected, let found),
      .malformed(let place, let expected, let found),
      .unsupportedVersion(let place, let expected, let found),
      .fileFailure(let place, let expected, let found):
      (place, expected, found)
    }
  }
}

extension ModelError: CustomStringConvertible {
  /// The place, what was expected and what was found, in one line.
  public var description: String {
    "\(parts.place): expected \(parts.expected), found \(parts.found)"
  }
}

/// Throws `.outOfRange` unless `limits` contains `found`.
func require<Limits: RangeExpression>(
  _ found: Int, in limits: Limits, at place: @autoclosure () -> String
) throws(ModelError) where Limits.Bound == Int {
  guard limits.contains(found) else {
    throw .outOfRange(place: place(), expected: "\(limits)", found: "\(found)")
  }
}

/// How error messages name an element of a model's list, such as `populations[2] "conv2"`.
func listPlace(_ list: String, _ index: Int, _ name: String) -> String {
  "\(list)[\(index)] \(name.debugDescription)"
}

extension Model {
  /// How error messages name a port.
  package func place(ofInput index: Int) -> String {
    listPlace("inputs", index, inputs[index].name)
  }

  /// How error messages name a population.
  package func place(ofPopulation index: Int) -> String {
    listPlace("populations", index, populations[index].name)
  }

  /// How error messages name a projection.
  package func place(ofProjection index: Int) -> String {
    listPlace("projections", index, projections[index].name)
  }
}
