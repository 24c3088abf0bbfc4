/// What stands in an image, field by field: the one description from which its bytes and its C
/// source are written.
struct DeviceContents: Equatable, Sendable {
  /// A field of a struct of `runtime-c/include/snn/image.h`.
  struct Field: Equatable, Sendable {
    let name: String
    /// Bytes it takes, and the multiple it lies at.
    let size: Int
    let value: Int

    static func byte(_ name: String, _ value: Int) -> Field {
      Field(name: name, size: 1, value: value)
    }
    static func half(_ name: String, _ value: Int) -> Field {
      Field(name: name, size: 2, value: value)
    }
    static func word(_ name: String, _ value: Int) -> Field {
      Field(name: name, size: 4, value: value)
    }
  }

  /// An array of numbers.
  struct Numbers: Equatable, Sendable {
    /// Its element type in C, without `_t`.
    enum Element: String, Sendable {
      case uint8, uint16, int16, int32, uint32

      var size: Int {
        switch self {
        case .uint8: 1
        case .uint16, .int16: 2
        case .int32, .uint32: 4
        }
      }
    }

    let name: String
    let element: Element
    /// Filled up with zeros to a multiple of 4 bytes, and never empty.
    let values: [Int]
    let offset: Int

    var byteCount: Int { values.count * element.size }
  }

  /// `snn_image`, `snn_image_port` and so on.
  var header: [Field] = []
  var ports: [[Field]] = []
  var layers: [[Field]] = []
  var projections: [[Field]] = []
  /// They stand behind the projections, in this order.
  var rings: [[Field]] = []
  var sensors: [[Field]] = []
  var exit: [[Field]] = []
  private(set) var arrays: [Numbers] = []
  /// Where the next array goes.
  private(set) var byteCount: Int

  /// Bytes of each struct.
  static let headerBytes = 76
  static let portBytes = 16
  static let layerBytes = 64
  static let projectionBytes = 60
  static let ringBytes = 20
  /// Of a sensor, and of the exit rule.
  static let smallBytes = 8

  let portOffset = headerBytes
  let layerOffset: Int
  let projectionOffset: Int
  let ringOffset: Int

  /// Contents with room for so many structs.
  ///
  /// `extras`: the bytes of all that stands between projections and arrays.
  init(ports: Int, layers: Int, projections: Int, extras: Int) {
    layerOffset = portOffset + ports * Self.portBytes
    projectionOffset = layerOffset + layers * Self.layerBytes
    ringOffset = projectionOffset + projections * Self.projectionBytes
    byteCount = ringOffset + extras
  }

  /// Appends an array and returns its offset.
  mutating func append(_ name: String, _ element: Numbers.Element, _ values: [Int]) -> Int {
    let perWord = 4 / element.size
    let padding = (perWord - values.count % perWord) % perWord
    let filled = values + [Int](repeating: 0, count: values.isEmpty ? perWord : padding)
    let array = Numbers(name: name, element: element, values: filled, offset: byteCount)
    arrays.append(array)
    byteCount += array.byteCount
    return array.offset
  }

  /// The image, little-endian; its `bytes` and `crc` must be set.
  func bytes() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount)
    func append(_ value: Int, _ size: Int) {
      for byte in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
    }
    for record in [header] + ports + layers + projections + rings + sensors + exit {
      for field in record {
        // Every struct begins at a multiple of 4, so places in it and in the image agree.
        precondition(bytes.count % field.size == 0, "\(field.name) lies at \(bytes.count)")
        append(field.value, field.size)
      }
    }
    for array in arrays {
      precondition(bytes.count == array.offset, "\(array.name) lies at \(bytes.count)")
      for value in array.values { append(value, array.element.size) }
    }
    return bytes
  }
}
