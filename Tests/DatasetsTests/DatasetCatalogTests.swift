import Testing
import Wiring

@testable import Datasets

@Suite struct DatasetCatalogTests {
  private func writeImages(to folder: ScratchFolder) throws {
    try folder.write(idxImages, to: "train-images-idx3-ubyte")
    try folder.write(gzipStored(idxLabels), to: "train-labels-idx1-ubyte.gz")
    try folder.write(gzipStored(idxImages), to: "t10k-images-idx3-ubyte.gz")
    try folder.write(idxLabels, to: "t10k-labels-idx1-ubyte")
  }

  private func writeRecordings(to folder: ScratchFolder) throws {
    for index in 1...9 {
      try folder.write([UInt8(index), 1, 0x80, 0, 7], to: "\(index).bs2")
    }
    let train = (1...8).map { "\($0)\t\($0 % 10)\n" }.joined()
    try folder.write("#sample\t#class\n" + train, to: "train8.txt")
    try folder.write("9\t9\n", to: "test1.txt")
  }

  @Test func aFolderOfFourImageFilesIsAnImageSet() throws {
    let folder = try ScratchFolder()
    try writeImages(to: folder)
    let set = try DatasetCatalog.open(folder.path, environment: [:])
    #expect(set.input == .values(Shape(channels: 1, height: 2, width: 3)))
    #expect(set.classNames.count == 8)
    #expect(set.count(in: .train) == 2 && set.count(in: .validation) == 0)
    #expect(set.count(in: .test) == 2)
    let sample = try set.sample(at: 1, in: .test)
    #expect(sample.label == 0)
    let frame = Frame(shape: set.input.shape, values: [255, 0, 7, 8, 9, 10])
    #expect(sample.content == .frame(frame))
  }

  @Test func aFolderOfRecordingsAndListsIsAnEventSet() throws {
    let folder = try ScratchFolder()
    try writeRecordings(to: folder)
    var options = DatasetCatalog.Options()
    options.steps = 4
    options.stepMicroseconds = 100
    let set = try DatasetCatalog.open(folder.path, environment: [:], options: options)
    #expect(set.input == .events(NMNIST.sensor, stepMicroseconds: 100, steps: 4))
    #expect(set.count(in: .train) == 7 && set.count(in: .validation) == 1)
    #expect(set.count(in: .test) == 1)
    var labels: Set<Int> = []
    for split in [Split.train, .validation] {
      for index in 0..<set.count(in: split) {
        let sample = try set.sample(at: index, in: split)
        guard case .recording(let recording) = sample.content else { continue }
        #expect(Int(recording.events[0].x) == sample.label)
        labels.insert(sample.label)
      }
    }
    #expect(labels == Set(1...8))
    #expect(try set.sample(at: 0, in: .test).label == 9)
  }

  @Test func anIndexInBothListsIsRefused() throws {
    let folder = try ScratchFolder()
    try writeRecordings(to: folder)
    try folder.write("9\t9\n3\t3\n", to: "test1.txt")
    #expect(
      throws: DatasetError.overlappingSplits(
        train: folder.path + "/train8.txt", test: folder.path + "/test1.txt", index: 3)
    ) {
      try DatasetCatalog.open(folder.path, environment: [:])
    }
  }

  @Test func theValidationCutIsSeededAndDisjoint() throws {
    let cut = try ValidationCut(count: 60, fraction: 1 / 12.0, seed: 1)
    #expect(cut.indices(of: .validation).count == 5)
    #expect(
      (cut.indices(of: .train) + cut.indices(of: .validation)).sorted() == Array(0..<60))
    let again = try ValidationCut(count: 60, fraction: 1 / 12.0, seed: 1)
    #expect(again.indices(of: .validation) == cut.indices(of: .validation))
    let other = try ValidationCut(count: 60, fraction: 1 / 12.0, seed: 2)
    #expect(other.indices(of: .validation) != cut.indices(of: .validation))
    for fraction in [-0.1, 1, .nan, 0.999] {
      #expect(throws: DatasetError.self) {
        try ValidationCut(count: 60, fraction: fraction, seed: 1)
      }
    }
  }

  @Test func labelsWithoutANameAreRefused() throws {
    let folder = try ScratchFolder()
    try writeImages(to: folder)
    try folder.write([0, 0, 8, 1, 0, 0, 0, 2, 7, 8] as [UInt8], to: "t10k-labels-idx1-ubyte")
    #expect(
      throws: DatasetError.badDimension(
        path: folder.path + "/t10k-labels-idx1-ubyte", offset: 9, expected: "a label below 8",
        found: 8)
    ) {
      try DatasetCatalog.open(folder.path, environment: [:])
    }
  }

  @Test func aMissingFileIsNamed() throws {
    let folder = try ScratchFolder()
    try folder.write(idxImages, to: "train-images-idx3-ubyte")
    #expect(
      throws: DatasetError.unreadable(
        path: folder.path + "/train-labels-idx1-ubyte[.gz]", reason: "no such file")
    ) {
      try DatasetCatalog.open(folder.path, environment: [:])
    }
  }

  @Test func namesWithoutFilesSayWhatToDo() throws {
    let unset = DatasetError.dataFolderNotSet(
      name: "mnist", known: ["cue-memory", "moving-shapes"])
    #expect(throws: unset) { try DatasetCatalog.open("mnist", environment: [:]) }
    #expect(
      unset.description
        == "'mnist': expected its files under $SNN_DATA, found SNN_DATA unset; set SNN_DATA to the "
        + "folder that holds mnist/, or use one of cue-memory, moving-shapes")
    let folder = try ScratchFolder()
    #expect(
      throws: DatasetError.missingFolder(name: "nmnist", path: folder.path + "/nmnist")
    ) {
      try DatasetCatalog.open("nmnist", environment: ["SNN_DATA": folder.path])
    }
    #expect(throws: DatasetError.unrecognisedFolder(path: folder.path, found: "nothing")) {
      try DatasetCatalog.open(folder.path, environment: [:])
    }
    #expect(
      throws: DatasetError.unknownDataset(
        name: "minst", known: ["cue-memory", "moving-shapes", "fashion_mnist", "mnist", "nmnist"])
    ) {
      try DatasetCatalog.open("minst", environment: ["SNN_DATA": folder.path])
    }
  }

  @Test func theBuiltInSetTakesItsOptions() throws {
    var options = DatasetCatalog.Options()
    options.trainCount = 30
    options.steps = 8
    let set = try DatasetCatalog.open("moving-shapes", environment: [:], options: options)
    #expect(set.count(in: .train) == 30 && set.input.steps == 8)
    for (steps, length, count) in [(0, 8000, 1), (16, 0, 1), (16, 8001, 1), (16, 8000, -1)] {
      options.steps = steps
      options.stepMicroseconds = length
      options.trainCount = count
      #expect(throws: DatasetError.self, "\(steps) \(length) \(count)") {
        try DatasetCatalog.open("moving-shapes", environment: [:], options: options)
      }
    }
  }
}
