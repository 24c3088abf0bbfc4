import Foundation
import Tensors

/// The classifier that ignores time: multinomial logistic regression on the spikes of each address
/// counted over all steps.
///
/// What it misses is what a task asks of time: a spiking network that cannot beat it has learned
/// nothing about motion. The features are square roots of the counts, which tames their spread, one
/// per address and polarity. Trained by plain stochastic gradient descent on the cross entropy.
public struct FrameSumBaseline: Hashable, Sendable {
  /// How the regression is trained.
  public struct Settings: Hashable, Sendable, Codable {
    /// Passes over the training part.
    public var epochs = 60
    /// The step length at the start, for features of mean squared norm 1; falls linearly to 0.
    public var learningRate = 4.0
    /// Samples per step.
    public var batchSize = 32
    /// The part of every weight that a step of unit length removes.
    public var weightDecay = 1e-4
    /// Drives the order of the samples.
    public var seed: UInt64 = 1

    /// The defaults.
    public init() {}
  }

  /// The part of the training samples that the trained regression gets right, 0...1.
  public let trainAccuracy: Double
  /// The part of the test samples that it gets right, 0...1.
  public let testAccuracy: Double
  /// The number of training samples.
  public let trainCount: Int
  /// The number of test samples.
  public let testCount: Int

  /// Trains on the training part of an event data set, its first `trainingLimit` samples or all, and
  /// reports on its test part.
  ///
  /// Throws what reading a sample throws, and ``DatasetError/badSetting(name:expected:found:)``
  /// where the data set has no events or no samples. Takes about 1 s for 2000 samples of 32 by 32
  /// pixels.
  public init(
    dataset: some Dataset, trainingLimit: Int? = nil, settings: Settings = Settings(),
    threads: Int = 2
  ) throws {
    for split in [Split.train, .test] where dataset.count(in: split) == 0 {
      throw DatasetError.badSetting(
        name: "\(dataset.name), \(split.rawValue)", expected: "samples", found: "none")
    }
    let train = try SpikeTrainSet(
      dataset: dataset, split: .train, limit: trainingLimit, threads: threads)
    let test = try SpikeTrainSet(dataset: dataset, split: .test, threads: threads)
    self.init(train: train, test: test, classCount: dataset.classNames.count, settings: settings)
  }

  /// Trains on `train` and reports on `test`. Precondition: both hold samples.
  public init(
    train: SpikeTrainSet, test: SpikeTrainSet, classCount: Int, settings: Settings = Settings()
  ) {
    let trainRows = train.trains.map { SparseRow($0.stepSum) }
    let testRows = test.trains.map { SparseRow($0.stepSum) }
    var regression = SoftmaxRegression(
      featureCount: train.shape.count, classCount: classCount, rows: trainRows)
    regression.fit(rows: trainRows, labels: train.labels, settings: settings)
    trainAccuracy = regression.accuracy(rows: trainRows, labels: train.labels)
    testAccuracy = regression.accuracy(rows: testRows, labels: test.labels)
    trainCount = trainRows.count
    testCount = testRows.count
  }
}

/// The features of one sample that are not zero.
struct SparseRow: Sendable {
  let indices: [Int]
  let values: [Float]

  /// The square roots of `counts`.
  init(_ counts: [Int]) {
    indices = counts.indices.filter { counts[$0] != 0 }
    values = indices.map { Float(counts[$0]).squareRoot() }
  }
}

/// Multinomial logistic regression over sparse rows.
struct SoftmaxRegression {
  let classCount: Int
  /// Features are divided by this, so that the mean squared norm of a row is 1.
  let scale: Float
  /// `[features + 1, classes]`; the last row is the bias.
  private(set) var weights: [Float]

  init(featureCount: Int, classCount: Int, rows: [SparseRow]) {
    precondition(!rows.isEmpty, "a regression needs samples")
    self.classCount = classCount
    let squares = rows.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1 * $1 } }
    scale = max(squares / Float(rows.count), .leastNormalMagnitude).squareRoot()
    weights = [Float](repeating: 0, count: (featureCount + 1) * classCount)
  }

  /// Descends the cross entropy, a batch a step.
  mutating func fit(rows: [SparseRow], labels: [Int], settings: FrameSumBaseline.Settings) {
    let random = RandomSource(seed: settings.seed)
    let stepCount = settings.epochs * rows.count
    for epoch in 0..<settings.epochs {
      var stream = random.split(UInt64(epoch))
      let order = stream.permutation(of: rows.count)
      for start in stride(from: 0, to: order.count, by: settings.batchSize) {
        let batch = order[start..<min(start + settings.batchSize, order.count)]
        let done = Double(epoch * rows.count + start) / Double(stepCount)
        let rate = settings.learningRate * (1 - done)
        step(rows: rows, labels: labels, batch: batch, rate: rate, decay: settings.weightDecay)
      }
    }
  }

  /// The part of `rows` whose most likely class is its label.
  func accuracy(rows: [SparseRow], labels: [Int]) -> Double {
    var correct = 0
    var logits = [Float](repeating: 0, count: classCount)
    for (row, label) in zip(rows, labels) {
      score(row, into: &logits)
      var best = 0
      for k in 1..<classCount where logits[k] > logits[best] { best = k }
      if best == label { correct += 1 }
    }
    return rows.isEmpty ? 0 : Double(correct) / Double(rows.count)
  }

  /// One step: all errors are taken at the old weights, then all rows are applied.
  private mutating func step(
    rows: [SparseRow], labels: [Int], batch: ArraySlice<Int>, rate: Double, decay: Double
  ) {
    let shrink = Float(1 - rate * decay)
    let factor = -Float(rate) / Float(batch.count)
    var errors: [[Float]] = []
    for sample in batch {
      var probability = [Float](repeating: 0, count: classCount)
      score(rows[sample], into: &probability)
      Self.softmax(&probability)
      probability[labels[sample]] -= 1
      errors.append(probability)
    }
    for position in weights.indices { weights[position] *= shrink }
    let bias = weights.count - classCount
    for (sample, error) in zip(batch, errors) {
      let row = rows[sample]
      for (index, value) in zip(row.indices, row.values) {
        let scaled = factor * value / scale
        let base = index * classCount
        for k in 0..<classCount { weights[base + k] += scaled * error[k] }
      }
      for k in 0..<classCount { weights[bias + k] += factor * error[k] }
    }
  }

  private func score(_ row: SparseRow, into logits: inout [Float]) {
    for k in 0..<classCount { logits[k] = 0 }
    for (index, value) in zip(row.indices, row.values) {
      let base = index * classCount
      for k in 0..<classCount { logits[k] += value * weights[base + k] }
    }
    let bias = weights.count - classCount
    for k in 0..<classCount { logits[k] = logits[k] / scale + weights[bias + k] }
  }

  private static func softmax(_ logits: inout [Float]) {
    let largest = logits.max() ?? 0
    var sum: Float = 0
    for k in logits.indices {
      logits[k] = exp(logits[k] - largest)
      sum += logits[k]
    }
    for k in logits.indices { logits[k] /= sum }
  }
}
