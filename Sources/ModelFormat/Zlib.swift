import CZlib

/// zlib streams of whole byte arrays (RFC 1950).
enum Zlib {
  /// `bytes` as one zlib stream at the best level; the same bytes give the same stream for one
  /// version of zlib.
  static func deflated(_ bytes: [UInt8]) -> [UInt8] {
    var size = compressBound(UInt(bytes.count))
    var stream = [UInt8](repeating: 0, count: Int(size))
    let status = compress2(&stream, &size, bytes, UInt(bytes.count), Z_BEST_COMPRESSION)
    // The buffer has the bound's size, so that only a lack of memory can fail.
    precondition(status == Z_OK, "deflating \(bytes.count) bytes failed with status \(status)")
    stream.removeLast(stream.count - Int(size))
    return stream
  }

  /// The `size` bytes of a zlib stream; never allocates more than that, whatever the stream says.
  ///
  /// Throws where the stream is damaged, is longer or shorter than `size`, or has bytes after it.
  static func inflated(
    _ stream: [UInt8], size: Int, at place: @autoclosure () -> String
  ) throws(ModelError) -> [UInt8] {
    // One byte more than expected shows a stream that is too long, also for size 0.
    var bytes = [UInt8](repeating: 0, count: size + 1)
    var produced = UInt(bytes.count)
    var consumed = UInt(stream.count)
    let status = uncompress2(&bytes, &produced, stream, &consumed)
    guard status == Z_OK, Int(produced) == size, Int(consumed) == stream.count else {
      let found =
        status == Z_OK
        ? "\(produced) bytes in the first \(consumed)" : "a stream that fails (zlib \(status))"
      throw .malformed(
        place: place(), expected: "a zlib stream of \(size) bytes in \(stream.count)",
        found: found)
    }
    bytes.removeLast()
    return bytes
  }
}

/// The CRC-32 of zlib and PNG (RFC 1952, section 8) of some bytes.
package func crc32(of bytes: ArraySlice<UInt8>) -> UInt32 {
  // uInt counts to 2^32 - 1; what is summed here is smaller.
  UInt32(CZlib.crc32(0, Array(bytes), UInt32(bytes.count)))
}
