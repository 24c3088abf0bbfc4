import ModelFormat
import SNNLoader
import SNNRuntime

/// A network at work in the C runtime.
///
/// Yields the integers of FORMAT.md, the same as ``ModelFormat/ReferenceSimulator``. One session
/// is used by one thread at a time; threads that work side by side take a session each over one
/// ``SessionModel``.
public final class Session {
  /// The model, as loaded.
  public let loaded: SessionModel
  /// The model, as a value.
  public var model: Model { loaded.model }

  let network: OpaquePointer
  private let memory: UnsafeMutableRawPointer

  /// A network in the state before step 0; throws ``RuntimeError``.
  public init(_ loaded: SessionModel) throws {
    self.loaded = loaded
    let size = loaded.stateBytes
    memory = UnsafeMutableRawPointer.allocate(byteCount: max(size, 1), alignment: 64)
    var network: OpaquePointer?
    let status = snn_init(&network, loaded.pointer, memory, size)
    guard status == SNN_OK, let network else {
      memory.deallocate()
      throw Self.failure(status, at: "snn_init")
    }
    self.network = network
  }

  /// Loads the content of a `.snnpb` file for one session; throws ``RuntimeError``.
  public convenience init(_ bytes: [UInt8]) throws { try self.init(SessionModel(bytes)) }

  deinit { memory.deallocate() }

  // MARK: Whole samples

  /// Resets, runs all steps of `input` by the runtime's fastest way, and reads the answer.
  ///
  /// Throws ``ModelFormat/InferenceError`` where the input does not suit the model.
  public func run(_ input: InferenceInput) throws -> Inference {
    try input.check(for: model)
    reset(seed: input.seed)
    let isHeld = input.ports.allSatisfy { if case .held = $0 { true } else { false } }
    if isHeld {
      try present(input, step: 0)
      try Self.check(snn_run(network, UInt32(input.steps)), "snn_run")
    } else {
      for step in 0..<input.steps {
        try present(input, step: step)
        try Self.check(snn_step(network), "snn_step")
        if isDecided { break }
      }
    }
    return inference
  }

  /// Resets, runs `input` step by step, and reads the answer; `observe` receives every step.
  ///
  /// Throws ``ModelFormat/InferenceError`` where the input does not suit the model. Costs a call
  /// per neuron and step.
  public func run(
    _ input: InferenceInput, observe: (StepRecord) throws -> Void
  ) throws -> Inference {
    try input.check(for: model)
    reset(seed: input.seed)
    for step in 0..<input.steps {
      try present(input, step: step)
      try Self.check(snn_step(network), "snn_step")
      try observe(record)
      if isDecided { break }
    }
    return inference
  }

  /// Resets, runs `input` step by step, and keeps the spikes beside the answer.
  ///
  /// Throws ``ModelFormat/InferenceError`` where the input does not suit the model.
  public func runKeepingSpikes(
    _ input: InferenceInput
  ) throws -> (inference: Inference, history: SpikeHistory) {
    try input.check(for: model)
    reset(seed: input.seed)
    var history = SpikeHistory(input: input, spikes: [])
    history.spikes.reserveCapacity(input.steps)
    for step in 0..<input.steps {
      try present(input, step: step)
      try Self.check(snn_step(network), "snn_step")
      history.spikes.append(model.populations.indices.map(spikes))
      if isDecided { break }
    }
    return (inference, history)
  }

  /// Resets, runs `input` step by step, and yields the scores after every step taken.
  ///
  /// Throws ``ModelFormat/InferenceError`` where the input does not suit the model.
  public func runKeepingScores(_ input: InferenceInput) throws -> [[Int32]] {
    try input.check(for: model)
    reset(seed: input.seed)
    var history: [[Int32]] = []
    for step in 0..<input.steps {
      try present(input, step: step)
      try Self.check(snn_step(network), "snn_step")
      history.append(scores)
      if isDecided { break }
    }
    return history
  }

  // MARK: Step by step

  /// Whether the model's exit rule held after the last step: the sample is over.
  public var isDecided: Bool { snn_is_decided(network) }

  /// Begins a new sample: initial membranes, no spike under way, no frame held, counters 0.
  ///
  /// `seed`: the sample's, from which encoders draw.
  public func reset(seed: UInt32 = 0) {
    snn_reset(network)
    snn_seed(network, seed)
  }

  /// What the ports of a checked input receive in a step. Precondition: `input` suits the model.
  private func present(_ input: InferenceInput, step: Int) throws {
    for (index, port) in input.ports.enumerated() {
      switch port {
      case .held(let frame):
        if step == 0 { try present(frame, port: index) }
      case .frames(let frames): try present(frames[step], port: index)
      case .events(let events):
        for event in events[step] { _ = snn_event(network, UInt32(index), event) }
      }
    }
  }

  private func present(_ frame: [Int16], port: Int) throws {
    precondition(
      frame.count == model.inputs[port].shape.count,
      "\(frame.count) values for a port of \(model.inputs[port].shape)")
    let status = frame.withUnsafeBufferPointer {
      snn_values_s16(network, UInt32(port), $0.baseAddress, UInt32($0.count))
    }
    try Self.check(status, "snn_values_s16")
  }

  static func check(_ status: snn_status, _ call: String) throws {
    guard status == SNN_OK else { throw failure(status, at: call) }
  }

  private static func failure(_ status: snn_status, at call: String) -> RuntimeError {
    .refused(
      path: call, expected: 0, found: Int(status.rawValue),
      reason: String(cString: snn_status_text(status)))
  }
}
