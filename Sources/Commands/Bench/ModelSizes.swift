import Evaluation
import Foundation

/// The bytes a kept model takes in a file and in memory.
struct ModelSize: Codable {
  var model: String
  var fileBytes: Int
  /// Memory of the loaded model, constant; of one network at work.
  var arenaBytes: Int
  var stateBytes: Int

  /// The sizes of `model.snnpb` in every folder of `folder` that has one, by name.
  static func all(in folder: String) throws -> [ModelSize] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return try names.sorted().compactMap { name in
      let path = "\(folder)/\(name)/model.snnpb"
      guard let data = FileManager.default.contents(atPath: path) else { return nil }
      do {
        let loaded = try SessionModel([UInt8](data))
        return ModelSize(
          model: name, fileBytes: data.count, arenaBytes: loaded.arenaBytes,
          stateBytes: loaded.stateBytes)
      } catch {
        throw CommandFailure("\(path): \(error)")
      }
    }
  }
}
