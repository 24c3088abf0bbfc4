import Testing
import Wiring

@testable import Datasets

@Suite struct NMNISTTests {
  /// x 3, y 33, ON, 0x012345 µs; x 0, y 0, OFF, the last of the 23-bit times.
  let bytes: [UInt8] = [3, 33, 0x81, 0x23, 0x45, 0, 0, 0x7f, 0xff, 0xff]

  @Test func handWorkedEventsAreRead() throws {
    let recording = try NMNIST.recording(in: bytes, path: "f")
    #expect(recording.sensor == Shape(channels: 2, height: 34, width: 34))
    #expect(
      recording.events == [
        Event(x: 3, y: 33, polarity: 1, microseconds: 0x01_2345),
        Event(x: 0, y: 0, polarity: 0, microseconds: 0x7f_ffff),
      ])
  }

  @Test func aRecordingCutWithinAnEventIsRefused() throws {
    for length in 0..<bytes.count where length != 5 {
      let expected =
        length == 0
        ? DatasetError.empty(path: "f", expected: "5-byte events")
        : DatasetError.partialEvent(path: "f", size: length, eventBytes: 5)
      #expect(throws: expected, "cut to \(length)") {
        try NMNIST.recording(in: Array(bytes[..<length]), path: "f")
      }
    }
  }

  @Test func anEmptyFileIsRefused() throws {
    let folder = try ScratchFolder()
    let path = try folder.write([UInt8](), to: "1.bs2")
    #expect(throws: DatasetError.empty(path: path, expected: "5-byte events")) {
      try NMNIST.readRecording(path: path)
    }
  }

  @Test func eventsOutsideTheSensorAndBackInTimeAreKeptForBinningToCount() throws {
    let odd: [UInt8] = [
      0, 0, 0, 0, 50, 34, 0, 0, 0, 60, 0, 255, 0x80, 0, 61, 1, 1, 0, 0, 40,
    ]
    let recording = try NMNIST.recording(in: odd, path: "f")
    #expect(recording.events.count == 4)
    let tally = SpikeTrain(recording, steps: 4, stepMicroseconds: 10).tally
    #expect(tally.outsideSensor == 2 && tally.beforeOpenStep == 1 && tally.binned == 1)
  }

  @Test func splitListsAreRead() throws {
    let entries = try NMNIST.splitList(in: "#sample\t#class\n60001\t7\r\n\n2\t0\n", path: "f")
    #expect(entries == [.init(index: 60001, label: 7), .init(index: 2, label: 0)])
  }

  @Test func badLinesAreNamed() {
    for line in ["1", "1 5", "x\t5", "1\t10", "1\t-1", "0\t5", "1\t5\t5", "1\t"] {
      let error = DatasetError.badLine(
        path: "f", line: 2, expected: "index<TAB>class with a class in 0...9", found: line)
      #expect(throws: error, "\(line)") {
        try NMNIST.splitList(in: "# list\n\(line)\n", path: "f")
      }
    }
    #expect(throws: DatasetError.self) { try NMNIST.splitList(in: "1\t5\n1\t6\n", path: "f") }
    #expect(throws: DatasetError.self) { try NMNIST.splitList(in: "# only\n", path: "f") }
  }
}
