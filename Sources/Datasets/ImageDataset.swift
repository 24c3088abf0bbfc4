import Foundation

/// A set of labelled images in four IDX files, such as MNIST.
public struct ImageDataset: Dataset {
  /// The name under which it was opened.
  public let name: String
  /// The name of each class.
  public let classNames: [String]
  private let training: IDX.Images
  private let trainingLabels: [UInt8]
  private let test: IDX.Images
  private let testLabels: [UInt8]
  private let cut: ValidationCut
  private let survivesMirror: Bool

  /// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and their `t10k-` twins, each plain
  /// or with `.gz`, from `folder`.
  ///
  /// `classNames` nil = the numbers up to the largest training label. `survivesMirror` says whether
  /// a mirrored image keeps its class. Throws ``DatasetError`` where a file is missing or bad, or a
  /// label has no name.
  public init(
    name: String, folder: String, classNames: [String]? = nil, survivesMirror: Bool = false,
    seed: UInt64, validationFraction: Double = 1 / 12.0
  ) throws {
    func path(_ stem: String) throws -> String { try Self.file(stem, in: folder) }
    let labelsPath = try path("train-labels-idx1-ubyte")
    (training, trainingLabels) = try IDX.readPair(
      imagesPath: path("train-images-idx3-ubyte"), labelsPath: labelsPath)
    let testImagesPath = try path("t10k-images-idx3-ubyte")
    let testLabelsPath = try path("t10k-labels-idx1-ubyte")
    (test, testLabels) = try IDX.readPair(
      imagesPath: testImagesPath, labelsPath: testLabelsPath)
    guard test.shape == training.shape else {
      throw DatasetError.shapeMismatch(
        path: testImagesPath, expected: "\(training.shape.height) by \(training.shape.width)",
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
    self.name = name
    self.classNames = names
    self.survivesMirror = survivesMirror
    cut = try ValidationCut(
      count: training.count, fraction: validationFraction, seed: seed)
  }

  /// The shape of the training images, one channel.
  public var input: DatasetInput { .values(training.shape) }

  /// The number of images in `split`.
  public func count(in split: Split) -> Int {
    split == .test ? test.count : cut.indices(of: split).count
  }

  /// The image at `index`; nothing is thrown.
  public func sample(at index: Int, in split: Split) -> Sample {
    if split == .test {
      return Sample(content: .frame(test.frame(at: index)), label: Int(testLabels[index]))
    }
    let stored = cut.indices(of: split)[index]
    return Sample(
      content: .frame(training.frame(at: stored)), label: Int(trainingLabels[stored]))
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
