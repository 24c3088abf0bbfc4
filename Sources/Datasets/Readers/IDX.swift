import Wiring

/// Reads the IDX files of MNIST and its relatives, plain or gzip.
///
/// Big-endian. Images: magic 0x00000803, count, rows, columns, then count * rows * columns bytes.
/// Labels: magic 0x00000801, count, then count bytes. Source: LeCun, Cortes and Burges, "The MNIST
/// database of handwritten digits", section "File formats".
public enum IDX {
  /// The frames of one file, all of one shape.
  public struct Images: Hashable, Sendable {
    /// The shape `[H, W, 1]` of every frame.
    public let shape: Shape
    /// The number of frames.
    public let count: Int
    /// `[count, H, W]`, values in 0...255.
    public let values: [UInt8]

    /// The frame at `index` in 0..<count.
    public func frame(at index: Int) -> Frame {
      precondition(index >= 0 && index < count, "frame \(index) is not in 0..<\(count)")
      let size = shape.count
      return Frame(shape: shape, values: Array(values[index * size..<(index + 1) * size]))
    }
  }

  /// The largest number of rows or columns taken for real.
  static let maximumSide = 1024

  /// The images in the file at `path`.
  ///
  /// Throws ``DatasetError`` where the file is unreadable, empty, of another kind, cut short,
  /// longer than its header says, holds no image, or states a side outside 1...1024.
  public static func readImages(path: String) throws -> Images {
    try images(in: FileBytes.read(path: path, expected: "IDX images"), path: path)
  }

  /// The labels in the file at `path`, each in 0...255. Throws as ``readImages(path:)``.
  public static func readLabels(path: String) throws -> [UInt8] {
    try labels(in: FileBytes.read(path: path, expected: "IDX labels"), path: path)
  }

  /// Images and their labels. Throws also where their numbers differ.
  public static func readPair(
    imagesPath: String, labelsPath: String
  ) throws -> (images: Images, labels: [UInt8]) {
    let images = try readImages(path: imagesPath)
    let labels = try readLabels(path: labelsPath)
    guard images.count == labels.count else {
      throw DatasetError.countMismatch(
        images: imagesPath, imageCount: images.count, labels: labelsPath, labelCount: labels.count)
    }
    return (images, labels)
  }

  /// Parses unpacked image bytes; `path` is only named in errors.
  static func images(in bytes: consuming [UInt8], path: String) throws -> Images {
    try checkMagic(bytes, expected: 0x0803, path: path)
    let count = try dimension(bytes, at: 4, within: 1...FileBytes.limit, path: path)
    let height = try dimension(bytes, at: 8, within: 1...maximumSide, path: path)
    let width = try dimension(bytes, at: 12, within: 1...maximumSide, path: path)
    // count * height * width < 2^28 * 2^10 * 2^10 = 2^48, so nothing overflows.
    try checkEnd(bytes, expected: 16 + count * height * width, path: path)
    // In place: a copy would double the memory of the largest sets.
    bytes.removeFirst(16)
    return Images(
      shape: Shape(channels: 1, height: height, width: width), count: count, values: bytes)
  }

  /// Parses unpacked label bytes; `path` is only named in errors.
  static func labels(in bytes: [UInt8], path: String) throws -> [UInt8] {
    try checkMagic(bytes, expected: 0x0801, path: path)
    let count = try dimension(bytes, at: 4, within: 1...FileBytes.limit, path: path)
    try checkEnd(bytes, expected: 8 + count, path: path)
    return Array(bytes[8...])
  }

  private static func checkMagic(_ bytes: [UInt8], expected: UInt32, path: String) throws {
    let found = try word(bytes, at: 0, path: path)
    guard found == expected else {
      throw DatasetError.wrongMagic(path: path, offset: 0, expected: expected, found: found)
    }
  }

  private static func dimension(
    _ bytes: [UInt8], at offset: Int, within limits: ClosedRange<Int>, path: String
  ) throws -> Int {
    let found = Int(try word(bytes, at: offset, path: path))
    guard limits.contains(found) else {
      throw DatasetError.badDimension(
        path: path, offset: offset,
        expected: "a number in \(limits.lowerBound)...\(limits.upperBound)", found: found)
    }
    return found
  }

  private static func checkEnd(_ bytes: [UInt8], expected: Int, path: String) throws {
    guard bytes.count >= expected else {
      throw DatasetError.truncated(path: path, expected: expected, found: bytes.count)
    }
    guard bytes.count == expected else {
      throw DatasetError.trailingBytes(
        path: path, offset: expected, found: bytes.count - expected)
    }
  }

  /// The big-endian word at `offset`.
  private static func word(_ bytes: [UInt8], at offset: Int, path: String) throws -> UInt32 {
    guard !bytes.isEmpty else { throw DatasetError.empty(path: path, expected: "an IDX file") }
    guard bytes.count >= offset + 4 else {
      throw DatasetError.truncated(path: path, expected: offset + 4, found: bytes.count)
    }
    return bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }
}
