import ModelExport

/// Reads an image as the header `snn/image.h` lays it out, field by field at stated places.
struct ImageReader {
  let bytes: [UInt8]

  init(_ image: DeviceImage) { bytes = image.bytes }

  func byte(_ offset: Int) -> Int { Int(bytes[offset]) }
  func half(_ offset: Int) -> Int { byte(offset) | byte(offset + 1) << 8 }
  func word(_ offset: Int) -> Int { half(offset) | half(offset + 2) << 16 }
  func signedHalf(_ offset: Int) -> Int { Int(Int16(truncatingIfNeeded: half(offset))) }
  func signedWord(_ offset: Int) -> Int { Int(Int32(truncatingIfNeeded: word(offset))) }

  func port(_ index: Int) -> Int { word(44) + 16 * index }
  func layer(_ index: Int) -> Int { word(48) + 64 * index }
  func projection(_ index: Int) -> Int { word(52) + 60 * index }
}
