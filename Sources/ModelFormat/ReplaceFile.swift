import Foundation

/// Writes `bytes` to `path.partial` and renames it, so that `path` is never half a file: where writing fails,
/// what was there before stays. Throws ``ModelError/fileFailure(place:expected:found:)`` with the system's
/// reason.
package func replaceFile(_ path: String, with bytes: [UInt8]) throws(ModelError) {
  let aside = path + ".partial"
  func failure() -> ModelError {
    let reason = String(cString: strerror(errno))
    unlink(aside)
    return .fileFailure(place: path, expected: "a writable file", found: reason)
  }
  guard let file = fopen(aside, "wb") else { throw failure() }
  let written = fwrite(bytes, 1, bytes.count, file)
  guard written == bytes.count, fflush(file) == 0 else {
    let error = failure()
    fclose(file)
    throw error
  }
  // Some file systems say only now that they are full.
  guard fclose(file) == 0, rename(aside, path) == 0 else { throw failure() }
}
