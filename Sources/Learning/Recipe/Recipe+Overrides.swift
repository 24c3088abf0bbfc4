import Yams

extension Recipe {
  /// Reads a recipe and checks it.
  ///
  /// - Parameters:
  ///   - yaml: the recipe's text.
  ///   - overrides: `key.path=value`, applied in order before reading. Values are YAML; lists are
  ///     addressed by index (`stages.0.epochs=2`), the index after the last appends. Sections that are
  ///     missing are made.
  ///   - place: names the text in errors, such as its file.
  /// - Throws: ``LearningError`` with the key path, what is expected there and what was found.
  public init(yaml: String, overrides: [String] = [], place: String = "text") throws {
    var root = try Self.composed(yaml, place: place) ?? Node.mapping([:])
    for override in overrides { try Self.apply(override, to: &root) }
    try self.init(root: root)
    try validate()
    // Numbers as the stored recipe will state them: a run and its continuation read the same.
    try self.init(root: Self.composed(self.yaml(), place: "text") ?? root)
  }

  private init(root: Node) throws {
    do {
      self = try YAMLDecoder().decode(Recipe.self, from: root)
    } catch let error as LearningError {
      throw error
    } catch {
      if case DecodingError.dataCorrupted(let context)? = error as? DecodingError,
        let inner = context.underlyingError as? LearningError
      {
        throw inner
      }
      throw LearningError.malformed(place: "text", expected: "a recipe", found: "\(error)")
    }
  }

  /// The recipe as YAML, every field with its value. Reading it back yields an equal recipe, numbers
  /// being written to 15 significant digits.
  public func yaml() throws -> String {
    do {
      let encoder = YAMLEncoder()
      // Maps of layers have no order of their own; the same recipe is the same bytes.
      encoder.options.sortKeys = true
      return try encoder.encode(self)
    } catch {
      throw LearningError.malformed(place: name, expected: "a recipe to write", found: "\(error)")
    }
  }

  private static func composed(_ yaml: String, place: String) throws -> Node? {
    do {
      return try Yams.compose(yaml: yaml)
    } catch {
      throw LearningError.malformed(place: place, expected: "YAML", found: "\(error)")
    }
  }

  private static func apply(_ override: String, to root: inout Node) throws {
    guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
      throw LearningError.override(
        place: override, expected: "key.path=value, such as stages.0.epochs=2", found: "no value")
    }
    let path = override[..<equals].split(separator: ".", omittingEmptySubsequences: false)
      .map(String.init)
    guard !path.contains("") else {
      throw LearningError.override(
        place: override, expected: "keys joined by single dots", found: "an empty key")
    }
    let text = String(override[override.index(after: equals)...])
    let value = try composed(text, place: override) ?? Node("null", .implicit, .plain)
    try set(value, at: path[...], in: &root, override: override)
  }

  private static func set(
    _ value: Node, at path: ArraySlice<String>, in node: inout Node, override: String
  ) throws {
    guard let key = path.first else {
      node = value
      return
    }
    switch node {
    case .mapping(var mapping):
      let name = Node(key)
      var child = mapping[name] ?? Node.mapping([:])
      try set(value, at: path.dropFirst(), in: &child, override: override)
      mapping[name] = child
      node = .mapping(mapping)
    case .sequence(var sequence):
      guard let index = Int(key), index >= 0, index <= sequence.count else {
        throw LearningError.override(
          place: override, expected: "an index 0…\(sequence.count)", found: "'\(key)'")
      }
      var child = index < sequence.count ? sequence[index] : Node.mapping([:])
      try set(value, at: path.dropFirst(), in: &child, override: override)
      if index < sequence.count { sequence[index] = child } else { sequence.append(child) }
      node = .sequence(sequence)
    case .scalar(let scalar) where ["", "null", "~"].contains(scalar.string):
      var made = Node.mapping([:])
      try set(value, at: path, in: &made, override: override)
      node = made
    default:
      throw LearningError.override(
        place: override, expected: "a section or list that holds '\(key)'",
        found: "the value '\(node.string ?? "")'")
    }
  }
}
