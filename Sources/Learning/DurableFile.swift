import Foundation

/// Files that are either there in full or as they were before.
enum DurableFile {
  /// Writes aside, waits for the disk, renames, waits for the folder. A crash or a full disk at any
  /// moment leaves the previous file intact.
  static func write(_ bytes: Data, to url: URL) throws {
    let aside = url.appendingPathExtension("partial")
    func failed(_ reason: String) -> LearningError {
      .file(
        place: url.path, expected: "to write \(bytes.count) bytes",
        found: "\(reason); what was there before is intact")
    }
    let descriptor = open(aside.path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard descriptor >= 0 else { throw failed(systemMessage()) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
    do {
      try handle.write(contentsOf: bytes)
    } catch {
      let reason = reason(error)
      close(descriptor)
      unlink(aside.path)
      throw failed(reason)
    }
    guard fsync(descriptor) == 0 else {
      let reason = systemMessage()
      close(descriptor)
      unlink(aside.path)
      throw failed(reason)
    }
    close(descriptor)
    guard rename(aside.path, url.path) == 0 else {
      let reason = systemMessage()
      unlink(aside.path)
      throw failed(reason)
    }
    // The rename itself survives a power cut once the folder is on disk.
    let folder = open(url.deletingLastPathComponent().path, O_RDONLY)
    if folder >= 0 {
      fsync(folder)
      close(folder)
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
    if mkdir(url.path, 0o755) == 0 { return }
    if errno == ENOENT, url.path.count > 1 {
      try makeFolder(url.deletingLastPathComponent())
      if mkdir(url.path, 0o755) == 0 { return }
    }
    let reason = systemMessage()
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
      isFolder.boolValue
    else {
      throw LearningError.file(place: url.path, expected: "to make a folder", found: reason)
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

  private static func systemMessage() -> String { String(cString: strerror(errno)) }
}
