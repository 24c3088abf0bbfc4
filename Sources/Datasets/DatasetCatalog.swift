import Foundation

/// Opens data sets by name or by folder.
public enum DatasetCatalog {
  /// What a caller may choose about a data set; nil = the set's own default.
  public struct Options: Hashable, Sendable {
    /// Determines the validation cut, and all of a synthetic set.
    public var seed: UInt64 = 1
    /// The part of the official training samples kept for validation, 0..<1; default 1/12 for
    /// images, 1/8 for N-MNIST. Not for synthetic sets.
    public var validationFraction: Double?
    /// The splits whose samples will be read; default all. Images of others are not loaded.
    public var splits: Set<Split> = Set(Split.allCases)
    /// The number of steps of an event set, T.
    public var steps: Int?
    /// The length of a step of an event set in microseconds.
    public var stepMicroseconds: Int?
    /// The number of training samples of a synthetic set.
    public var trainCount: Int?
    /// The number of validation samples of a synthetic set.
    public var validationCount: Int?
    /// The number of test samples of a synthetic set.
    public var testCount: Int?

    /// Every default, seed 1.
    public init() {}
  }

  /// The names of sets that need no files.
  public static let builtInNames = ["cue-memory", "moving-shapes"]
  /// The names of sets whose files lie in folders of those names under `SNN_DATA`.
  public static let fileNames = ["fashion_mnist", "mnist", "nmnist"]

  /// The data set called `name`, or the one in the folder `name`.
  ///
  /// `environment` is where `SNN_DATA` is looked up. A folder is recognised by what lies in it: the
  /// four IDX files of an image set, or recordings with their split lists. Throws ``DatasetError``
  /// where there is no such set, its files are missing or bad, or an option is out of range.
  public static func open(
    _ name: String, environment: [String: String], options: Options = Options()
  ) throws -> any Dataset {
    if name == "moving-shapes" { return try movingShapes(options) }
    if name == "cue-memory" { return try cueMemory(options) }
    if fileNames.contains(name) {
      guard let root = environment["SNN_DATA"], !root.isEmpty else {
        throw DatasetError.dataFolderNotSet(name: name, known: builtInNames)
      }
      let folder = "\(root)/\(name)"
      guard isFolder(folder) else {
        throw DatasetError.missingFolder(name: name, path: folder)
      }
      return try openFolder(folder, name: name, options)
    }
    guard isFolder(name) else {
      throw DatasetError.unknownDataset(name: name, known: builtInNames + fileNames)
    }
    return try openFolder(
      name, name: URL(fileURLWithPath: name).standardizedFileURL.lastPathComponent, options)
  }

  private static func openFolder(
    _ folder: String, name: String, _ options: Options
  ) throws -> any Dataset {
    if ImageDataset.isRecognised(folder: folder) {
      return try ImageDataset(
        name: name, folder: folder, classNames: classNames[name],
        survivesMirror: name == "fashion_mnist", splits: options.splits, seed: options.seed,
        validationFraction: options.validationFraction ?? 1 / 12.0)
    }
    return try NMNISTDataset(
      name: name, folder: folder, steps: options.steps ?? 10,
      stepMicroseconds: options.stepMicroseconds ?? 34_000, seed: options.seed,
      validationFraction: options.validationFraction ?? 1 / 8.0)
  }

  private static func movingShapes(_ options: Options) throws -> MovingShapes {
    let settings = try chosen(options, beside: MovingShapes.Settings(), steps: 1...4096)
    let length = settings.stepMicroseconds
    guard (4...10_000_000).contains(length) && length % 4 == 0 else {
      throw DatasetError.badSetting(
        name: "stepMicroseconds", expected: "a multiple of 4 in 4...10000000", found: "\(length)")
    }
    return MovingShapes(seed: options.seed, settings: settings)
  }

  private static func cueMemory(_ options: Options) throws -> CueMemory {
    let settings = try chosen(
      options, beside: CueMemory.Settings(), steps: CueMemory.delay + 1...4096)
    guard (1...10_000_000).contains(settings.stepMicroseconds) else {
      throw DatasetError.badSetting(
        name: "stepMicroseconds", expected: "a number in 1...10000000",
        found: "\(settings.stepMicroseconds)")
    }
    return CueMemory(seed: options.seed, settings: settings)
  }

  /// What a caller chose of a synthetic set, the set's defaults for the rest. The step's length is the
  /// set's own to check.
  private static func chosen<Settings: SyntheticSettings>(
    _ options: Options, beside defaults: Settings, steps: ClosedRange<Int>
  ) throws -> Settings {
    var settings = defaults
    settings.trainCount = options.trainCount ?? settings.trainCount
    settings.validationCount = options.validationCount ?? settings.validationCount
    settings.testCount = options.testCount ?? settings.testCount
    settings.steps = options.steps ?? settings.steps
    settings.stepMicroseconds = options.stepMicroseconds ?? settings.stepMicroseconds
    let counts = [settings.trainCount, settings.validationCount, settings.testCount]
    guard counts.allSatisfy({ $0 >= 0 }) else {
      throw DatasetError.badSetting(
        name: "the number of samples", expected: "0 or more", found: "\(counts)")
    }
    guard steps.contains(settings.steps) else {
      throw DatasetError.badSetting(
        name: "steps", expected: "a number in \(steps)", found: "\(settings.steps)")
    }
    return settings
  }

  private static func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      && isDirectory.boolValue
  }

  private static let classNames: [String: [String]] = [
    "mnist": (0...9).map(String.init),
    "fashion_mnist": [
      "t-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
      "ankle boot",
    ],
  ]
}

/// The sizes that every synthetic set has.
private protocol SyntheticSettings {
  var trainCount: Int { get set }
  var validationCount: Int { get set }
  var testCount: Int { get set }
  var steps: Int { get set }
  var stepMicroseconds: Int { get set }
}

extension MovingShapes.Settings: SyntheticSettings {}
extension CueMemory.Settings: SyntheticSettings {}
