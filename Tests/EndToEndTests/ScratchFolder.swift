import Foundation

/// A folder that lives as long as one test.
final class ScratchFolder {
  let path: String

  init() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("snn-\(UUID().uuidString)").resolvingSymlinksInPath()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.path
  }

  deinit { remove("") }

  func path(_ name: String) -> String { "\(path)/\(name)" }
  func url(_ name: String) -> URL { URL(fileURLWithPath: path(name)) }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
  func remove(_ name: String) { try? FileManager.default.removeItem(atPath: path(name)) }

  func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url(name))) }

  func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

  func write(_ bytes: [UInt8], to name: String) throws {
    try FileManager.default.createDirectory(
      at: url(name).deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url(name))
  }

  func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

  /// Copies a file or folder from elsewhere.
  func copy(_ source: String, to name: String) throws {
    try FileManager.default.copyItem(atPath: source, toPath: path(name))
  }

  /// The names of all files and folders, sorted, without the folder's own bookkeeping.
  var names: [String] {
    let all = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
    return all.filter { !$0.hasPrefix(".") }.sorted()
  }
}
