import Testing
import Wiring

@testable import Datasets

/// Two images of 2 rows and 3 columns.
let idxImages: [UInt8] =
  [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3] + [1, 2, 3, 4, 5, 6, 255, 0, 7, 8, 9, 10]
let idxLabels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 2, 7, 0]

/// `content`, of less than 2^16 bytes, as a gzip member with one stored block (RFC 1951, 1952).
func gzipStored(_ content: [UInt8]) -> [UInt8] {
  var checksum: UInt32 = .max
  for byte in content {
    checksum ^= UInt32(byte)
    for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 1 ? 0xedb8_8320 : 0) }
  }
  let size = UInt16(content.count)
  let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]
  let lengths = [size, ~size].flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
  let trailer = [~checksum, UInt32(size)].flatMap { word in
    (0..<4).map { UInt8(word >> (8 * UInt32($0)) & 255) }
  }
  return header + lengths + content + trailer
}

@Suite struct IDXTests {
  @Test func handWorkedImagesAreRead() throws {
    let images = try IDX.images(in: idxImages, path: "images")
    #expect(images.shape == Shape(channels: 1, height: 2, width: 3))
    #expect(images.count == 2)
    #expect(images.frame(at: 0).values == [1, 2, 3, 4, 5, 6])
    #expect(images.frame(at: 1).values == [255, 0, 7, 8, 9, 10])
  }

  @Test func handWorkedLabelsAreRead() throws {
    #expect(try IDX.labels(in: idxLabels, path: "labels") == [7, 0])
  }

  @Test func aFileCutAnywhereIsRefused() {
    for length in 0..<idxImages.count {
      #expect(throws: DatasetError.self, "images cut to \(length)") {
        try IDX.images(in: Array(idxImages[..<length]), path: "images")
      }
    }
    for length in 0..<idxLabels.count {
      #expect(throws: DatasetError.self, "labels cut to \(length)") {
        try IDX.labels(in: Array(idxLabels[..<length]), path: "labels")
      }
    }
  }

  @Test func theOtherKindOfFileIsRefused() {
    let error = DatasetError.wrongMagic(path: "f", offset: 0, expected: 0x803, found: 0x801)
    #expect(throws: error) { try IDX.images(in: idxLabels, path: "f") }
    #expect(throws: DatasetError.self) { try IDX.labels(in: idxImages, path: "f") }
    #expect(
      error.description
        == "f: byte 0: expected magic 0x00000803, found 0x00000801; this is another kind of file")
  }

  @Test func trailingBytesAreRefused() {
    #expect(throws: DatasetError.trailingBytes(path: "f", offset: 28, found: 1)) {
      try IDX.images(in: idxImages + [0], path: "f")
    }
    #expect(throws: DatasetError.trailingBytes(path: "f", offset: 10, found: 2)) {
      try IDX.labels(in: idxLabels + [0, 0], path: "f")
    }
  }

  @Test func absurdDimensionsAreRefused() {
    for (offset, bytes) in [
      (4, [0, 0, 0, 0]), (4, [255, 255, 255, 255]), (8, [0, 0, 0, 0]), (8, [0, 0, 4, 1]),
      (12, [0, 0, 0, 0]), (12, [128, 0, 0, 0]),
    ] as [(Int, [UInt8])] {
      var damaged = idxImages
      damaged.replaceSubrange(offset..<offset + 4, with: bytes)
      #expect("offset \(offset), \(bytes)") {
        try IDX.images(in: damaged, path: "f")
      } throws: { error in
        guard case DatasetError.badDimension(_, offset, _, _) = error else { return false }
        return true
      }
    }
  }

  @Test func emptyAndMissingFilesAreNamed() throws {
    let folder = try ScratchFolder()
    let path = try folder.write([UInt8](), to: "empty")
    #expect(throws: DatasetError.empty(path: path, expected: "IDX images")) {
      try IDX.readImages(path: path)
    }
    let missing = folder.path + "/missing"
    #expect(throws: DatasetError.unreadable(path: missing, reason: "no such file")) {
      try IDX.readLabels(path: missing)
    }
  }

  @Test func moreImagesThanLabelsAreRefused() throws {
    let folder = try ScratchFolder()
    let images = try folder.write(idxImages, to: "images")
    let labels = try folder.write([0, 0, 8, 1, 0, 0, 0, 1, 7] as [UInt8], to: "labels")
    #expect(
      throws: DatasetError.countMismatch(
        images: images, imageCount: 2, labels: labels, labelCount: 1)
    ) {
      try IDX.readPair(imagesPath: images, labelsPath: labels)
    }
  }

  @Test func packedFilesAreUnpacked() throws {
    let folder = try ScratchFolder()
    let path = try folder.write(gzipStored(idxLabels), to: "labels.gz")
    #expect(try IDX.readLabels(path: path) == [7, 0])
  }

  @Test func aPackedFileCutAnywhereIsRefused() throws {
    let folder = try ScratchFolder()
    let packed = gzipStored(idxLabels)
    for length in 0..<packed.count {
      let path = try folder.write(Array(packed[..<length]), to: "labels.gz")
      #expect(throws: DatasetError.self, "cut to \(length)") { try IDX.readLabels(path: path) }
    }
    let longer = try folder.write(packed + [0], to: "longer.gz")
    #expect(throws: DatasetError.trailingBytes(path: longer, offset: packed.count, found: 1)) {
      try IDX.readLabels(path: longer)
    }
  }

  @Test func aPackedFileMayNotUnpackBeyondTheLimit() {
    #expect(throws: DatasetError.self) {
      try FileBytes.inflate(gzipStored(idxImages), path: "f", limit: idxImages.count - 1)
    }
  }
}
