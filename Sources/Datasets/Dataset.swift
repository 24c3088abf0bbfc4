import Wiring

/// A labelled task: its classes, the shape of its input and its samples.
public protocol Dataset: Sendable {
  /// The name under which it is opened and reported.
  var name: String { get }
  /// The name of each class, in label order.
  var classNames: [String] { get }
  /// What a network for this task takes.
  var input: DatasetInput { get }
  /// The number of samples in `split`.
  func count(in split: Split) -> Int
  /// The sample at `index` of `split`: the same every time, and safe to call from any thread.
  ///
  /// Throws ``DatasetError`` where its file is bad. Precondition: `index` is in 0..<count(in:
  /// split).
  func sample(at index: Int, in split: Split) throws -> Sample
  /// The class that a sample of class `label` shows when seen in a mirror; nil where that is no
  /// class of this set, or not known to be one.
  func mirroredLabel(_ label: Int) -> Int?
}

extension Dataset {
  /// No class is known to survive the mirror.
  public func mirroredLabel(_ label: Int) -> Int? { nil }
}

/// The part of a data set that a sample belongs to.
public enum Split: String, Hashable, Sendable, Codable, CaseIterable {
  /// What weights are fitted to.
  case train
  /// What models, epochs and thresholds are chosen by; cut from the training part, never from test.
  case validation
  /// What is reported; read once.
  case test
}

/// What a network for a data set takes.
public enum DatasetInput: Hashable, Sendable {
  /// Integers in 0...255, constant over the sample.
  case values(Shape)
  /// A bitmap of spikes per step of `stepMicroseconds`, `steps` of them.
  case events(Shape, stepMicroseconds: Int, steps: Int)

  /// The shape `[H, W, C]` of one step.
  public var shape: Shape {
    switch self {
    case .values(let shape), .events(let shape, _, _): return shape
    }
  }

  /// The number of steps stated by the data set; nil where the input is constant.
  public var steps: Int? {
    switch self {
    case .values: return nil
    case .events(_, _, let steps): return steps
    }
  }
}
