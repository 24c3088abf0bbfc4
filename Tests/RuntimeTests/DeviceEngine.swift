import ModelExport
import ModelFormat
import SNNDevice

/// The firmware engine at work on an image, told like the reference simulator.
final class DeviceEngine {
  struct Failure: Error {
    let call: String
    let status: snn_status
  }

  /// What the engine showed of a sample.
  struct Answer: Equatable {
    var scores: [Int32] = []
    var steps: [StepRecord] = []
    /// Per population.
    var saturations: [Int] = []
    /// Per projection: synaptic operations and multiplications.
    var operations: [Int] = []
  }

  private let model: Model
  private let bytes: UnsafeMutableRawPointer
  private let arena: UnsafeMutableRawPointer
  private let arenaBytes: Int
  private var network = snn_device()
  private var frames: [UnsafeMutableRawPointer?]

  private var image: UnsafePointer<snn_image> {
    UnsafePointer(bytes.assumingMemoryBound(to: snn_image.self))
  }

  private static let guardBytes = 64

  /// The engine of an image of `model`, whose arena is as small as allowed, between guards.
  init(_ image: DeviceImage, of model: Model) throws {
    self.model = model
    bytes = .allocate(byteCount: image.bytes.count, alignment: 8)
    bytes.copyMemory(from: image.bytes, byteCount: image.bytes.count)
    arenaBytes = image.arena.bytes
    arena = .allocate(byteCount: arenaBytes + 2 * Self.guardBytes, alignment: 8)
    arena.initializeMemory(as: UInt8.self, repeating: 0xA5, count: arenaBytes + 2 * Self.guardBytes)
    frames = model.inputs.map { _ in nil }
    try check(snn_image_check(bytes, image.bytes.count), "snn_image_check")
    try check(
      snn_device_init(&network, self.image, arena + Self.guardBytes, arenaBytes),
      "snn_device_init")
  }

  deinit {
    bytes.deallocate()
    arena.deallocate()
    for frame in frames { frame?.deallocate() }
  }

  /// Whether nothing was written beside the arena.
  var isInsideArena: Bool {
    (0..<Self.guardBytes).allSatisfy {
      arena.load(fromByteOffset: $0, as: UInt8.self) == 0xA5
        && arena.load(fromByteOffset: Self.guardBytes + arenaBytes + $0, as: UInt8.self) == 0xA5
    }
  }

  private func check(_ status: snn_status, _ call: String) throws {
    guard status == SNN_OK else { throw Failure(call: call, status: status) }
  }

  // MARK: Samples

  /// Runs a sample unobserved; the scores.
  func run(_ input: InferenceInput) throws -> [Int32] {
    snn_device_observe(&network, nil)
    try play(input)
    var count: UInt32 = 0
    let scores = snn_device_scores(&network, &count)
    return (0..<Int(count)).map { scores?[$0] ?? 0 }
  }

  /// Runs a sample and tells all that its observer saw.
  func observe(_ input: InferenceInput) throws -> Answer {
    let witness = Witness(model, image: image, steps: input.steps)
    var observer = snn_observer(
      context: Unmanaged.passUnretained(witness).toOpaque(), layer: nil,
      neurons: { context, layer, step, pixel, membrane, spikes in
        Witness.of(context).neurons(Int(layer), Int(step), Int(pixel), membrane, spikes)
      },
      rows: { context, projection, rows, values, count in
        Witness.of(context).rows(
          Int(projection), UnsafeBufferPointer(start: rows, count: Int(count)))
      },
      saturated: { context, layer, count in
        Witness.of(context).saturated(Int(layer), Int(count))
      })
    try withUnsafePointer(to: &observer) { observer in
      snn_device_observe(&network, observer)
      try play(input)
      snn_device_observe(&network, nil)
    }
    var answer = witness.answer
    // What the model's exit rule has left out.
    answer.steps.removeLast(input.steps - Int(network.steps))
    answer.scores = answer.steps.last?.membranes[model.readout] ?? []
    return answer
  }

