import Foundation
import Wiring

/// Reads N-MNIST recordings (`.bin`, `.bs2`) and the lists that split them.
///
/// A recording is a row of 5-byte big-endian events without a header: byte 0 = x, byte 1 = y, bit 7
/// of byte 2 = polarity (1 = ON), the remaining 23 bits = time in microseconds. Source: Orchard et
/// al., "Converting static image datasets to spiking neuromorphic datasets using saccades",
/// Frontiers in Neuroscience 9:437, 2015.
public enum NMNIST {
  /// The sensor of every recording: 34 by 34 pixels, two polarities.
  public static let sensor = Shape(channels: 2, height: 34, width: 34)

  /// One line of a split list.
  public struct Entry: Hashable, Sendable {
    /// The number in the recording's file name.
    public let index: Int
    /// The digit, 0...9.
    public let label: Int
  }

  private static let eventBytes = 5

  /// The recording in the file at `path`, its events as stored: one outside the sensor or going
  /// back in time is kept, and ``SpikeTrain`` counts it.
  ///
  /// Throws ``DatasetError`` where the file is unreadable, empty, or ends within an event.
  public static func readRecording(path: String) throws -> Recording {
    let expected = "\(eventBytes)-byte events"
    return try recording(in: FileBytes.readStored(path: path, expected: expected), path: path)
  }

  /// The lines `index<TAB>class` of the split list at `path`; lines that start with `#` and empty
  /// lines are skipped.
  ///
  /// Throws ``DatasetError`` where the file is unreadable, has no entry, or a line does not read as
  /// a positive index and a digit, or repeats an index.
  public static func readSplitList(path: String) throws -> [Entry] {
    let bytes = try FileBytes.readStored(path: path, expected: "lines of index<TAB>class")
    return try splitList(in: String(decoding: bytes, as: UTF8.self), path: path)
  }

  /// Parses the bytes of a recording; `path` is only named in errors.
  static func recording(in bytes: [UInt8], path: String) throws -> Recording {
    guard !bytes.isEmpty else {
      throw DatasetError.empty(path: path, expected: "\(eventBytes)-byte events")
    }
    guard bytes.count % eventBytes == 0 else {
      throw DatasetError.partialEvent(path: path, size: bytes.count, eventBytes: eventBytes)
    }
    var events: [Event] = []
    events.reserveCapacity(bytes.count / eventBytes)
    var offset = 0
    while offset < bytes.count {
      let high = bytes[offset + 2]
      let time =
        UInt32(high & 0x7f) << 16 | UInt32(bytes[offset + 3]) << 8 | UInt32(bytes[offset + 4])
      events.append(
        Event(
          x: UInt16(bytes[offset]), y: UInt16(bytes[offset + 1]), polarity: high >> 7,
          microseconds: Int64(time)))
      offset += eventBytes
    }
    return Recording(events: events, sensor: sensor)
  }

  /// Parses a split list; `path` is only named in errors.
  static func splitList(in text: String, path: String) throws -> [Entry] {
    var entries: [Entry] = []
    var seen: Set<Int> = []
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated() where !line.isEmpty && !line.hasPrefix("#")
    {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count == 2, let index = Int(fields[0]), index > 0,
        let label = Int(fields[1]), (0...9).contains(label)
      else {
        throw DatasetError.badLine(
          path: path, line: number + 1, expected: "index<TAB>class with a class in 0...9",
          found: String(line))
      }
      guard seen.insert(index).inserted else {
        throw DatasetError.badLine(
          path: path, line: number + 1, expected: "each index once", found: String(line))
      }
      entries.append(Entry(index: index, label: label))
    }
    guard !entries.isEmpty else {
      throw DatasetError.empty(path: path, expected: "lines of index<TAB>class")
    }
    return entries
  }
}
