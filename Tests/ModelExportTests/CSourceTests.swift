import Foundation
import ModelFixtures
import ModelFormat
import Testing
import Wiring

@testable import ModelExport

/// Images as C source: what a compiler makes of it is the image.
@Suite struct CSourceTests {
  static let flags = [
    "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-O1",
  ]

  @Test func compiledBytesAreTheImage() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    var (includes, writes, expected, sources) = ("", "", [UInt8](), [String]())
    for seed in 0..<200 as Range<UInt64> where sources.count < 8 {
      var model = RandomModels.model(seed: seed)
      for index in model.inputs.indices {
        if case .events = model.inputs[index].kind { model.inputs[index].kind = .events(.once) }
      }
      guard (try? model.validate()) != nil, let image = try? DeviceImage(model) else { continue }
      let source = CSource(image)
      try replaceFiles(source.files(in: folder.path), making: folder.path)
      for line in (source.header + source.implementation).split(separator: "\n") {
        #expect(line.count <= 100, "\(line)")
      }
      sources.append("\(source.name).c")
      includes += "#include \"\(source.name).h\"\n"
      writes +=
        "    fwrite(&snn_model_\(source.name), 1, sizeof snn_model_\(source.name), stdout);\n"
      expected += image.bytes
    }
    let program = "#include <stdio.h>\n\(includes)int main(void)\n{\n\(writes)    return 0;\n}\n"
    try Data(program.utf8).write(to: folder.appendingPathComponent("main.c"))
    let headers = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../runtime-c/include").path
    let build = try run(
      "gcc", Self.flags + ["-I\(headers)", "-o", "program", "main.c"] + sources, in: folder)
    #expect(build.isEmpty, "\(String(decoding: build, as: UTF8.self))")
    #expect(try run(folder.path + "/program", [], in: folder) == expected)
  }

  @Test func goldenSamplesPassTheSelfTestAndOthersDoNot() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    var (includes, calls, sources) = ("", "", [String]())
    for seed in 0..<200 as Range<UInt64> where sources.count < 16 {
      var model = RandomModels.model(seed: seed)
      for index in model.inputs.indices {
        if case .events = model.inputs[index].kind { model.inputs[index].kind = .events(.once) }
      }
      guard (try? model.validate()) != nil, let image = try? DeviceImage(model) else { continue }
      let (source, golden) = (CSource(image), try SelfTestSource(image, of: model))
      try replaceFiles(
        source.files(in: folder.path) + golden.files(in: folder.path), making: folder.path)
      sources += ["\(source.name).c", "\(golden.name).c"]
      includes += "#include \"\(source.name).h\"\n#include \"\(golden.name).h\"\n"
      calls += "    test(&snn_model_\(source.name).image, &snn_golden_\(source.name));\n"
    }
    let program = """
      #include <stdio.h>
      #include <stdlib.h>
      \(includes)
      static void test(const struct snn_image *image, const struct snn_golden *golden)
      {
          void *arena = malloc(image->arena_bytes);
          struct snn_golden other = *golden;
          other.digest ^= 1;
          if (snn_self_test(image, arena, image->arena_bytes, golden) != SNN_OK) exit(1);
          if (snn_self_test(image, arena, image->arena_bytes, &other) != SNN_ERROR_VALUE) exit(2);
          free(arena);
      }
      int main(void)
      {
      \(calls)    puts("passed");
          return 0;
      }

      """
    try Data(program.utf8).write(to: folder.appendingPathComponent("main.c"))
    let runtime = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../runtime-c").path
    let engine = try FileManager.default.contentsOfDirectory(atPath: runtime + "/firmware")
      .filter { $0.hasSuffix(".c") }.map { "\(runtime)/firmware/\($0)" }
    let build = try run(
      "gcc", Self.flags + ["-I\(runtime)/include", "-o", "program", "main.c"] + sources + engine,
      in: folder)
    #expect(build.isEmpty, "\(String(decoding: build, as: UTF8.self))")
    #expect(try run(folder.path + "/program", [], in: folder) == Array("passed\n".utf8))
  }

  @Test func anEngineWithoutWhatTheImageNeedsIsRefused() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = CSource(try Self.tiny(), name: "tiny")
    try replaceFiles(source.files(in: folder.path), making: folder.path)
    let headers = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../runtime-c/include").path
    func complaint(_ option: String) throws -> String {
      let flags = Self.flags + ["-Wundef", option, "-I\(headers)", "-c", "tiny.c"]
      return String(decoding: try run("gcc", flags, in: folder), as: UTF8.self)
    }
    #expect(try complaint("-DSNN_DEVICE_GENERAL=0") == "")
    #expect(try complaint("-DSNN_DEVICE_STREAMING=1") == "")
    #expect(
      try complaint("-DSNN_DEVICE_STREAMING=0").contains(
        "snn_model_tiny streams: build the engine without -DSNN_DEVICE_STREAMING=0"))
  }

  @Test func namesBecomeIdentifiers() {
    #expect(CSource.identifier("Fashion-MNIST (DIET) ü4") == "fashion_mnist_diet_4")
    #expect(CSource.identifier("·") == "model")
  }

  /// Events onto 10 neurons onto 10 scores.
  private static func tiny() throws -> DeviceImage {
    try DeviceImage(
      TinyModels.chain(
        input: InputPort(name: "in", shape: Shape(channels: 6), kind: .events(.once)),
        hidden: Population(
          name: "hidden", shape: Shape(channels: 10), kind: .lif(Population.LIF(threshold: 5))),
        first: Projection(
          name: "first", from: .input(0), to: 0, topology: .dense,
          weights: WeightMatrix(rows: 6, columns: 10, values: (0..<60).map { Int8($0 % 2) }))))
  }

  @Test func headerStatesNumbers() throws {
    let image = try Self.tiny()
    let source = CSource(image, name: "Tiny")
    #expect(source.name == "tiny")
    for (macro, value) in [
      ("ARENA_BYTES", image.arena.bytes), ("FLASH_BYTES", image.bytes.count), ("STEPS", 8),
      ("MAX_STEPS", 8), ("STEP_MICROSECONDS", 0), ("CLASSES", 10), ("INPUTS", 6),
      ("WORST_SYNOPS", 40),
    ] {
      #expect(source.header.contains("#define SNN_MODEL_TINY_\(macro) \(value)\n"), "\(macro)")
    }
    #expect(source == CSource(image, name: "Tiny"))
  }

  private func run(_ program: String, _ arguments: [String], in folder: URL) throws -> [UInt8] {
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
    return [UInt8](output)
  }
}
