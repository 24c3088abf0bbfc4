import Foundation

/// The folder of one run, `<name>-<n>`:
///
/// | file | content |
/// |---|---|
/// | `recipe.yaml` | the resolved recipe |
/// | `metrics.csv` | one row per epoch |
/// | `checkpoints/last.ckpt` | where to go on |
/// | `checkpoints/best-<stage>.ckpt` | each stage's best epoch |
public struct RunFolder: Hashable, Sendable {
  /// The folder.
  public let url: URL

  /// The resolved recipe.
  public var recipe: URL { url.appendingPathComponent("recipe.yaml") }
  /// One row per epoch.
  public var metrics: URL { url.appendingPathComponent("metrics.csv") }
  /// Where to go on.
  public var last: URL { checkpoints.appendingPathComponent("last.ckpt") }
  private var checkpoints: URL { url.appendingPathComponent("checkpoints") }

  /// The checkpoint of a stage's best epoch.
  public func best(ofStage stage: String) -> URL {
    checkpoints.appendingPathComponent("best-\(stage).ckpt")
  }

  /// Where a stage's checkpoints go.
  public func plan(forStage stage: String, everySeconds: Double = 300) -> CheckpointPlan {
    CheckpointPlan(last: last, best: best(ofStage: stage), everySeconds: everySeconds)
  }

  /// A folder that is there already; throws where it holds no run.
  public init(existing url: URL) throws {
    self.url = url
    guard FileManager.default.fileExists(atPath: recipe.path) else {
      throw LearningError.file(
        place: url.path, expected: "a run's folder with recipe.yaml", found: "none")
    }
  }

  private init(url: URL) { self.url = url }

  /// Makes the folder of a new run at a place of the caller's choice; throws where a run is there already.
  public static func create(for recipe: Recipe, at url: URL) throws -> RunFolder {
    let folder = RunFolder(url: url)
    guard !FileManager.default.fileExists(atPath: folder.recipe.path) else {
      throw LearningError.file(
        place: url.path, expected: "no run there yet, or to resume it", found: "a run's recipe.yaml"
      )
    }
    try DurableFile.makeFolder(url)
    try DurableFile.makeFolder(folder.checkpoints)
    try DurableFile.write(Data(recipe.yaml().utf8), to: folder.recipe)
    return folder
  }

  /// Makes the folder of a new run in `root`, numbered after the last of its name, and stores the recipe.
  public static func create(for recipe: Recipe, in root: URL) throws -> RunFolder {
    let manager = FileManager.default
    do {
      try DurableFile.makeFolder(root)
      var number = (numbers(of: recipe.name, in: root).max() ?? 0) + 1
      while true {
        let folder = RunFolder(url: root.appendingPathComponent("\(recipe.name)-\(number)"))
        // Making the folder is what claims the number: two runs may start at once.
        if mkdir(folder.url.path, 0o755) != 0 {
          guard errno == EEXIST else {
            throw LearningError.file(
              place: folder.url.path, expected: "to make a folder",
              found: String(cString: strerror(errno)))
          }
          number += 1
          continue
        }
        try manager.createDirectory(at: folder.checkpoints, withIntermediateDirectories: false)
        try DurableFile.write(Data(recipe.yaml().utf8), to: folder.recipe)
        return folder
      }
    } catch let error as LearningError {
      throw error
    } catch {
      throw LearningError.file(
        place: root.path, expected: "to make a folder", found: DurableFile.reason(error))
    }
  }

  /// The newest run in `root`, of `name` where given: the highest number of a name, the latest recipe
  /// among names.
  public static func newest(named name: String? = nil, in root: URL) -> RunFolder? {
    let entries =
      (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
    let runs = entries.compactMap { entry -> (folder: RunFolder, date: Date, number: Int)? in
      guard let dash = entry.lastIndex(of: "-"),
        let number = Int(entry[entry.index(after: dash)...]),
        name.map({ entry[..<dash] == $0 }) ?? true,
        let folder = try? RunFolder(existing: root.appendingPathComponent(entry))
      else { return nil }
      let attributes = try? FileManager.default.attributesOfItem(atPath: folder.recipe.path)
      return (folder, attributes?[.modificationDate] as? Date ?? .distantPast, number)
    }
    return runs.max {
      name == nil ? ($0.date, $0.number) < ($1.date, $1.number) : $0.number < $1.number
    }?.folder
  }

  private static func numbers(of name: String, in root: URL) -> [Int] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
    return entries.compactMap { entry in
      entry.hasPrefix(name + "-") ? Int32(entry.dropFirst(name.count + 1)).map(Int.init) : nil
    }
  }

  /// The stored recipe.
  public func readRecipe() throws -> Recipe {
    try Recipe(
      yaml: String(decoding: DurableFile.read(recipe), as: UTF8.self), place: recipe.path)
  }

  // MARK: Metrics

  /// Appends an epoch to `metrics.csv`, whose header names the spiking layers. Epochs count from 1.
  public func append(_ epoch: EpochMetrics, layers: [String]) throws {
    var text = ""
    if !FileManager.default.fileExists(atPath: metrics.path) {
      text =
        "stage,epoch,step,learningRate,trainingLoss,trainingAccuracy,validationLoss,"
        + "validationAccuracy," + layers.map { "rate_\($0)" }.joined(separator: ",")
        + ",sparsity,seconds\n"
    }
    let rates = epoch.validation.samples > 0 ? epoch.validation.rates : epoch.trainingRates
    let numbers: [Double] =
      [
        epoch.learningRate, epoch.trainingLoss, epoch.trainingAccuracy, epoch.validation.loss,
        epoch.validation.accuracy,
      ] + rates + [epoch.sparsity, epoch.seconds]
    text += "\(epoch.stage),\(epoch.epoch + 1),\(epoch.step),"
    text += numbers.map { String(format: "%.6g", $0) }.joined(separator: ",") + "\n"
    do {
      if FileManager.default.fileExists(atPath: metrics.path) {
        let handle = try FileHandle(forWritingTo: metrics)
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.synchronize()
      } else {
        try DurableFile.write(Data(text.utf8), to: metrics)
      }
    } catch let error as LearningError {
      throw error
    } catch {
      throw LearningError.file(
        place: metrics.path, expected: "to append a row", found: DurableFile.reason(error))
    }
  }

  /// Drops the rows that lie beyond a checkpoint, and a row that was cut off, before training goes on.
  public func truncateMetrics(to position: Checkpoint.Position) throws {
    guard FileManager.default.fileExists(atPath: metrics.path) else { return }
    let text = String(decoding: try DurableFile.read(metrics), as: UTF8.self)
    // Without the last piece: it is empty, or a row cut off.
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    let prefix = "\(position.stageName),"
    // Earlier stages' rows, then this stage's epochs that the checkpoint knows.
    // The first line is the header, whose first word a stage may share.
    let first = lines.dropFirst().firstIndex { $0.hasPrefix(prefix) } ?? lines.endIndex
    let kept = lines[..<first] + lines[first...].prefix(position.epoch)
    try DurableFile.write(Data(kept.map { $0 + "\n" }.joined().utf8), to: metrics)
  }
}
