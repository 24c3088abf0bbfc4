import Foundation

/// N-MNIST: digits seen by an event camera that makes three small movements.
public struct NMNISTDataset: Dataset {
  /// The name under which it was opened.
  public let name: String
  /// The digits.
  public let classNames = (0...9).map(String.init)
  /// Events of a 34 by 34 sensor with two polarities.
  public let input: DatasetInput
  private let folder: String
  private let fileExtension: String
  private let training: [NMNIST.Entry]
  private let test: [NMNIST.Entry]
  private let cut: ValidationCut

  /// The recordings `<index>.bs2` or `<index>.bin` in `folder`, split by its one `train*.txt` and
  /// one `test*.txt`; recordings are read when asked for.
  ///
  /// The default of 10 steps of 34 ms covers the longest recording, 336 ms, and cuts each of the
  /// three movements into three. Throws ``DatasetError`` where the lists are missing or bad, name
  /// an index in both parts, or a setting is out of range.
  public init(
    name: String, folder: String, steps: Int = 10, stepMicroseconds: Int = 34_000, seed: UInt64,
    validationFraction: Double = 1 / 8.0
  ) throws {
    guard (1...4096).contains(steps) else {
      throw DatasetError.badSetting(
        name: "steps", expected: "a number in 1...4096", found: "\(steps)")
    }
    guard (1...10_000_000).contains(stepMicroseconds) else {
      throw DatasetError.badSetting(
        name: "stepMicroseconds", expected: "a number in 1...10000000",
        found: "\(stepMicroseconds)")
    }
    guard let content = Self.content(of: folder) else {
      let found = Self.names(in: folder).prefix(5).joined(separator: ", ")
      throw DatasetError.unrecognisedFolder(
        path: folder, found: found.isEmpty ? "nothing" : found)
    }
    training = try NMNIST.readSplitList(path: content.trainList)
    test = try NMNIST.readSplitList(path: content.testList)
    let known = Set(training.map(\.index))
    if let shared = test.first(where: { known.contains($0.index) }) {
      throw DatasetError.overlappingSplits(
        train: content.trainList, test: content.testList, index: shared.index)
    }
    cut = try ValidationCut(count: training.count, fraction: validationFraction, seed: seed)
    self.name = name
    self.folder = folder
    fileExtension = content.fileExtension
    input = .events(NMNIST.sensor, stepMicroseconds: stepMicroseconds, steps: steps)
  }

  /// The number of recordings in `split`.
  public func count(in split: Split) -> Int {
    split == .test ? test.count : cut.indices(of: split).count
  }

  /// Reads the recording at `index`. Throws ``DatasetError`` where its file is missing or bad.
  /// Precondition: `index` is in 0..<count(in: split).
  public func sample(at index: Int, in split: Split) throws -> Sample {
    let entry = split == .test ? test[index] : training[cut.indices(of: split)[index]]
    let path = "\(folder)/\(entry.index).\(fileExtension)"
    return Sample(
      content: .recording(try NMNIST.readRecording(path: path)), label: entry.label)
  }

  /// Whether `folder` holds recordings and their two lists.
  static func isRecognised(folder: String) -> Bool { content(of: folder) != nil }

  private struct Content {
    let fileExtension: String
    let trainList: String
    let testList: String
  }

  /// The lists and the kind of recordings in `folder`; nil where they are not as expected.
  private static func content(of folder: String) -> Content? {
    let files = names(in: folder)
    let trainLists = files.filter { $0.hasPrefix("train") && $0.hasSuffix(".txt") }
    let testLists = files.filter { $0.hasPrefix("test") && $0.hasSuffix(".txt") }
    let kinds = ["bs2", "bin"].filter { kind in files.contains { $0.hasSuffix(".\(kind)") } }
    guard trainLists.count == 1, testLists.count == 1, let kind = kinds.first else { return nil }
    return Content(
      fileExtension: kind, trainList: "\(folder)/\(trainLists[0])",
      testList: "\(folder)/\(testLists[0])")
  }

  private static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }
}
