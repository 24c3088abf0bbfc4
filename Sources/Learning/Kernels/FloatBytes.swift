import Tensors

/// Float32 as little-endian bytes.
enum FloatBytes {
  static func append(_ tensor: Tensor, to bytes: inout [UInt8]) {
    tensor.withPointer { source in
      #if _endian(little)
        bytes.append(contentsOf: UnsafeRawBufferPointer(start: source, count: 4 * tensor.count))
      #else
        for index in 0..<tensor.count {
          withUnsafeBytes(of: source[index].bitPattern.littleEndian) {
            bytes.append(contentsOf: $0)
          }
        }
      #endif
    }
  }

  /// Precondition: four bytes per element of the shape.
  static func tensor(_ shape: [Int], _ bytes: ArraySlice<UInt8>) -> Tensor {
    var tensor = Tensor(uninitialized: shape)
    let count = tensor.count
    precondition(bytes.count == 4 * count, "\(bytes.count) bytes do not make \(count) numbers")
    bytes.withUnsafeBytes { source in
      tensor.withMutablePointer { target in
        for index in 0..<count {
          let bits = source.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
          target[index] = Float(bitPattern: UInt32(littleEndian: bits))
        }
      }
    }
    return tensor
  }
}
