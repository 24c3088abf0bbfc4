import Foundation
import SwiftProtobuf

/// Models as bytes and as files (FORMAT.md, `models/schema/snn_model.proto`).
public enum ModelFile {
  /// A model's bytes and how its weights stand in them.
  public struct Encoded: Equatable, Sendable {
    /// The content of a `.snnpb` file.
    public let bytes: [UInt8]
    /// Per projection, in order: the form of its weights and what others would cost.
    public let weights: [WeightEncoding]
  }

  /// The bytes of a valid model; the same model gives the same bytes.
  ///
  /// Weights take their smallest form, except those of the projections in `forms`, which take the
  /// form given there. Throws ``ModelError`` where the model is invalid or a form cannot hold the
  /// weights. Costs up to 24 packings of every weight matrix, half of them deflated.
  public static func encode(
    _ model: Model, forms: [Int: WeightForm] = [:]
  ) throws(ModelError) -> Encoded {
    try model.validate()
    var (message, weights) = (PBModel(model), [WeightEncoding]())
    for (index, projection) in model.projections.enumerated() {
      let encoded = try projection.weights.encoded(
        as: forms[index], at: model.place(ofProjection: index) + ".weights")
      message.projections[index].weights = encoded.message
      weights.append(encoded.encoding)
    }
    do {
      return Encoded(bytes: try message.fileBytes(), weights: weights)
    } catch {
      throw .malformed(place: "model", expected: "at most 2 GiB", found: "more")
    }
  }

  /// The valid model that `bytes` hold.
  ///
  /// Files of version 1.0 are read too. Throws ``ModelError`` on anything else: bytes that are cut or
  /// damaged, an unknown major version, any limit of FORMAT.md broken. Every size is checked before
  /// memory of that size is asked for; at most 2^26 weights are.
  public static func decode(_ bytes: [UInt8]) throws(ModelError) -> Model {
    var message: PBModel
    do {
      message = try PBModel(serializedBytes: bytes)
    } catch {
      let isCut = error as? BinaryDecodingError == .truncated
      throw .malformed(
        place: "file", expected: "a protobuf message",
        found: isCut ? "one that is cut short" : "other bytes")
    }
    switch message.formatMajor {
    case 1: try message.raiseFromVersion1()
    case UInt32(Model.formatVersion.major): try Checksum.check(bytes)
    default:
      throw .unsupportedVersion(
        place: "format_major", expected: "1 or \(Model.formatVersion.major)",
        found: "\(message.formatMajor)")
    }
    let model = try Model(message)
    try model.validate()
    return model
  }

  /// Reads the model of the file at `path`; throws ``ModelError``.
  public static func read(_ path: String) throws(ModelError) -> Model {
    let content: Data
    do {
      content = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw .fileFailure(
        place: path, expected: "a readable file", found: error.localizedDescription)
    }
    return try decode([UInt8](content))
  }

  /// Writes a model to `path` and reports how its weights stand there; throws ``ModelError``.
  ///
  /// Writes `path.partial` first and renames it, so that `path` never holds half a model.
  @discardableResult
  public static func write(
    _ model: Model, to path: String, forms: [Int: WeightForm] = [:]
  ) throws(ModelError) -> Encoded {
    let encoded = try encode(model, forms: forms)
    try replaceFile(path, with: encoded.bytes)
    return encoded
  }
}
