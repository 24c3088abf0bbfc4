import Files
import ModelFormat

/// A device image as C source: a `const` struct whose bytes on a little-endian target are the
/// image, and which stays in flash.
///
/// Deterministic: the same image and name give the same text. The text is the same for every target.
public struct CSource: Equatable, Sendable {
  /// The stem of both files and the end of every symbol: lower-case letters, digits, underscores.
  public let name: String
  /// The content of `<name>.h`.
  public let header: String
  /// The content of `<name>.c`.
  public let implementation: String

  /// The source of an image; `name`: the stem, by default made from the model's name.
  public init(_ image: DeviceImage, name: String? = nil) {
    self.name = Self.identifier(name ?? image.name)
    let writer = CSourceWriter(image: image, stem: self.name)
    header = writer.header
    implementation = writer.implementation
  }

  /// `<name>.h` and `<name>.c` in `folder`.
  package func files(in folder: String) -> [FileContent] {
    [
      FileContent("\(folder)/\(name).h", Array(header.utf8)),
      FileContent("\(folder)/\(name).c", Array(implementation.utf8)),
    ]
  }

  /// A text as part of a C identifier; `model` where nothing of it is left.
  static func identifier(_ text: String) -> String {
    var stem = ""
    for character in text.lowercased() {
      if character.isASCII && (character.isLetter || character.isNumber) {
        stem.append(character)
      } else if !stem.isEmpty && stem.last != "_" {
        stem.append("_")
      }
    }
    while stem.last == "_" { stem.removeLast() }
    return stem.isEmpty ? "model" : stem
  }
}
