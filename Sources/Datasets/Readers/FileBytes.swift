import CZlib
import Foundation

/// The bytes of a file, decompressed where it is gzip.
enum FileBytes {
  /// The most bytes a file may unpack to; the largest known here, MNIST, needs 47 MB.
  static let limit = 1 << 28

  /// The content of the file at `path`, unpacked where it starts with the gzip magic `1f 8b`.
  ///
  /// Packed bytes are read piece by piece: only the content lies in memory. Throws where the file is
  /// missing, empty, damaged, or unpacks to more than `limit` bytes.
  static func read(path: String, expected: String) throws -> [UInt8] {
    try withFile(path, expected: expected) { file, size in
      var start = [UInt8](repeating: 0, count: min(size, 2))
      guard fread(&start, 1, start.count, file) == start.count, start == [0x1f, 0x8b] else {
        return try content(of: file, size: size, path: path)
      }
      var trailer = [UInt8](repeating: 0, count: 4)
      fseek(file, -4, SEEK_END)
      fread(&trailer, 1, 4, file)
      rewind(file)
      let content = try inflate(
        size: size, trailer: trailer, path: path, limit: limit
      ) { fread(&$0, 1, $0.count, file) }
      guard !content.isEmpty else { throw DatasetError.empty(path: path, expected: expected) }
      return content
    }
  }

  /// The content of the file at `path` as it is stored.
  static func readStored(path: String, expected: String) throws -> [UInt8] {
    try withFile(path, expected: expected) { try content(of: $0, size: $1, path: path) }
  }

  /// Opens a file that is there, regular and not empty.
  private static func withFile<Result>(
    _ path: String, expected: String, _ body: (UnsafeMutablePointer<FILE>, Int) throws -> Result
  ) throws -> Result {
    var info = stat()
    guard stat(path, &info) == 0 else {
      let reason = errno == ENOENT ? "no such file" : String(cString: strerror(errno))
      throw DatasetError.unreadable(path: path, reason: reason)
    }
    guard info.st_mode & S_IFMT == S_IFREG, let file = fopen(path, "rb") else {
      throw DatasetError.unreadable(path: path, reason: "no readable file")
    }
    defer { fclose(file) }
    guard info.st_size > 0 else { throw DatasetError.empty(path: path, expected: expected) }
    return try body(file, Int(info.st_size))
  }

  /// Read straight into its array: by way of Data a file would lie in memory twice.
  private static func content(
    of file: UnsafeMutablePointer<FILE>, size: Int, path: String
  ) throws -> [UInt8] {
    rewind(file)
    let content = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = fread(buffer.baseAddress, 1, size, file)
    }
    guard content.count == size else {
      throw DatasetError.unreadable(path: path, reason: "cut short while it was read")
    }
    return content
  }

  /// Unpacks one gzip member that fills `packed` to its last byte.
  static func inflate(_ packed: [UInt8], path: String, limit: Int) throws -> [UInt8] {
    var rest = packed[...]
    return try inflate(
      size: packed.count, trailer: packed.suffix(4), path: path, limit: limit
    ) { piece in
      let part = rest.prefix(piece.count)
      rest = rest.dropFirst(part.count)
      for (index, byte) in part.enumerated() { piece[index] = byte }
      return part.count
    }
  }

  /// Unpacks one gzip member of `size` bytes that ends in `trailer`; `next` fills a piece and says how far,
  /// 0 at the end.
  private static func inflate(
    size: Int, trailer: some Collection<UInt8>, path: String, limit: Int,
    next: (inout [UInt8]) -> Int
  ) throws -> [UInt8] {
    guard size <= limit else {
      throw DatasetError.badDimension(
        path: path, offset: 0, expected: "at most \(limit) bytes", found: size)
    }
    var content: [UInt8] = []
    content.reserveCapacity(statedSize(trailer, packed: size, limit: limit))
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    var (filled, position, read) = (0, 0, 0)
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    var stream = z_stream()
    // 16 + 15: a gzip wrapper around the largest window.
    guard snn_inflate_init(&stream, 16 + 15) == Z_OK else {
      throw DatasetError.corruptCompression(path: path, offset: 0, reason: "zlib refused to start")
    }
    defer { inflateEnd(&stream) }
    var status = Z_OK
    while status == Z_OK {
      if position == filled {
        (filled, position) = (next(&piece), 0)
        read += filled
      }
      let produced = piece.withUnsafeMutableBufferPointer { input in
        chunk.withUnsafeMutableBufferPointer { output in
          stream.next_in = input.baseAddress.map { $0 + position }
          stream.avail_in = UInt32(filled - position)
          stream.next_out = output.baseAddress
          stream.avail_out = UInt32(output.count)
          // With no input left this says Z_BUF_ERROR: the file ends too early.
          status = CZlib.inflate(&stream, Z_NO_FLUSH)
          position = filled - Int(stream.avail_in)
          return output.count - Int(stream.avail_out)
        }
      }
      content.append(contentsOf: chunk[..<produced])
      guard content.count <= limit else {
        throw DatasetError.badDimension(
          path: path, offset: 0, expected: "at most \(limit) unpacked bytes",
          found: content.count)
      }
    }
    let consumed = read - (filled - position)
    guard status == Z_STREAM_END else {
      let reason = status == Z_BUF_ERROR ? "cut short" : "zlib status \(status)"
      throw DatasetError.corruptCompression(path: path, offset: consumed, reason: reason)
    }
    guard consumed == size else {
      throw DatasetError.trailingBytes(path: path, offset: consumed, found: size - consumed)
    }
    return content
  }

  /// The unpacked size that a gzip trailer states, held to what its length can unpack to: memory
  /// asked for ahead, so that large content does not grow by doubling.
  private static func statedSize(
    _ trailer: some Collection<UInt8>, packed: Int, limit: Int
  ) -> Int {
    guard packed >= 18 else { return 0 }
    let stated = trailer.reversed().reduce(0) { $0 << 8 | Int($1) }
    // Deflate packs at most 1032 bytes into one.
    return min(stated, limit, 1032 * packed)
  }
}
