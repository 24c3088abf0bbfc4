/// Why a recipe, a checkpoint or a training run cannot go on.
public enum LearningError: Error, Equatable, CustomStringConvertible {
  /// A recipe has a key that means nothing there. `place` is the key path, `known` the keys it could be.
  case unknownKey(place: String, known: [String], nearest: String?)
  /// A recipe lacks a key that has no default.
  case missingKey(place: String, expected: String)
  /// A recipe's value, or a value handed to training, is out of range or of the wrong kind.
  case value(place: String, expected: String, found: String)
  /// A recipe is no YAML.
  case malformed(place: String, expected: String, found: String)
  /// An override is no `key.path=value`, or its path leads through a value.
  case override(place: String, expected: String, found: String)
  /// A checkpoint is truncated, altered or something else.
  case damagedCheckpoint(place: String, expected: String, found: String)
  /// A checkpoint is whole, but of another network or recipe.
  case foreignCheckpoint(place: String, expected: String, found: String)
  /// A file cannot be read or written; what was there before is intact.
  case file(place: String, expected: String, found: String)
  /// Training left the finite numbers. `place` names the parameter or layer, `quantity` what of it.
  case diverged(place: String, quantity: String, stage: String, epoch: Int, batch: Int)

  /// What is wrong, in one line: place, expected and found.
  public var description: String {
    switch self {
    case .unknownKey(let place, let known, let nearest):
      "recipe: unknown key \(place)" + (nearest.map { ", did you mean \($0)?" } ?? "")
        + "; known here: \(known.joined(separator: ", "))"
    case .missingKey(let place, let expected):
      "recipe: \(place) is missing; expected \(expected)"
    case .value(let place, let expected, let found):
      "\(place): expected \(expected), found \(found)"
    case .malformed(let place, let expected, let found):
      "recipe: \(place): expected \(expected), found \(found)"
    case .override(let place, let expected, let found):
      "override \(place): expected \(expected), found \(found)"
    case .damagedCheckpoint(let place, let expected, let found):
      "checkpoint \(place) is damaged: expected \(expected), found \(found); "
        + "use another checkpoint or train again"
    case .foreignCheckpoint(let place, let expected, let found):
      "checkpoint does not belong to this network or recipe: \(place): expected \(expected), "
        + "found \(found)"
    case .file(let place, let expected, let found):
      "\(place): expected \(expected), found \(found)"
    case .diverged(let place, let quantity, let stage, let epoch, let batch):
      "training diverged in stage \(stage), epoch \(epoch), batch \(batch): the \(quantity) of "
        + "\(place) is not finite; lower the learning rate, set clipNorm or raise the thresholds. "
        + "The last checkpoint is kept"
    }
  }
}
