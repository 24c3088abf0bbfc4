import Foundation
import Testing

@testable import Files

/// Files are there in full or as they were before, whatever fails.
@Suite struct DurableWritingTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func content(_ name: String, _ text: String) -> FileContent {
    FileContent(folder.path(name), Array(text.utf8))
  }

  @Test func filesAndFoldersAppearAndNothingElse() throws {
    try folder.write("old", to: "a")
    try writeDurably(
      [content("a", "new"), content("deep/er/b", ""), content("deep/c", "c")],
      making: folder.path("deep/er"))
    #expect(folder.names == ["a", "deep", "deep/c", "deep/er", "deep/er/b"])
    #expect(try folder.text("a") == "new")
    #expect(try folder.text("deep/er/b") == "")
    #expect(try folder.text("deep/c") == "c")
  }

  @Test func nothingIsRenamedBeforeAllIsWritten() throws {
    try folder.write("old", to: "a")
    let replacement = try Replacement(
      writingAside: [content("a", "new"), content("b", "new")], making: nil)
    #expect(folder.names == ["a", "a.partial", "b.partial"])
    #expect(try folder.text("a") == "old")
    try replacement.commit()
    #expect(folder.names == ["a", "b"])
    #expect(try folder.text("a") == "new")
  }

  @Test func aFailedRenamePutsTheOthersBack() throws {
    try folder.write("old", to: "a")
    let files = [
      content("a", "new"), content("b", "new"), content("made/c", "new"), content("d", "new"),
    ]
    let replacement = try Replacement(writingAside: files, making: folder.path("made"))
    // A rename does not replace a folder.
    try FileManager.default.createDirectory(
      atPath: folder.path("d"), withIntermediateDirectories: false)
    try folder.write("precious", to: "d/e")
    #expect(throws: files[3].failure("Is a directory")) { try replacement.commit() }
    #expect(folder.names == ["a", "d", "d/e"])
    #expect(try folder.text("a") == "old")
    #expect(try folder.text("d/e") == "precious")
  }

  /// The file written aside is lost, so that the last rename itself fails.
  @Test(arguments: [true, false]) func aLostFilePutsTheOthersBack(_ isReplaced: Bool) throws {
    try folder.write("old", to: "a")
    if isReplaced { try folder.write("old", to: "b") }
    let files = [content("a", "new"), content("new", "new"), content("b", "new")]
    let replacement = try Replacement(writingAside: files, making: nil)
    try FileManager.default.removeItem(atPath: folder.path("b.partial"))
    #expect(throws: files[2].failure("No such file or directory")) { try replacement.commit() }
    #expect(folder.names == (isReplaced ? ["a", "b"] : ["a"]))
    for name in folder.names { #expect(try folder.text(name) == "old") }
  }

  @Test func aFullDiskLeavesEverythingAsItWas() throws {
    try folder.write("old", to: "a")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("b.partial"), withDestinationPath: "/dev/full")
    let files = [content("a", "new"), content("b", "new")]
    #expect(throws: files[1].failure("No space left on device")) {
      try writeDurably(files, making: folder.path("made/for/it"))
    }
    #expect(folder.names == ["a"])
    #expect(try folder.text("a") == "old")
  }

  @Test func whatIsInTheWayIsNamed() throws {
    try folder.write("old", to: "a")
    let inTheWay = FileError.folder(
      place: folder.path("a"), expected: "to make a folder", found: "a file")
    #expect(throws: inTheWay) { try makeFolder(folder.path("a")) }
    #expect(throws: inTheWay) { try makeFolder(folder.path("a/b/c")) }
    try makeFolder(folder.path("b/c"))
    try makeFolder(folder.path("b/c"))
    let file = content("b", "new")
    #expect(throws: file.failure("Is a directory")) { try writeDurably([file]) }
    #expect(folder.names == ["a", "b", "b/c"])
  }
}

extension FileContent {
  fileprivate func failure(_ reason: String) -> FileError {
    .file(place: path, expected: "to write \(bytes.count) bytes", found: reason)
  }
}
