import Foundation

/// Files written aside that have not taken their places yet.
struct Replacement {
  private let files: [FileContent]
  /// Folders made for them, outermost first.
  private var made: [String] = []

  /// Writes every file as `path.partial` and waits for the disk; `folder` is made where it is
  /// missing. Where something fails, nothing of it is left.
  init(writingAside files: [FileContent], making folder: String?) throws(FileError) {
    precondition(Set(files.map(\.path)).count == files.count, "a path comes twice")
    self.files = files
    do throws(FileError) {
      if let folder { try make(folder) }
      for file in files { try file.writeAside() }
    } catch {
      discard()
      throw error
    }
  }

  /// Renames every file to its place and waits for the folders. Where a rename fails, the files
  /// renamed before it are put back as they were, and nothing of the replacement is left.
  func commit() throws(FileError) {
    var kept: [FileContent] = []
    var placed: [FileContent] = []
    do throws(FileError) {
      // A rename replaces one file at once; only several need their former files kept.
      if files.count > 1 {
        for file in files where try file.keepFormer() { kept.append(file) }
      }
      for file in files {
        guard rename(file.aside, file.path) == 0 else { throw file.failure(errno) }
        placed.append(file)
      }
    } catch {
      for file in placed where !kept.contains(file) { unlink(file.path) }
      let lost = kept.filter { !$0.restoreFormer() }
      discard()
      throw error.adding(lost)
    }
    for file in kept { unlink(file.former) }
    // Where a folder cannot be synced, a power cut may undo renames, but halve no file.
    for folder in Set((files.map(\.path) + made).map(enclosing)) { sync(folder) }
  }

  private func discard() {
    for file in files { unlink(file.aside) }
    for folder in made.reversed() { rmdir(folder) }
  }

  private mutating func make(_ path: String) throws(FileError) {
    guard !isFolder(path) else { return }
    let above = enclosing(path)
    if above != path { try make(above) }
    guard mkdir(path, 0o777) == 0 else {
      let found = errno == EEXIST ? "a file" : String(cString: strerror(errno))
      throw .folder(place: path, expected: "to make a folder", found: found)
    }
    made.append(path)
  }
}

extension FileContent {
  /// Where the file is written first.
  fileprivate var aside: String { path + ".partial" }
  /// Where the file that it replaces waits until all have taken their places.
  fileprivate var former: String { path + ".former" }

  fileprivate func failure(_ error: Int32) -> FileError {
    .file(
      place: path, expected: "to write \(bytes.count) bytes",
      found: String(cString: strerror(error)))
  }

  fileprivate func writeAside() throws(FileError) {
    // Said before the first file is renamed.
    guard !isFolder(path) else { throw failure(EISDIR) }
    guard let file = fopen(aside, "wb") else { throw failure(errno) }
    let written = fwrite(bytes, 1, bytes.count, file)
    guard written == bytes.count, fflush(file) == 0, fsync(fileno(file)) == 0 else {
      let error = errno
      fclose(file)
      throw failure(error)
    }
    // Some file systems say only now that they are full.
    guard fclose(file) == 0 else { throw failure(errno) }
  }

  /// Gives the file at `path` a second name; false where there is none.
  fileprivate func keepFormer() throws(FileError) -> Bool {
    // Left by a power cut.
    unlink(former)
    if link(path, former) == 0 { return true }
    guard errno != ENOENT else { return false }
    // A folder has no second name and must not be moved; some file systems know no second names.
    guard !isFolder(path) else { throw failure(EISDIR) }
    guard rename(path, former) == 0 else { throw failure(errno) }
    return true
  }

  /// Puts the file of ``keepFormer()`` back; false where it stays under its second name.
  fileprivate func restoreFormer() -> Bool {
    guard rename(former, path) == 0 else { return false }
    // Renaming one name of a file to another of the same file leaves both.
    unlink(former)
    return true
  }
}

extension FileError {
  /// This failure, and where the former content of files lies that could not be put back.
  fileprivate func adding(_ lost: [FileContent]) -> FileError {
    guard case .file(let place, let expected, let found) = self, !lost.isEmpty else { return self }
    let places = lost.map { "\($0.path) is now \($0.former)" }
    return .file(
      place: place, expected: expected, found: ([found] + places).joined(separator: "; "))
  }
}

private func enclosing(_ path: String) -> String {
  URL(fileURLWithPath: path).deletingLastPathComponent().relativePath
}

/// Waits until a folder's entries are on disk; a folder that cannot be opened is left.
private func sync(_ folder: String) {
  let descriptor = open(folder, O_RDONLY)
  guard descriptor >= 0 else { return }
  fsync(descriptor)
  close(descriptor)
}
