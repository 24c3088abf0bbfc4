import CZlib
import Foundation

/// The bytes of a file, decompressed where it is gzip.
enum FileBytes {
  /// The most bytes a file may unpack to; the largest known here, MNIST, needs 47 MB.
  static let limit = 1 << 28

  /// The content of the file at `path`, unpacked where it starts with the gzip magic `1f 8b`.
  ///
  /// Throws where the file is missing, empty, damaged, or unpacks to more than `limit` bytes.
  static func read(path: String, expected: String) throws -> [UInt8] {
    let raw = try readStored(path: path, expected: expected)
    guard raw.count >= 2 && raw[0] == 0x1f && raw[1] == 0x8b else { return raw }
    let content = try inflate(raw, path: path, limit: limit)
    guard !content.isEmpty else { throw DatasetError.empty(path: path, expected: expected) }
    return content
  }

  /// The content of the file at `path` as it is stored.
  static func readStored(path: String, expected: String) throws -> [UInt8] {
    // Read straight into its array: by way of Data the file would lie in memory twice.
    func unreadable(_ reason: String) -> DatasetError { .unreadable(path: path, reason: reason) }
    var info = stat()
    guard stat(path, &info) == 0 else {
      throw unreadable(errno == ENOENT ? "no such file" : String(cString: strerror(errno)))
    }
    guard info.st_mode & S_IFMT == S_IFREG, let file = fopen(path, "rb") else {
      throw unreadable("no readable file")
    }
    defer { fclose(file) }
    let size = Int(info.st_size)
    let content = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = fread(buffer.baseAddress, 1, size, file)
    }
    guard content.count == size else { throw unreadable("cut short while it was read") }
    guard !content.isEmpty else { throw DatasetError.empty(path: path, expected: expected) }
    return content
  }

  /// Unpacks one gzip member that fills `packed` to its last byte.
  static func inflate(_ packed: [UInt8], path: String, limit: Int) throws -> [UInt8] {
    guard packed.count <= limit else {
      throw DatasetError.badDimension(
        path: path, offset: 0, expected: "at most \(limit) bytes", found: packed.count)
    }
    var content: [UInt8] = []
    content.reserveCapacity(statedSize(of: packed, limit: limit))
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    var stream = z_stream()
    // 16 + 15: a gzip wrapper around the largest window.
    guard snn_inflate_init(&stream, 16 + 15) == Z_OK else {
      throw DatasetError.corruptCompression(path: path, offset: 0, reason: "zlib refused to start")
    }
    defer { inflateEnd(&stream) }
    var status = Z_OK
    try packed.withUnsafeBufferPointer { inputBuffer in
      // zlib's input pointer is mutable, though it never writes through it.
      stream.next_in = UnsafeMutablePointer(mutating: inputBuffer.baseAddress)
      stream.avail_in = UInt32(inputBuffer.count)
      while status == Z_OK {
        let produced = chunk.withUnsafeMutableBufferPointer { chunkBuffer in
          stream.next_out = chunkBuffer.baseAddress
          stream.avail_out = UInt32(chunkBuffer.count)
          status = CZlib.inflate(&stream, Z_NO_FLUSH)
          return chunkBuffer.count - Int(stream.avail_out)
        }
        content.append(contentsOf: chunk[..<produced])
        guard content.count <= limit else {
          throw DatasetError.badDimension(
            path: path, offset: 0, expected: "at most \(limit) unpacked bytes",
            found: content.count)
        }
      }
    }
    let consumed = packed.count - Int(stream.avail_in)
    guard status == Z_STREAM_END else {
      let reason = status == Z_BUF_ERROR ? "cut short" : "zlib status \(status)"
      throw DatasetError.corruptCompression(path: path, offset: consumed, reason: reason)
    }
    guard stream.avail_in == 0 else {
      throw DatasetError.trailingBytes(
        path: path, offset: consumed, found: Int(stream.avail_in))
    }
    return content
  }

  /// The unpacked size that a gzip trailer states, held to what its length can unpack to: memory
  /// asked for ahead, so that large content does not grow by doubling.
  private static func statedSize(of packed: [UInt8], limit: Int) -> Int {
    guard packed.count >= 18 else { return 0 }
    let stated = packed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    // Deflate packs at most 1032 bytes into one.
    return min(stated, limit, 1032 * packed.count)
  }
}
