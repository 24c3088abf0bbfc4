import Foundation

/// The project's files as text.
struct SourceTree {
  struct File {
    /// From the root, such as `Sources/Tensors/Tape.swift`.
    let path: String
    let lines: [String]

    var name: String { String(path.split(separator: "/").last ?? "") }
    var isGenerated: Bool { path.lowercased().contains("/generated/") }
    var isSwift: Bool { path.hasSuffix(".swift") }
    /// The folder under Sources or Tests.
    var room: String { String(path.split(separator: "/").dropFirst().first ?? "") }

    /// The text with comment lines emptied.
    var code: String {
      lines.map { $0.utf8.drop { $0 == 32 }.starts(with: [47, 47]) ? "" : $0 }
        .joined(separator: "\n")
    }

    /// The places where a pattern occurs in code, as `path:line`.
    func places(of pattern: String) throws -> [String] {
      let code = code
      return try matches(of: pattern, in: code).map { match in
        "\(path):\(1 + (code as NSString).substring(to: match.range.location).utf8.count { $0 == 10 })"
      }
    }

    var imports: [Import] {
      get throws { try Import.all(in: code) }
    }
  }

  /// `import M`, `@testable import M`, `import struct M.T`.
  struct Import {
    let module: String
    /// The one declaration that is imported, if it is not the whole module.
    let declaration: String?

    private static let pattern =
      #"^ *(?:(?:@\w+(?:\(\w+\))?|public|package|internal|fileprivate|private) +)*"#
      + #"import +(?:(?:typealias|struct|class|enum|protocol|let|var|func) +)?(\w+)(?:\.(\w+))?"#

    static func all(in code: String) throws -> [Import] {
      try matches(of: pattern, in: code).map { match in
        let declaration = match.range(at: 2)
        return Import(
          module: (code as NSString).substring(with: match.range(at: 1)),
          declaration: declaration.length > 0
            ? (code as NSString).substring(with: declaration) : nil)
      }
    }
  }

  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Text files under Sources and Tests, by path.
  let files: [File]
  /// C files of the runtime and of firmware, by path; what a build left there is none of them.
  let runtime: [File]

  init() throws {
    files = try Self.files(in: ["Sources", "Tests"], ["swift", "c", "h", "modulemap", "py"])
    runtime = try Self.files(in: ["runtime-c", "targets", "zephyr"], ["c", "h"])
      .filter { !$0.path.contains("/build/") }
  }

  private static func files(in folders: [String], _ endings: Set<String>) throws -> [File] {
    var files: [File] = []
    for folder in folders {
      let base = root.appending(path: folder)
      for case let path as String in FileManager.default.enumerator(atPath: base.path())
        ?? FileManager.DirectoryEnumerator()
      where endings.contains(String(path.split(separator: ".").last ?? "")) {
        let text = try String(contentsOf: base.appending(path: path), encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        files.append(
          File(
            path: "\(folder)/\(path)",
            lines: Array(lines.last == "" ? lines.dropLast() : lines[...])))
      }
    }
    return files.sorted { $0.path < $1.path }
  }

  var sources: [File] { files.filter { $0.path.hasPrefix("Sources/") && $0.isSwift } }
  var written: [File] { files.filter { !$0.isGenerated } }
}

/// The matches of an ICU pattern, `^` being the start of a line. (Regex literals take ten times as
/// long in debug builds.)
func matches(of pattern: String, in text: String) throws -> [NSTextCheckingResult] {
  try NSRegularExpression(pattern: pattern, options: .anchorsMatchLines)
    .matches(in: text, range: NSRange(location: 0, length: (text as NSString).length))
}
