/// One section of a recipe while it is read: refuses unknown keys and says where a value is wrong.
struct RecipeFields<Key: CodingKey & CaseIterable & RawRepresentable<String>> {
  private let container: KeyedDecodingContainer<Key>
  private let place: String

  init(_ decoder: any Decoder, known: [Key] = Array(Key.allCases)) throws {
    let path = recipePlace(decoder.codingPath)
    let found: [AnyKey]
    do {
      found = try decoder.container(keyedBy: AnyKey.self).allKeys
      container = try decoder.container(keyedBy: Key.self)
    } catch {
      throw LearningError.value(
        place: path.isEmpty ? "recipe" : path, expected: "a section with keys", found: "no section")
    }
    place = path
    let names = known.map(\.rawValue)
    for key in found where !names.contains(key.stringValue) {
      throw LearningError.unknownKey(
        place: Self.join(path, key.stringValue), known: names,
        nearest: nearestName(to: key.stringValue, among: names))
    }
  }

  func value<T: Decodable>(_ key: Key, default fallback: T) throws -> T {
    try optional(key) ?? fallback
  }

  func required<T: Decodable>(_ key: Key, expected: String) throws -> T {
    guard let value: T = try optional(key) else {
      throw LearningError.missingKey(place: at(key), expected: expected)
    }
    return value
  }

  /// nil where the key is missing or null.
  func optional<T: Decodable>(_ key: Key) throws -> T? {
    do {
      return try container.decodeIfPresent(T.self, forKey: key)
    } catch let error as LearningError {
      throw error
    } catch let error as DecodingError {
      throw translated(error, key, expected: kindName(T.self))
    }
  }

  func choice<T: RawRepresentable<String>>(
    _ key: Key, among cases: [T], default fallback: T
  ) throws -> T {
    try choice(key, among: cases) ?? fallback
  }

  func requiredChoice<T: RawRepresentable<String>>(_ key: Key, among cases: [T]) throws -> T {
    guard let value = try choice(key, among: cases) else {
      throw LearningError.missingKey(place: at(key), expected: Self.expected(cases))
    }
    return value
  }

  /// nil where the key is missing or null.
  func choice<T: RawRepresentable<String>>(_ key: Key, among cases: [T]) throws -> T? {
    do {
      guard let text = try container.decodeIfPresent(String.self, forKey: key) else { return nil }
      guard let value = cases.first(where: { $0.rawValue == text }) else {
        throw LearningError.value(
          place: at(key), expected: Self.expected(cases), found: "'\(text)'")
      }
      return value
    } catch let error as DecodingError {
      throw translated(error, key, expected: Self.expected(cases))
    }
  }

  private static func expected<T: RawRepresentable<String>>(_ cases: [T]) -> String {
    "one of " + cases.map(\.rawValue).joined(separator: ", ")
  }

  private func at(_ key: Key) -> String { Self.join(place, key.rawValue) }

  private static func join(_ place: String, _ key: String) -> String {
    place.isEmpty ? key : "\(place).\(key)"
  }

  private func translated(_ error: DecodingError, _ key: Key, expected: String) -> LearningError {
    let context: DecodingError.Context
    switch error {
    case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
      .dataCorrupted(let found):
      context = found
    @unknown default:
      return .value(place: at(key), expected: expected, found: "\(error)")
    }
    if let inner = context.underlyingError as? LearningError { return inner }
    let text = (try? container.decode(String.self, forKey: key)).map { "'\($0)'" }
    let path = recipePlace(context.codingPath)
    return .value(
      place: path.hasPrefix(at(key)) ? path : at(key), expected: expected,
      found: text ?? "a section or list")
  }
}

/// Any key of a section.
private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// A key path as overrides write it: `stages.0.optimizer`.
private func recipePlace(_ path: [any CodingKey]) -> String {
  path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
}

/// What a type is called in a message.
private func kindName(_ type: Any.Type) -> String {
  switch type {
  case is Int.Type: "a whole number"
  case is UInt64.Type: "a whole number ≥ 0"
  case is Double.Type, is Float.Type: "a number"
  case is Bool.Type: "true or false"
  case is String.Type: "a text"
  case is [String: Int].Type: "whole numbers by layer, such as {conv1: 8}"
  case is [String: Double].Type: "numbers by layer, such as {conv1: 0.5}"
  case is [StageRecipe].Type: "a list of stages"
  case is [PopulationRecipe].Type: "a list of populations"
  case is [ProjectionRecipe].Type: "a list of projections"
  default: "a section"
  }
}

/// The name that takes the fewest single-letter edits, nil where none is near.
func nearestName(to name: String, among names: [String]) -> String? {
  let ranked = names.map { ($0, editDistance($0.lowercased(), name.lowercased())) }
  guard let best = ranked.min(by: { $0.1 < $1.1 }), best.1 <= max(2, name.count / 3) else {
    return nil
  }
  return best.0
}

/// Insertions, deletions and substitutions from one text to the other (Levenshtein).
private func editDistance(_ a: String, _ b: String) -> Int {
  let b = Array(b)
  var row = Array(0...b.count)
  for (i, letter) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in b.indices {
      let substituted = diagonal + (letter == b[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[b.count]
}
