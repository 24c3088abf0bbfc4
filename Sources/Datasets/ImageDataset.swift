import Foundation

/// A set of labelled images in four IDX files, such as MNIST.
public struct ImageDataset: Dataset {
  /// The name under which it was opened.
  public let name: String
  /// The name of each class.
  public let classNames: [String]
  /// The shape of the images, one channel.
  public let input: DatasetInput
  /// nil where no split of the training part was asked for.
  private let training: IDX.Images?
  private let trainingLabels: [UInt8]
  /// nil where the test split was not asked for.
  private let test: IDX.Images?
  private let testLabels: [UInt8]
  /// nil where no split of the training part was asked for.
  private let cut: ValidationCut?
  private let survivesMirror: Bool

  /// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and their `t10k-` twins, each plain
  /// or with `.gz`, from `folder`.
  ///
  /// Only the images of `splits` are read and kept; labels are, of both parts. `classNames` nil = the numbers up to the largest training label. `survivesMirror` says whether
  /// a mirrored image keeps its class. Throws ``DatasetError`` where a file is missing or bad, or a
  /// label has no name.
  public init(
    name: String, folder: String, classNames: [String]? = nil, survivesMirror: Bool = false,
    splits: Set<Split> = Set(Split.allCases), seed: UInt64, validationFraction: Double = 1 / 12.0
  ) throws {
    func path(_ stem: String) throws -> String { try Self.file(stem, in: folder) }
    let labelsPath = try path("train-labels-idx1-ubyte")
    let imagesPath = try path("train-images-idx3-ubyte")
    let testImagesPath = try path("t10k-images-idx3-ubyte")
    let testLabelsPath = try path("t10k-labels-idx1-ubyte")
    (training, trainingLabels) = try Self.part(
      isWanted: !splits.isDisjoint(with: [.train, .validation]), imagesPath, labelsPath)
    (test, testLabels) = try Self.part(
      isWanted: splits.contains(.test), testImagesPath, testLabelsPath)
    guard let shape = training?.shape ?? test?.shape else {
      throw DatasetError.badSetting(name: "splits", expected: "at least one", found: "none")
    }
    if let test, test.shape != shape {
      throw DatasetError.shapeMismatch(
        path: testImagesPath, expected: "\(shape.height) by \(shape.width)",
        found: "\(test.shape.height) by \(test.shape.width)")
    }
    let largest = Int(trainingLabels.max() ?? 0)
    let names = classNames ?? (0...largest).map(String.init)
    for (labels, path) in [(trainingLabels, labelsPath), (testLabels, testLabelsPath)] {
      if let place = labels.firstIndex(where: { Int($0) >= names.count }) {
        throw DatasetError.badDimension(
          path: path, offset: 8 + place, expected: "a label below \(names.count)",
          found: Int(labels[place]))
      }
    }
    input = .values(shape)
    self.name = name
    self.classNames = names
    self.survivesMirror = survivesMirror
    cut = try training.map {
      try ValidationCut(count: $0.count, fraction: validationFraction, seed: seed)
    }
  }

  /// The number of images in `split`. Precondition: the set was opened for `split`.
  public func count(in split: Split) -> Int {
    split == .test ? testLabels.count : indices(of: split).count
  }

  /// The image at `index`; nothing is thrown. Precondition: the set was opened for `split`.
  public func sample(at index: Int, in split: Split) -> Sample {
    if split == .test {
      return Sample(content: .frame(Self.frame(index, of: test)), label: Int(testLabels[index]))
    }
    let stored = indices(of: split)[index]
    return Sample(
      content: .frame(Self.frame(stored, of: training)), label: Int(trainingLabels[stored]))
  }

  /// The stored positions of a split of the training part.
  private func indices(of split: Split) -> [Int] {
    guard let cut else { preconditionFailure("the set was not opened for \(split.rawValue)") }
    return cut.indices(of: split)
  }

  private static func frame(_ index: Int, of images: IDX.Images?) -> Frame {
    guard let images else { preconditionFailure("the set was not opened for this split") }
    return images.frame(at: index)
  }

  /// The images and labels of one part, or its labels alone.
  private static func part(
    isWanted: Bool, _ imagesPath: String, _ labelsPath: String
  ) throws -> (IDX.Images?, [UInt8]) {
    guard isWanted else { return (nil, try IDX.readLabels(path: labelsPath)) }
    return try IDX.readPair(imagesPath: imagesPath, labelsPath: labelsPath)
  }

  /// The label itself where images survive the mirror.
  public func mirroredLabel(_ label: Int) -> Int? { survivesMirror ? label : nil }

  /// The path of the file `stem`, plain or packed, in `folder`.
  private static func file(_ stem: String, in folder: String) throws -> String {
    for path in ["\(folder)/\(stem)", "\(folder)/\(stem).gz"]
    where FileManager.default.fileExists(atPath: path) {
      return path
    }
    throw DatasetError.unreadable(path: "\(folder)/\(stem)[.gz]", reason: "no such file")
  }

  /// Whether `folder` holds any of the four files.
  static func isRecognised(folder: String) -> Bool {
    (try? file("train-images-idx3-ubyte", in: folder)) != nil
  }
}
