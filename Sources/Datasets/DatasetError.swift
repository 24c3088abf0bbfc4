/// What can be wrong with a data set, its files or the request for it.
///
/// `description` is one line that names the place, what was expected, what was found, and what to
/// do.
public enum DatasetError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file at `path` cannot be read; `reason` is the system's.
  case unreadable(path: String, reason: String)
  /// The file at `path` has no bytes.
  case empty(path: String, expected: String)
  /// The file at `path` ends before byte `expected`; it has `found` bytes.
  case truncated(path: String, expected: Int, found: Int)
  /// The bytes at `offset` do not name the expected format.
  case wrongMagic(path: String, offset: Int, expected: UInt32, found: UInt32)
  /// A number in the header at `offset` is outside its limits.
  case badDimension(path: String, offset: Int, expected: String, found: Int)
  /// The content of `path` ends at byte `offset`, but bytes follow.
  case trailingBytes(path: String, offset: Int, found: Int)
  /// The compressed stream in `path` is broken near byte `offset`.
  case corruptCompression(path: String, offset: Int, reason: String)
  /// The size of `path` is not a whole number of events.
  case partialEvent(path: String, size: Int, eventBytes: Int)
  /// Images and labels differ in number.
  case countMismatch(images: String, imageCount: Int, labels: String, labelCount: Int)
  /// Frames of the training and the test part differ in size.
  case shapeMismatch(path: String, expected: String, found: String)
  /// The split list at `path` has a line that does not read as one.
  case badLine(path: String, line: Int, expected: String, found: String)
  /// The training and the test list both name the sample `index`.
  case overlappingSplits(train: String, test: String, index: Int)
  /// No data set has this name and no folder this path.
  case unknownDataset(name: String, known: [String])
  /// The data set `name` lives in files, but `SNN_DATA` does not say where.
  case dataFolderNotSet(name: String, known: [String])
  /// The folder of a data set is missing.
  case missingFolder(name: String, path: String)
  /// The files in the folder are not those of a known kind of data set.
  case unrecognisedFolder(path: String, found: String)
  /// A setting is outside its range.
  case badSetting(name: String, expected: String, found: String)

  /// One line for the person at the terminal.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      return "\(path): cannot be read (\(reason)); check the path and its permissions"
    case .empty(let path, let expected):
      return "\(path): expected \(expected), found an empty file; fetch it again"
    case .truncated(let path, let expected, let found):
      return "\(path): expected at least \(expected) bytes, found \(found); the file is cut short, "
        + "fetch it again"
    case .wrongMagic(let path, let offset, let expected, let found):
      return "\(path): byte \(offset): expected magic \(hexadecimal(expected)), found "
        + "\(hexadecimal(found)); this is another kind of file"
    case .badDimension(let path, let offset, let expected, let found):
      return
        "\(path): byte \(offset): expected \(expected), found \(found); the header is damaged, "
        + "fetch the file again"
    case .trailingBytes(let path, let offset, let found):
      return "\(path): byte \(offset): expected the end, found \(found) more bytes; the header and "
        + "the content disagree, fetch the file again"
    case .corruptCompression(let path, let offset, let reason):
      return "\(path): byte \(offset): expected a gzip stream, found damage (\(reason)); fetch the "
        + "file again"
    case .partialEvent(let path, let size, let eventBytes):
      return
        "\(path): expected a multiple of \(eventBytes) bytes, found \(size); the last event is "
        + "cut short, fetch the file again"
    case .countMismatch(let images, let imageCount, let labels, let labelCount):
      return "\(labels): expected \(imageCount) labels for the images of \(images), found "
        + "\(labelCount); the two files belong to different sets"
    case .shapeMismatch(let path, let expected, let found):
      return "\(path): expected frames of \(expected), found \(found); the files belong to "
        + "different sets"
    case .badLine(let path, let line, let expected, let found):
      return "\(path):\(line): expected \(expected), found '\(found)'; correct the line"
    case .overlappingSplits(let train, let test, let index):
      return "\(test): expected no index of \(train), found \(index); take it out of one list"
    case .unknownDataset(let name, let known):
      return "'\(name)': expected a folder or one of \(known.joined(separator: ", ")), found "
        + "neither; correct the name or the path"
    case .dataFolderNotSet(let name, let known):
      return "'\(name)': expected its files under $SNN_DATA, found SNN_DATA unset; set SNN_DATA to "
        + "the folder that holds \(name)/, or use one of \(known.joined(separator: ", "))"
    case .missingFolder(let name, let path):
      return "\(path): expected the folder of '\(name)', found none; set SNN_DATA to the folder "
        + "that holds \(name)/"
    case .unrecognisedFolder(let path, let found):
      return "\(path): expected the four IDX files of an image set, or event files with "
        + "train*.txt and test*.txt, found \(found); point at the folder that holds them"
    case .badSetting(let name, let expected, let found):
      return "\(name): expected \(expected), found \(found); correct the setting"
    }
  }
}

private func hexadecimal(_ word: UInt32) -> String {
  let digits = String(word, radix: 16)
  return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}
