import Evaluation
import Foundation
import ModelExport
import ModelFixtures
import ModelFormat
import Testing

/// Models as C source, compiled beside the runtime and run without the loader.
@Suite struct CSourceTests {
  static let flags = [
    "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror", "-O1",
  ]

  @Test func generatedModelComputesTheReferencesScores() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    var (calls, includes, expected, sources) = ("", "", "", [String]())
    for seed in [2, 3, 5, 7, 11, 13, 17, 19] as [UInt64] {
      let model = RandomModels.model(seed: seed)
      let loaded = try SessionModel(model)
      let source = try CSource(model, stateBytes: loaded.stateBytes)
      try source.write(to: folder.path)
      sources.append("\(source.name).c")
      includes += "#include \"\(source.name).h\"\n"
      let input = RandomModels.input(for: model, seed: seed)
      calls += Self.call(source.name, input)
      var reference = try ReferenceSimulator(model)
      let scores = try reference.run(input).scores.map { "\($0)" }.joined(separator: " ")
      expected += "\(source.name) \(scores)\n"
    }
    try Self.main(includes: includes, calls: calls).write(
      to: folder.appendingPathComponent("main.c"), atomically: true, encoding: .utf8)

    let runtime = GoldenModelTests.root.appendingPathComponent("runtime-c").path
    let core = try FileManager.default.contentsOfDirectory(atPath: "\(runtime)/src")
      .filter { $0.hasSuffix(".c") }.map { "\(runtime)/src/\($0)" }
    let build = try Self.run(
      "gcc", Self.flags + ["-I\(runtime)/include", "-o", "program", "main.c"] + sources + core,
      in: folder)
    #expect(build.status == 0, "\(build.output)")
    guard build.status == 0 else { return }
    let outcome = try Self.run(folder.path + "/program", [], in: folder)
    #expect(outcome.status == 0 && outcome.output == expected)
  }

  /// C that presents `input` to the model and prints its scores.
  private static func call(_ name: String, _ input: InferenceInput) -> String {
    let macro = "SNN_MODEL_\(name.uppercased())"
    var lines = [
      "{", "static unsigned char memory[\(macro)_STATE_BYTES];", "struct snn *snn = NULL;",
      "assert(\(macro)_FLASH_BYTES > 0 && \(macro)_STEPS > 0 && \(macro)_INPUTS > 0);",
      "check(snn_init(&snn, &snn_model_\(name), memory, sizeof memory));",
    ]
    func frame(_ port: Int, _ values: [Int16]) -> String {
      let list = values.map { "\($0)" }.joined(separator: ", ")
      return "{ static const int16_t frame[] = {\(list)}; "
        + "check(snn_values_s16(snn, \(port), frame, \(values.count))); }"
    }
    for step in 0..<input.steps {
      for (index, port) in input.ports.enumerated() {
        switch port {
        case .held(let values): if step == 0 { lines.append(frame(index, values)) }
        case .frames(let frames): lines.append(frame(index, frames[step]))
        case .events(let events):
          lines += events[step].map { "(void)snn_event(snn, \(index), \($0));" }
        }
      }
      lines.append("check(snn_step(snn));")
    }
    return (lines + ["print(\"\(name)\", snn, \(macro)_CLASSES);", "}", ""])
      .joined(separator: "\n")
  }

  private static func main(includes: String, calls: String) -> String {
    """
    #include <assert.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include "snn/snn.h"
    \(includes)
    static void check(enum snn_status status)
    {
        if (status != SNN_OK) {
            printf("status %d\\n", (int)status);
            exit(1);
        }
    }
    static void print(const char *name, const struct snn *snn, uint32_t classes)
    {
        uint32_t count = 0;
        const int32_t *scores = snn_scores(snn, &count);
        assert(count == classes);
        printf("%s", name);
        for (uint32_t i = 0; i < count; i++) {
            printf(" %ld", (long)scores[i]);
        }
        printf("\\n");
    }
    int main(void)
    {
    \(calls)
    return 0;
    }

    """
  }

  private static func run(
    _ program: String, _ arguments: [String], in folder: URL
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.currentDirectoryURL = folder
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }
}
