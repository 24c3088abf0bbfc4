import Foundation
import Testing

/// Boards on which a model cannot run. A folder `targets` with a `run` of our own stands in for the emulators.
@Suite struct BoardFaultTests {
  /// A trained folder whose `targets/run` lists two boards and ends with `code` on every one but `roomy`.
  private func folder(code: Int) throws -> ScratchFolder {
    let folder = try TinyTask.trained()
    try folder.write(
      """
      #!/bin/sh
      if [ "$1" = --list ]; then echo small; echo roomy; exit 0; fi
      echo "$1: no room" >&2
      if [ $1 = roomy ]; then exit 77; fi
      exit \(code)

      """, to: "targets/run")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: folder.path("targets/run"))
    return folder
  }

  private func check(
    _ targets: String..., in folder: ScratchFolder, environment: [String: String] = [:]
  ) throws -> Outcome {
    let arguments = ["model.snnpb", "--data", "bars", "--limit", "1", "--json"]
    return try Command.check.run(
      arguments + targets.flatMap { ["--target", $0] }, in: folder,
      environment: ["SNN_REQUIRE_TOOLS": "0"].merging(environment) { $1 })
  }

  private func skipped(_ outcome: Outcome) throws -> [String?] {
    let reports = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return try #require(reports as? [[String: Any]]).map { $0["skipped"] as? String }
  }

  @Test func aNamedBoardMustHoldTheModel() throws {
    let folder = try folder(code: 76)
    let named = try check("small", "roomy", in: folder)
    #expect(named.failure(of: .check) == "expected to run on small, found it left out")
    #expect(try skipped(named) == ["small: no room", "roomy: no room"])
    let all = try check("all", in: folder)
    #expect(all.code == 0, "\(all)")
    #expect(try skipped(all) == ["small: no room", "roomy: no room"])
  }

  @Test func aMissingToolLeavesABoardOutUnlessToolsAreRequired() throws {
    let folder = try folder(code: 77)
    #expect(try check("small", in: folder).code == 0)
    for target in ["small", "all"] {
      let required = try check(target, in: folder, environment: ["SNN_REQUIRE_TOOLS": "1"])
      #expect(required.failure(of: .check).hasPrefix("expected to run on small"))
      #expect(try skipped(required).contains("small: no room"))
    }
  }

  @Test func aMissingPythonIsNamed() throws {
    let folder = try folder(code: 77)
    try folder.write("#!/usr/bin/env no-python3-here\n", to: "targets/run")
    let line = try check("small", in: folder).failure(of: .check)
    #expect(line.hasSuffix("targets/run: python3 not found; it comes with: python3"), "\(line)")
  }
}
