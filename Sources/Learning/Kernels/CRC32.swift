/// The checksum of Ethernet and zip: bit-reflected polynomial 0xEDB88320.
enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1
    }
  }

  /// The checksum of the first `count` bytes. Precondition: there are as many.
  static func checksum(_ bytes: [UInt8], count: Int) -> UInt32 {
    precondition(count >= 0 && count <= bytes.count, "\(bytes.count) bytes are not \(count)")
    guard count > 0 else { return 0 }
    return table.withUnsafeBufferPointer { table in
      bytes.withUnsafeBufferPointer { bytes in
        guard let table = table.baseAddress, let bytes = bytes.baseAddress else { return 0 }
        var value: UInt32 = 0xFFFF_FFFF
        var index = 0
        while index < count {
          value =
            table[Int(truncatingIfNeeded: (value ^ UInt32(bytes[index])) & 0xFF)] ^ (value &>> 8)
          index &+= 1
        }
        return ~value
      }
    }
  }
}
