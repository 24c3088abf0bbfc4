import Foundation

/// What `swift package describe` says of the package.
struct PackageDescription: Decodable {
  struct Target: Decodable {
    var name: String
    var path: String
    var targetDependencies: [String]?
    var productDependencies: [String]?

    var dependencies: Set<String> {
      Set((targetDependencies ?? []) + (productDependencies ?? []))
    }
  }

  struct Failure: Error {
    var message: String
  }

  var targets: [Target]

  /// Asks the package manager, in a build folder of its own: the usual one is locked while tests
  /// run.
  static func read() throws -> PackageDescription {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let process = Process()
    let output = Pipe()
    let errors = scratch.appending(path: "errors")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    try Data().write(to: errors)
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "swift", "package", "--package-path", SourceTree.root.path(), "--scratch-path",
      scratch.path(), "describe", "--type", "json",
    ]
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    let json = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(message: try String(contentsOf: errors, encoding: .utf8))
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(PackageDescription.self, from: json)
  }

  /// The target a file belongs to: the one with the longest path around it.
  func target(of path: String) -> Target? {
    targets.filter { path.hasPrefix($0.path + "/") }.max { $0.path.count < $1.path.count }
  }
}
