/// A value in a computation, and the gradient of the computation's result with respect to it.
public final class Variable {
  /// The value; ``consumeValue()`` leaves a `[1]` in its place.
  public internal(set) var value: Tensor
  /// dL/dvalue, nil until a backward pass reaches this variable.
  public internal(set) var gradient: Tensor?
  /// Whether a backward pass computes ``gradient``. Operations skip the work for those that do not.
  public let needsGradient: Bool

  /// The shape the value was made with; it stays when the value is consumed.
  public let shape: [Int]

  /// A leaf: an input (no gradient) or a parameter (gradient).
  public init(_ value: Tensor, needsGradient: Bool = false) {
    self.value = value
    shape = value.shape
    self.needsGradient = needsGradient
  }

  /// Adds `contribution` to the gradient, where one is needed. Precondition: it has as many elements
  /// as the value.
  public func accumulate(_ contribution: Tensor) {
    guard needsGradient else { return }
    precondition(
      contribution.count == shape.reduce(1, *),
      "a gradient of shape \(contribution.shape) reached a value of shape \(shape)")
    if gradient == nil {
      gradient = contribution
    } else {
      gradient?.add(contribution)
    }
  }

  /// Hands the value over to an operation that overwrites it and leaves an empty one behind. The
  /// operation that made the value must not need it for its backward pass.
  public func consumeValue() -> Tensor {
    let consumed = value
    value = Tensor([1])
    return consumed
  }

  /// Hands the gradient over and forgets it, so that the receiver may write into its storage.
  public func takeGradient() -> Tensor? {
    defer { gradient = nil }
    return gradient
  }
}

/// The operations of one forward pass, replayed in reverse by ``backward(from:seed:)``.
///
/// A tape belongs to one thread. Each operation's record is dropped as soon as it is replayed, so
/// that its buffers serve the operations still to come.
public final class Tape {
  private var records: [() -> Void] = []

  /// An empty tape.
  public init() {}

  /// Notes how an operation sends its output's gradient to its inputs.
  public func record(_ backward: @escaping () -> Void) { records.append(backward) }

  /// Computes the gradients of Σ seed·output. Without a seed, of the sum of the output.
  public func backward(from output: Variable, seed: Tensor? = nil) {
    output.accumulate(seed ?? Tensor(output.shape, filledWith: 1))
    replay()
  }

  /// Replays the records for outputs whose gradients were already accumulated by the caller.
  public func replay() {
    while let backward = records.popLast() { backward() }
  }
}
