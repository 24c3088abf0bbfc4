import Foundation

/// A file's path and what it shall hold.
package struct FileContent: Equatable, Sendable {
  package let path: String
  package let bytes: [UInt8]
  fileprivate var aside: String { path + ".partial" }

  package init(_ path: String, _ bytes: [UInt8]) { (self.path, self.bytes) = (path, bytes) }
}

/// Writes `bytes` to `path`; see ``replaceFiles(_:making:)``.
package func replaceFile(_ path: String, with bytes: [UInt8]) throws(ModelError) {
  try replaceFiles([FileContent(path, bytes)])
}

/// Writes every file as `path.partial`, then renames them all, so that no path is ever half a file. `folder` is
/// made where it is missing.
///
/// Where something fails, what was there before stays, and nothing is left beside it. Throws
/// ``ModelError/fileFailure(place:expected:found:)`` with the system's reason.
package func replaceFiles(
  _ files: [FileContent], making folder: String? = nil
) throws(ModelError) {
  var made: [String] = []
  do throws(ModelError) {
    if let folder { try makeFolder(folder, &made) }
    for file in files { try file.writeAside() }
    for file in files where rename(file.aside, file.path) != 0 { throw file.failure(errno) }
  } catch {
    for file in files { unlink(file.aside) }
    for folder in made.reversed() { rmdir(folder) }
    throw error
  }
}

/// Whether there is a folder at `path`.
package func isFolder(_ path: String) -> Bool {
  var isFolder: ObjCBool = false
  return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}

extension FileContent {
  fileprivate func failure(_ error: Int32) -> ModelError {
    .fileFailure(
      place: path, expected: "a writable file", found: String(cString: strerror(error)))
  }

  fileprivate func writeAside() throws(ModelError) {
    // Said before the first file is renamed.
    guard !isFolder(path) else { throw failure(EISDIR) }
    guard let file = fopen(aside, "wb") else { throw failure(errno) }
    let written = fwrite(bytes, 1, bytes.count, file)
    guard written == bytes.count, fflush(file) == 0 else {
      let error = errno
      fclose(file)
      throw failure(error)
    }
    // Some file systems say only now that they are full.
    guard fclose(file) == 0 else { throw failure(errno) }
  }
}

/// Makes a folder and those above it; `made` gets the ones that were missing.
private func makeFolder(_ path: String, _ made: inout [String]) throws(ModelError) {
  guard !isFolder(path) else { return }
  let above = URL(fileURLWithPath: path).deletingLastPathComponent().relativePath
  if above != path { try makeFolder(above, &made) }
  guard mkdir(path, 0o777) == 0 else {
    let found = errno == EEXIST ? "a file" : String(cString: strerror(errno))
    throw .fileFailure(place: path, expected: "a folder to write to", found: found)
  }
  made.append(path)
}
