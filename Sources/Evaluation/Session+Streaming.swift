import ModelFormat
import SNNRuntime

/// Events with time, as a sensor delivers them (FORMAT.md §2, address events).
extension Session {
  /// Resets and states when the recording begins, and how many steps it may take; 0 steps: the
  /// model's own number.
  ///
  /// Throws ``RuntimeError`` where the model has no physical time or `steps` exceeds its largest.
  public func start(microseconds: UInt64, steps: Int = 0) throws {
    guard (0...model.maximumSteps).contains(steps) else {
      throw RuntimeError.unsuitable(
        path: "steps", expected: "0...\(model.maximumSteps)", found: "\(steps)")
    }
    reset()
    try Self.check(snn_start(network, microseconds, UInt32(steps)), "snn_start")
  }

  /// Closes every step that ends at or before `microseconds`, then takes the event into the open
  /// one.
  ///
  /// Returns false where it is dropped, which the port's counters record: outside the sensor, or
  /// late. Without ``start(microseconds:steps:)`` the first event after a reset sets the start.
  @discardableResult
  public func event(
    x: UInt32, y: UInt32, polarity: UInt32, microseconds: UInt64, port: Int = 0
  ) -> Bool {
    precondition(model.inputs.indices.contains(port), "there is no port \(port)")
    return snn_event_xy(network, UInt32(port), x, y, polarity, microseconds)
  }

  /// The clock says `microseconds`: closes every step that ends at or before it.
  public func advance(to microseconds: UInt64) { snn_advance(network, microseconds) }

  /// Closes all remaining steps of the sample and reads the answer.
  public func finish() -> Inference {
    snn_advance(network, UInt64.max)
    return inference
  }

  /// The number of steps closed since the reset.
  public var steps: Int { Int(snn_steps(network)) }
}
