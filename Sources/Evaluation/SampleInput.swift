import Datasets
import ModelFormat
import Wiring

extension InferenceInput {
  /// The input that a sample of a data set is to a model: a frame held over the model's own number
  /// of steps, or a recording binned into its steps. Its seed, from which encoders draw, is `index`, the
  /// sample's place in its split.
  ///
  /// Throws ``RuntimeError/unsuitable(path:expected:found:)`` where the model has not exactly one
  /// port, or the port is of another kind or shape; ``ModelFormat/InferenceError`` where a value
  /// lies outside the port's range.
  public init(_ sample: Sample, at index: Int, for model: Model) throws {
    guard model.inputs.count == 1, let port = model.inputs.first else {
      throw RuntimeError.unsuitable(
        path: "inputs", expected: "1 port, which a data set of one modality feeds",
        found: "\(model.inputs.count)")
    }
    let place = "inputs[0] \(port.name.debugDescription)"
    switch (sample.content, port.kind) {
    case (.frame(let frame), .values(_, _, let framePerStep)):
      try Self.require(frame.shape, fits: port, at: place)
      let values = frame.values.map(Int16.init)
      self.init(
        steps: model.steps,
        ports: [
          framePerStep
            ? .frames([[Int16]](repeating: values, count: model.steps)) : .held(values)
        ])
    case (.recording(let recording), .events(.once)):
      let recording = try recording.addressed(to: port, at: place)
      guard model.stepMicroseconds > 0 else {
        throw RuntimeError.unsuitable(
          path: "step_microseconds", expected: "the length of a step, to bin a recording",
          found: "0")
      }
      let train = SpikeTrain(
        recording, steps: model.steps, stepMicroseconds: model.stepMicroseconds)
      self.init(
        steps: model.steps,
        ports: [.events((0..<model.steps).map { train.activeIndices(step: $0).map(UInt32.init) })])
    case (.recording, .events(.every)):
      throw RuntimeError.unsuitable(
        path: place, expected: "multiplicity ONCE, as a binned recording has", found: "EVERY")
    case (.frame, .events):
      throw RuntimeError.unsuitable(path: place, expected: "a recording", found: "a frame")
    case (.recording, .values):
      throw RuntimeError.unsuitable(path: place, expected: "a frame", found: "a recording")
    }
    seed = UInt32(truncatingIfNeeded: index)
    try check(for: model)
  }

  fileprivate static func require(
    _ found: Shape, fits port: InputPort, at place: String
  ) throws {
    let shape = Shape(channels: found.channels, height: found.height, width: found.width)
    guard shape == port.shape else {
      throw RuntimeError.unsuitable(
        path: place, expected: "samples of \(port.shape)", found: "\(shape)")
    }
  }
}

extension Recording {
  /// The recording as the port's addresses: of its own sensor, or of the sensor that the port states,
  /// coarsened; events outside that sensor lie outside the port.
  fileprivate func addressed(to port: InputPort, at place: String) throws -> Recording {
    guard let camera = port.sensor else {
      try InferenceInput.require(sensor, fits: port, at: place)
      return self
    }
    guard sensor.width == camera.width, sensor.height == camera.height else {
      throw RuntimeError.unsuitable(
        path: place, expected: "recordings of a sensor of \(camera.height)×\(camera.width)",
        found: "\(sensor.height)×\(sensor.width)")
    }
    var addressed = self
    addressed.sensor = port.shape
    addressed.events = events.map { event in
      var event = event
      guard
        let index = port.index(x: Int(event.x), y: Int(event.y), polarity: Int(event.polarity))
      else {
        event.polarity = UInt8(port.shape.channels)
        return event
      }
      let (channel, y, x) = port.shape.coordinates(of: index)
      event.x = UInt16(x)
      event.y = UInt16(y)
      event.polarity = UInt8(channel)
      return event
    }
    return addressed
  }
}
