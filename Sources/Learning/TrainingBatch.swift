import Spiking
import Tensors

/// A batch of B samples as a network reads it, and what it should answer.
public struct TrainingBatch: Sendable {
  /// What one port receives, channels last: `[B, H, W, C]` where a frame is held, else
  /// `[T, B, H, W, C]`: values per step, or for events 1 where an address spikes (how often, where each
  /// event counts).
  public enum Content: Sendable {
    /// Integers 0…255.
    case bytes([UInt8])
    /// Integers within int16.
    case words([Int16])

    /// The number of integers.
    public var count: Int {
      switch self {
      case .bytes(let values): values.count
      case .words(let values): values.count
      }
    }
  }

  /// By port of the network.
  public var contents: [Content]
  /// The classes: B of them, or T·B, step by step, where every step has its own answer.
  public var labels: [Int]
  /// B.
  public var count: Int

  /// A batch of `count` samples; by default one per label.
  public init(contents: [Content], labels: [Int], count: Int? = nil) {
    self.contents = contents
    self.labels = labels
    self.count = count ?? labels.count
    precondition(
      self.count == labels.count || (self.count > 0 && labels.count % self.count == 0),
      "\(labels.count) labels for \(self.count) samples")
  }

  /// A batch for a network of one port that takes bytes.
  public init(values: [UInt8], labels: [Int]) {
    self.init(contents: [.bytes(values)], labels: labels)
  }

  /// Whether every step has its own label.
  public var isLabelledByStep: Bool { labels.count != count }

  /// The labels of some of the samples, in the same form.
  func labels(of samples: Range<Int>) -> [Int] {
    guard isLabelledByStep else { return Array(labels[samples]) }
    return stride(from: 0, to: labels.count, by: count).flatMap { start in
      labels[start + samples.lowerBound..<start + samples.upperBound]
    }
  }
}

extension Network {
  /// The samples `range` of a batch as this network's input tensors, by port.
  func input(from batch: TrainingBatch, _ range: Range<Int>) -> [Tensor] {
    precondition(
      batch.contents.count == ports.count,
      "a batch of \(batch.contents.count) contents for a network of \(ports.count) ports")
    return zip(ports, batch.contents).map { port, content in
      let rows = port.isHeld ? 1 : steps
      let sample = port.shape.count
      precondition(
        content.count == rows * batch.count * sample,
        "\(content.count) numbers for port \(port.name), expected "
          + "\(rows) x \(batch.count) x \(sample)")
      var tensor = Tensor(uninitialized: [rows * range.count] + port.shape.extents)
      let start = range.lowerBound * sample
      switch content {
      case .bytes(let values):
        tensor.fillRows(
          rows, of: range.count * sample, from: values, start: start,
          stride: batch.count * sample)
      case .words(let values):
        tensor.fillRows(
          rows, of: range.count * sample, from: values, start: start,
          stride: batch.count * sample)
      }
      return tensor
    }
  }
}
