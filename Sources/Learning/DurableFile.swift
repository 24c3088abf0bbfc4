import Files
import Foundation

/// Files that are either there in full or as they were before.
enum DurableFile {
  /// Writes durably: a crash or a full disk at any moment leaves the previous file intact.
  static func write(_ bytes: Data, to url: URL) throws {
    do {
      try writeDurably([FileContent(url.path, Array(bytes))])
    } catch {
      throw LearningError(error, at: url)
    }
  }

  static func read(_ url: URL) throws -> Data {
    do {
      return try Data(contentsOf: url)
    } catch {
      throw LearningError.file(
        place: url.path, expected: "a file to read",
        found: FileManager.default.fileExists(atPath: url.path) ? reason(error) : "no file")
    }
  }

  /// Makes a folder, and those it lies in, where they are missing.
  static func makeFolder(_ url: URL) throws {
    do {
      try Files.makeFolder(url.path)
    } catch {
      throw LearningError(error, at: url)
    }
  }

  /// Why the system refused, in its own words.
  static func reason(_ error: any Error) -> String {
    var error = error as NSError
    while let inner = error.userInfo[NSUnderlyingErrorKey] as? NSError { error = inner }
    if error.domain == NSPOSIXErrorDomain { return String(cString: strerror(Int32(error.code))) }
    return (error.localizedFailureReason ?? error.localizedDescription)
      .trimmingCharacters(in: CharacterSet(charactersIn: "."))
  }
}

extension LearningError {
  /// What kept `url` from being written or made.
  fileprivate init(_ error: FileError, at url: URL) {
    switch error {
    case .file(_, let expected, let found):
      self = .file(
        place: url.path, expected: expected, found: "\(found); what was there before is intact")
    case .folder(let place, let expected, let found):
      self = .file(
        place: url.path, expected: expected,
        found: place == url.path ? found : "\(found) at \(place)")
    }
  }
}
