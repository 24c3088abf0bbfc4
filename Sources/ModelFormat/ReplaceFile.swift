import Files

/// Writes `bytes` to `path`; see ``replaceFiles(_:making:)``.
package func replaceFile(_ path: String, with bytes: [UInt8]) throws(ModelError) {
  try replaceFiles([FileContent(path, bytes)])
}

/// Writes files durably, all of them or none, `folder` being made where it is missing.
///
/// Throws ``ModelError/fileFailure(place:expected:found:)`` with the system's reason; what was
/// there before stays. Precondition: no path comes twice.
package func replaceFiles(
  _ files: [FileContent], making folder: String? = nil
) throws(ModelError) {
  do {
    try writeDurably(files, making: folder)
  } catch {
    switch error {
    case .file(let place, _, let found):
      throw .fileFailure(place: place, expected: "a writable file", found: found)
    case .folder(let place, _, let found):
      throw .fileFailure(place: place, expected: "a folder to write to", found: found)
    }
  }
}
