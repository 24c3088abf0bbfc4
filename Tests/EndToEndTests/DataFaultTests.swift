import Foundation
import Testing

/// Data sets that are missing, damaged or of another kind than the model.
@Suite struct DataFaultTests {
  /// The line of `snn-run` on a data set.
  private func refusal(
    of data: String, in folder: ScratchFolder, environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let outcome = try Command.run.run(
      "model.snnpb", "--data", data, in: folder, environment: environment)
    return outcome.failure(of: .run, sourceLocation: sourceLocation)
  }

  @Test func missingData() throws {
    let folder = try TinyTask.trained()
    #expect(
      try refusal(of: "mnist", in: folder)
        == "'mnist': expected its files under $SNN_DATA, found SNN_DATA unset; set SNN_DATA to the "
        + "folder that holds mnist/, or use one of cue-memory, moving-shapes")
    try FileManager.default.createDirectory(
      at: folder.url("empty/nmnist"), withIntermediateDirectories: true)
    let environment = ["SNN_DATA": folder.path("empty")]
    #expect(
      try refusal(of: "mnist", in: folder, environment: environment)
        == "\(folder.path("empty/mnist")): expected the folder of 'mnist', found none; set SNN_DATA "
        + "to the folder that holds mnist/")
    #expect(
      try refusal(of: "nmnist", in: folder, environment: environment)
        .hasPrefix("\(folder.path("empty/nmnist")): expected the four IDX files of an image set"))
    #expect(
      try refusal(of: "minst", in: folder, environment: environment)
        .hasPrefix("'minst': expected a folder or one of cue-memory, moving-shapes, "))
  }

  @Test func damagedFilesAreNamed() throws {
    let images = "t10k-images-idx3-ubyte"
    let labels = "t10k-labels-idx1-ubyte"
    let whole = TinyTask.images((0..<30).map { UInt8($0 % 3) })
    let changes: [(file: String, bytes: [UInt8], words: String)] = [
      (labels, TinyTask.labels([0, 1, 2]), "expected 30 labels for the images of"),
      (labels, TinyTask.labels(Array(repeating: 9, count: 30)), "expected a label below 3"),
      (labels, [], "found an empty file"), (images, Array(whole.dropLast(7)), "is cut short"),
      (images, whole + [1], "expected the end, found 1 more bytes"),
      (images, Array("hello world, this is text".utf8), "expected magic 0x00000803"),
      // A gzip header and nothing that unpacks.
      (images, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff], "expected a gzip stream"),
      // A trailer that states 4 GiB.
      (
        images, [0x1f, 0x8b, 8] + [UInt8](repeating: 0, count: 40) + [0xff, 0xff, 0xff, 0xff],
        "expected a gzip stream"
      ),
    ]
    for (file, bytes, words) in changes {
      let folder = try TinyTask.trained()
      try folder.write(bytes, to: "bars/\(file)")
      let line = try refusal(of: "bars", in: folder)
      #expect(line.hasPrefix("bars/\(file)") && line.contains(words), "\(line)")
    }
    let folder = try TinyTask.trained()
    folder.remove("bars/\(labels)")
    #expect(
      try refusal(of: "bars", in: folder)
        == "bars/\(labels)[.gz]: cannot be read (no such file); check the path and its permissions")
  }

  @Test func theTestSplitNeedsNoTrainingImages() throws {
    let folder = try TinyTask.trained()
    try folder.write(Array("no images".utf8), to: "bars/train-images-idx3-ubyte")
    let outcome = try Command.run.run("model.snnpb", "--data", "bars", in: folder)
    #expect(outcome.code == 0, "\(outcome.errors)")
    let other = try Command.run.run(
      "model.snnpb", "--data", "bars", "--split", "train", in: folder)
    #expect(other.failure(of: .run).contains("train-images-idx3-ubyte"))
  }

  @Test func dataThatDoesNotFitTheModel() throws {
    let folder = try TinyTask.trained()
    #expect(
      try refusal(of: "moving-shapes", in: folder)
        == "model.snnpb on moving-shapes: inputs[0] \"input\": expected a frame, found a recording")
    for stem in ["train", "t10k"] {
      let images = TinyTask.images(Array(repeating: 1, count: 9), side: 5)
      try folder.write(images, to: "small/\(stem)-images-idx3-ubyte")
      try folder.write(
        TinyTask.labels(Array(repeating: 1, count: 9)), to: "small/\(stem)-labels-idx1-ubyte")
    }
    for command in [Command.run, .check] {
      let line = try command.run("model.snnpb", "--data", "small", in: folder).failure(of: command)
      #expect(line.hasPrefix("model.snnpb on small: inputs[0] \"input\": expected "), "\(line)")
      #expect(line.contains("5"), "\(line)")
    }
  }
}
