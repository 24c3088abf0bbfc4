import Foundation
import Testing
import Wiring

@testable import Datasets

/// Checks against the real sets; skipped unless `SNN_DATA` says where they are.
@Suite(.enabled(if: realDataFolder != nil, "set SNN_DATA to the folder of the data sets"))
struct RealDataTests {
  private func open(_ name: String) throws -> any Dataset {
    try DatasetCatalog.open(name, environment: ["SNN_DATA": realDataFolder ?? ""])
  }

  private func counts(_ labels: [UInt8]) -> [Int] {
    labels.reduce(into: [Int](repeating: 0, count: 10)) { $0[Int($1)] += 1 }
  }

  @Test func mnistHasItsPublishedCounts() throws {
    let folder = (realDataFolder ?? "") + "/mnist"
    let (images, labels) = try IDX.readPair(
      imagesPath: folder + "/train-images-idx3-ubyte.gz",
      labelsPath: folder + "/train-labels-idx1-ubyte.gz")
    #expect(images.count == 60_000)
    #expect(images.shape == Shape(channels: 1, height: 28, width: 28))
    #expect(labels[0] == 5)
    #expect(counts(labels) == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    let test = try IDX.readLabels(path: folder + "/t10k-labels-idx1-ubyte.gz")
    #expect(counts(test) == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
  }

  @Test(arguments: ["mnist", "fashion_mnist"]) func imageSetsAreSplit(name: String) throws {
    let set = try open(name)
    #expect(set.count(in: .train) == 55_000 && set.count(in: .validation) == 5000)
    #expect(set.count(in: .test) == 10_000 && set.classNames.count == 10)
    #expect(try set.sample(at: 0, in: .test).label == (name == "mnist" ? 7 : 9))
  }

  @Test func firstDigitRecordingIsAsDescribed() throws {
    let path = (realDataFolder ?? "") + "/nmnist/1.bs2"
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    let recording = try NMNIST.readRecording(path: path)
    #expect(recording.events.count * 5 == size)
    let times = recording.events.map(\.microseconds)
    #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
  }

  @Test func all900DigitRecordingsAreWhole() throws {
    let set = try open("nmnist")
    #expect(set.count(in: .train) == 700 && set.count(in: .validation) == 100)
    #expect(set.count(in: .test) == 100)
    var smallest = Int.max
    var largest = 0
    for split in Split.allCases {
      let spikes = try SpikeTrainSet(dataset: set, split: split)
      #expect(spikes.tally.dropped == 0, "\(split)")
      for train in spikes.trains {
        smallest = min(smallest, train.tally.total)
        largest = max(largest, train.tally.total)
      }
    }
    #expect(smallest == 1069 && largest == 7152)
  }

  /// Recording i is MNIST training image i - 1, recording 60001 + k is test image k.
  @Test func digitRecordingsAgreeWithTheirImages() throws {
    let root = realDataFolder ?? ""
    let train = try IDX.readLabels(path: root + "/mnist/train-labels-idx1-ubyte.gz")
    let test = try IDX.readLabels(path: root + "/mnist/t10k-labels-idx1-ubyte.gz")
    for entry in try NMNIST.readSplitList(path: root + "/nmnist/train800.txt") {
      #expect(Int(train[entry.index - 1]) == entry.label)
    }
    for entry in try NMNIST.readSplitList(path: root + "/nmnist/test100.txt") {
      #expect(Int(test[entry.index - 60_001]) == entry.label)
    }
  }
}
