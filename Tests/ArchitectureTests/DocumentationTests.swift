import Testing

/// Every public declaration says what it is.
@Suite struct DocumentationTests {
  @Test func publicDeclarationsHaveDocumentation() throws {
    let files = try SourceTree().sources.filter { !$0.isGenerated }
    #expect(files.count > 100)
    for file in files { #expect(file.undocumentedLines.map { "\(file.path):\($0)" } == []) }
  }

  @Test func declarationsAreRecognised() {
    func undocumented(_ text: String) -> [Int] {
      SourceTree.File(
        path: "Sources/A/B.swift",
        lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      ).undocumentedLines
    }
    #expect(undocumented("public struct A {}\n\n@frozen public enum B {}") == [1, 3])
    #expect(undocumented("/// A.\n@available(*, deprecated)\npublic struct A {}") == [])
    #expect(undocumented("  // A.\n  public private(set) var a = 0") == [2])
    #expect(undocumented("  public init() {}\n  static public func f()") == [1, 2])
    #expect(undocumented("public import A\npublic extension A {\nlet publicity = 1") == [])
    let cases = "/// A.\npublic enum A {\n  case b\n  /// C.\n  case c(Int)\n}\ncase d"
    #expect(undocumented(cases) == [3])
    let nested = "/// A.\npublic enum A {\n  enum B {\n    case b\n  }\n"
    let function = "  func f() {\n    switch a {\n    case .b: 1\n    }\n  }\n}"
    #expect(undocumented(nested + function) == [])
    let requirements = "/// A.\npublic protocol A {\n  var a: Int { get }\n  /// F.\n  func f()\n}"
    #expect(undocumented(requirements) == [3])
  }
}

extension SourceTree.File {
  /// The numbers of lines with a public declaration, a case of a public enum or a requirement of a
  /// public protocol, but no `///` directly above; attributes may stand between.
  ///
  /// Goes by indentation, as swift-format leaves it.
  fileprivate var undocumentedLines: [Int] {
    var found: [Int] = []
    var isDocumented = false
    /// The public enum or protocol around the line.
    var container: (indent: Int, members: Set<Substring>)?
    for (index, line) in lines.enumerated() {
      let text = line.drop { $0 == " " }
      let indent = line.count - text.count
      let words = text.declarationWords
      if let open = container, indent == open.indent, text.hasPrefix("}") { container = nil }
      let isMember =
        container.map { indent == $0.indent + 2 && !$0.members.isDisjoint(with: words) } ?? false
      let isPublic = words.contains { $0 == "public" || $0 == "open" }
      if isMember || isPublic, !isDocumented { found.append(index + 1) }
      if isPublic, text.hasSuffix("{") {
        if words.contains("enum") { container = (indent, ["case"]) }
        if words.contains("protocol") {
          container = (indent, ["associatedtype", "func", "init", "subscript", "var"])
        }
      }
      isDocumented = text.hasPrefix("///") || (isDocumented && text.hasPrefix("@"))
    }
    return found
  }
}

extension Substring {
  /// The modifiers and the keyword that a line of a declaration begins with, without attributes;
  /// none for imports and extensions.
  fileprivate var declarationWords: [Substring] {
    let modifiers: Set<Substring> = [
      "convenience", "final", "fileprivate(set)", "indirect", "internal(set)", "mutating",
      "nonisolated", "open", "override", "package(set)", "private(set)", "public", "required",
      "static",
    ]
    let keywords: Set<Substring> = [
      "actor", "associatedtype", "case", "class", "enum", "func", "init", "let", "protocol",
      "struct", "subscript", "typealias", "var",
    ]
    var words: [Substring] = []
    for word in split(separator: " ") {
      if word.hasPrefix("@") { continue }
      let name = modifiers.contains(word) ? word : word.prefix { $0.isLetter }
      guard modifiers.contains(name) || keywords.contains(name) else { return [] }
      words.append(name)
      if keywords.contains(name) { return words }
    }
    return []
  }
}
