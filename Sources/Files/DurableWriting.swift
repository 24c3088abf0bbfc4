import Foundation

/// Writes files that are either there in full or as they were before, all of them or none.
///
/// Each is written to `path.partial` and waits for the disk before the first is renamed; last come
/// the folders, so that the renames survive a power cut too. `folder` is made where it is missing.
/// Where something fails, what was there before stays, and nothing is left beside it. A power cut
/// between two renames leaves each file whole, old or new, and the old ones also as `path.former`.
///
/// Throws ``FileError`` with the system's reason. Precondition: no path comes twice.
package func writeDurably(
  _ files: [FileContent], making folder: String? = nil
) throws(FileError) {
  try Replacement(writingAside: files, making: folder).commit()
}

/// Makes a folder, and those it lies in, where they are missing; throws ``FileError``.
package func makeFolder(_ path: String) throws(FileError) {
  _ = try Replacement(writingAside: [], making: path).commit()
}

/// Whether there is a folder at `path`.
package func isFolder(_ path: String) -> Bool {
  var isFolder: ObjCBool = false
  return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}
