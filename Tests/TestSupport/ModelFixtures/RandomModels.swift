import ModelFormat

import struct Tensors.RandomSource

/// Small valid models of every topology and parameter, and inputs for them: pure functions of a
/// seed.
///
/// A model has at most about 200 neurons. Over some thousand seeds every enum case of the format,
/// every granularity and the extremes of every limit occur.
public enum RandomModels {
  /// The valid model of a seed.
  public static func model(seed: UInt64) -> Model {
    var builder = RandomModelBuilder(random: RandomSource(seed: seed))
    return builder.build(name: "random \(seed)")
  }

  /// An input for `model`, the same for the same seed: of the model's default steps, or of a
  /// number within its largest.
  ///
  /// Events repeat and now and then lie outside their port; values reach both ends of the range.
  public static func input(for model: Model, seed: UInt64) -> InferenceInput {
    var random = RandomSource(seed: seed).split(1)
    let steps =
      random.integer(below: 4) == 0
      ? 1 + random.integer(below: min(model.maximumSteps, 12)) : min(model.steps, 12)
    let ports = model.inputs.map { port -> InferenceInput.Port in
      switch port.kind {
      case .events:
        return .events((0..<steps).map { _ in events(for: port, &random) })
      case .values(let minimum, let maximum, let framePerStep):
        let frames = (0..<(framePerStep ? steps : 1)).map { _ in
          frame(of: port.shape.count, minimum: minimum, maximum: maximum, &random)
        }
        return framePerStep ? .frames(frames) : .held(frames[0])
      }
    }
    return InferenceInput(steps: steps, ports: ports, seed: UInt32(truncatingIfNeeded: seed))
  }

  private static func events(for port: InputPort, _ random: inout RandomSource) -> [UInt32] {
    let count = [0, 1, 3, port.shape.count / 2, port.shape.count, 2 * port.shape.count]
    return (0..<count[random.integer(below: count.count)]).map { _ in
      let outside = random.integer(below: 40) == 0
      return UInt32(random.integer(below: port.shape.count) + (outside ? port.shape.count : 0))
    }
  }

  private static func frame(
    of count: Int, minimum: Int, maximum: Int, _ random: inout RandomSource
  ) -> [Int16] {
    (0..<count).map { _ in
      switch random.integer(below: 6) {
      case 0: return Int16(minimum)
      case 1: return Int16(maximum)
      case 2 where (minimum...maximum).contains(0): return 0
      default: return Int16(minimum + random.integer(below: maximum - minimum + 1))
      }
    }
  }
}