  private func play(_ input: InferenceInput) throws {
    snn_device_reset(&network)
    snn_device_seed(&network, input.seed)
    let isStreaming = image.pointee.block == 1
    for step in 0..<(isStreaming ? input.steps : 1) {
      for (index, port) in input.ports.enumerated() {
        switch port {
        case .held(let values): if step == 0 { try present(values, port: index) }
        case .frames(let frames): try present(frames[step], port: index)
        case .events(let events):
          for event in events[step] { _ = snn_device_event(&network, UInt32(index), event) }
        }
      }
      try check(
        snn_device_run(&network, UInt32(isStreaming ? 1 : input.steps)), "snn_device_run")
      if snn_device_is_decided(&network) { break }
    }
  }

  /// Presents a frame from memory that lasts until the next one.
  private func present(_ values: [Int16], port: Int) throws {
    frames[port]?.deallocate()
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 2 * values.count, alignment: 2)
    frames[port] = memory
    guard case .values(let minimum, let maximum, _) = model.inputs[port].kind else { return }
    let count = UInt32(values.count)
    if minimum >= 0 && maximum <= 255 {
      let bytes = memory.initializeMemory(
        as: UInt8.self, from: values.map { UInt8($0) }, count: values.count)
      try check(snn_device_values_u8(&network, UInt32(port), bytes, count), "snn_device_values_u8")
    } else {
      let halves = memory.initializeMemory(as: Int16.self, from: values, count: values.count)
      try check(
        snn_device_values_s16(&network, UInt32(port), halves, count), "snn_device_values_s16")
    }
  }
}

/// Collects what an observer sees.
private final class Witness {
  var answer = DeviceEngine.Answer()
  private let base: UnsafeRawPointer
  private let layers: UnsafePointer<snn_image_layer>
  private let projections: UnsafePointer<snn_image_projection>

  init(_ model: Model, image: UnsafePointer<snn_image>, steps: Int) {
    base = UnsafeRawPointer(image)
    layers = (base + Int(image.pointee.layers)).assumingMemoryBound(to: snn_image_layer.self)
    projections = (base + Int(image.pointee.projections))
      .assumingMemoryBound(to: snn_image_projection.self)
    let silent = StepRecord(
      spikes: model.populations.map { _ in [] },
      membranes: model.populations.map { [Int32](repeating: 0, count: $0.shape.count) })
    answer.steps = [StepRecord](repeating: silent, count: steps)
    answer.saturations = model.populations.map { _ in 0 }
    answer.operations = model.projections.map { _ in 0 }
  }

  static func of(_ context: UnsafeMutableRawPointer?) -> Witness {
    guard let context else { preconditionFailure("an observer without a context") }
    return Unmanaged<Witness>.fromOpaque(context).takeUnretainedValue()
  }

  func neurons(
    _ index: Int, _ step: Int, _ pixel: Int, _ membrane: UnsafeRawPointer?,
    _ spikes: UnsafePointer<UInt32>?
  ) {
    let layer = layers[index]
    let (population, channels) = (Int(layer.population), Int(layer.channels))
    for channel in 0..<channels {
      let neuron = pixel * channels + channel
      answer.steps[step].membranes[population][neuron] =
        layer.readout != 0
        ? membrane?.load(fromByteOffset: 4 * channel, as: Int32.self) ?? 0
        : Int32(membrane?.load(fromByteOffset: 2 * channel, as: Int16.self) ?? 0)
      if let spikes, spikes[channel / 32] >> (channel % 32) & 1 != 0 {
        answer.steps[step].spikes[population].append(UInt32(neuron))
      }
    }
  }

  func rows(_ place: Int, _ rows: UnsafeBufferPointer<UInt16>) {
    let projection = projections[place]
    let synapses = (base + Int(projection.synapses)).assumingMemoryBound(to: UInt16.self)
    answer.operations[Int(projection.projection)] += rows.reduce(0) { $0 + Int(synapses[Int($1)]) }
  }

  func saturated(_ layer: Int, _ count: Int) {
    answer.saturations[Int(layers[layer].population)] += count
  }
}
