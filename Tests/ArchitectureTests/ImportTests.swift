import Testing

/// Who may know whom: the rooms of Sources and the doors between them.
@Suite struct ImportTests {
  /// Part of every toolchain.
  private static let toolchain: Set = [
    "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Synchronization",
  ]

  /// What a module must not import, besides what its target does not declare.
  private static let closedDoors: [String: Set<String>] = [
    "Tensors": ["Datasets", "Learning", "ModelFormat", "Spiking"],
    "Datasets": ["Learning", "ModelFormat", "Spiking"],
    "Spiking": ["Datasets", "Learning", "ModelCompression", "ModelFormat"],
    "Learning": ["ModelCompression", "ModelExport", "ModelFormat"],
    "ModelCompression": ["Learning", "ModelExport", "ModelFormat"],
    "ModelFormat": ["Datasets", "Learning", "ModelCompression", "Spiking", "Tensors"],
    "ModelExport": ["Datasets", "Evaluation", "Learning"],
    "Evaluation": ["Learning", "ModelCompression", "Spiking", "Tensors"],
  ]
  /// Declarations that pass a closed door alone: a seeded generator is not arithmetic.
  private static let passages: Set = ["Evaluation: Tensors.RandomSource"]

  private let tree: SourceTree

  init() throws { tree = try SourceTree() }

  @Test func linesOfImportAreUnderstood() throws {
    func parts(_ line: String) throws -> [String?]? {
      try SourceTree.Import.all(in: line).first.map { [$0.module, $0.declaration] }
    }
    #expect(try parts("import Tensors") == ["Tensors", nil])
    #expect(try parts("@testable import Spiking") == ["Spiking", nil])
    #expect(try parts("  @preconcurrency public import Foundation") == ["Foundation", nil])
    #expect(try parts("import struct Tensors.RandomSource") == ["Tensors", "RandomSource"])
    #expect(try parts("@_spi(Test) import Learning") == ["Learning", nil])
    #expect(try parts("let imports = 3") == nil)
    #expect(try parts("important()") == nil)
  }

  @Test func everyImportIsDeclaredByItsTarget() throws {
    let package = try PackageDescription.read()
    for file in tree.files where file.isSwift {
      guard let target = package.target(of: file.path) else {
        Issue.record("\(file.path) belongs to no target")
        continue
      }
      let isTest = file.path.hasPrefix("Tests/")
      for module in try file.imports.map(\.module)
      where !Self.toolchain.contains(module) && !(isTest && module == "Testing") {
        #expect(
          target.dependencies.contains(module),
          "\(file.path) imports \(module), which target \(target.name) does not declare")
      }
    }
  }

  @Test func closedDoorsStayClosed() throws {
    for file in tree.sources {
      guard let closed = Self.closedDoors[file.room] else { continue }
      for line in try file.imports where closed.contains(line.module) {
        let passage = "\(file.room): \(line.module).\(line.declaration ?? "")"
        #expect(Self.passages.contains(passage), "\(file.path) imports \(line.module)")
      }
    }
  }

  @Test func floatNetworksMeetIntegerModelsOnlyInTheExport() throws {
    var rooms: [String: Set<String>] = [:]
    for file in tree.sources {
      rooms[file.room, default: []].formUnion(try file.imports.map(\.module))
    }
    let meeting = rooms.filter { $0.value.isSuperset(of: ["ModelFormat", "Spiking"]) }.keys
    #expect(meeting.contains("ModelExport"))
    #expect(Set(meeting).isSubset(of: ["Commands", "ModelExport"]))
  }

  @Test func onlyCommandsReadsArguments() throws {
    for file in tree.sources
    where try file.imports.contains(where: { $0.module == "ArgumentParser" }) {
      #expect(file.room == "Commands", "\(file.path)")
    }
  }

  @Test func onlyExecutablesImportCommands() throws {
    for file in tree.sources where try file.imports.contains(where: { $0.module == "Commands" }) {
      #expect(file.room.hasPrefix("snn-"), "\(file.path)")
    }
  }
}
