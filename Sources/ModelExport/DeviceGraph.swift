import ModelFormat
import Wiring

/// A model's populations as the layers of an image: in order of evaluation, the read-out last, and
/// every projection a window (models/IMAGE.md, sections 2 and 3).
struct DeviceGraph {
  /// A population.
  struct Layer {
    /// Its index in the model.
    let population: Int
    /// Its shape, perhaps as a vector.
    let shape: Shape
    /// The projections that end in this layer; at most one carries values, and it comes first.
    var windows: [DeviceWindow]

    var pixels: Int { shape.height * shape.width }
    /// Channels rounded up to 4 and to 8.
    var lanes: Int { (shape.channels + 3) / 4 * 4 }
    var columns: Int { (shape.channels + 7) / 8 * 8 }
  }

  /// What a source emitted in its last steps, kept for later ones.
  struct Ring {
    let source: DeviceWindow.Source
    /// One more than the longest delay.
    let slots: Int
    /// EVERY: events that a step takes; else 0.
    let most: Int
    /// A port with an encoder: its gain; else 0.
    let gain: Int
  }

  let model: Model
  let layers: [Layer]
  /// Of the sources that a later step reads, of ports of EVERY event, and of ports with an encoder.
  let rings: [Ring]

  /// The layers of a valid model; throws ``DeviceImageError`` where the engine cannot run it.
  init(_ model: Model) throws {
    self.model = model
    try Self.refusePorts(of: model)
    try Self.refusePopulations(of: model)
    for index in model.projections.indices { try Self.refuse(projection: index, of: model) }
    let order = try model.evaluationOrder().filter { $0 != model.readout } + [model.readout]
    var place = [Int](repeating: 0, count: order.count)
    for (layer, population) in order.enumerated() { place[population] = layer }
    let shapes = try Self.layerShapes(in: model)
    var layers: [Layer] = []
    for population in order {
      let incoming = model.projections.indices.filter {
        model.projections[$0].target == population
      }
      let values = incoming.filter { model.carriesValues(model.projections[$0]) }
      guard values.count <= 1 else {
        throw DeviceImageError.unsupportedPopulation(
          place: model.place(ofPopulation: population), expected: "values by one projection",
          found: "\(values.count) of them")
      }
      let windows = try (values + incoming.filter { !values.contains($0) }).flatMap { index in
        var source = DeviceWindow.Source.port(0)
        var shape = model.sourceShape(of: model.projections[index])
        switch model.projections[index].source {
        case .input(let port): source = .port(port)
        case .population(let population):
          source = .layer(place[population])
          shape = shapes[population]
        }
        return try model.projections[index].delays.indices.map { tap in
          try DeviceWindow(
            projection: index, tap: tap, of: model, from: source, of: shape,
            onto: shapes[population])
        }
      }
      layers.append(Layer(population: population, shape: shapes[population], windows: windows))
    }
    self.layers = layers
    rings = Self.rings(of: model, layers)
    try Self.refuse(
      layers.reduce(0) { $0 + $1.windows.count }, above: Self.mostWindows,
      of: "projections (taps, added up)")
    try Self.refuse(
      rings.count, above: Self.mostRings, of: "rings of delays, EVERY event and encoders (count)")
  }

  private static func rings(of model: Model, _ layers: [Layer]) -> [Ring] {
    let sources =
      model.inputs.indices.map { DeviceWindow.Source.port($0) }
      + layers.indices.map { DeviceWindow.Source.layer($0) }
    return sources.compactMap { source in
      let delays = layers.flatMap(\.windows).filter { $0.source == source }.map(\.delay)
      var most = 0
      if case .port(let port) = source, case .events(.every(let maximum)) = model.inputs[port].kind
      {
        most = maximum
      }
      var gain = 0
      if case .port(let port) = source { gain = model.inputs[port].encoder?.gain ?? 0 }
      let slots = (delays.max() ?? 0) + 1
      return slots > 1 || most > 0 || gain > 0
        ? Ring(source: source, slots: slots, most: most, gain: gain) : nil
    }
  }

  /// The place of a source's ring among ``rings``; nil: it has none.
  func ring(of source: DeviceWindow.Source) -> Int? { rings.firstIndex { $0.source == source } }

  /// The layer whose first spike ends an inference, if the model's exit rule says so.
  var exitLayer: Int? {
    guard case .firstSpike(let population) = model.exit else { return nil }
    return layers.firstIndex { $0.population == population }
  }

  /// The last layer that reads a layer's spikes in the step they are made, or the layer itself; the last
  /// of all where the exit rule reads them.
  func lastReader(of layer: Int) -> Int {
    if layer == exitLayer { return layers.count - 1 }
    return layers.lastIndex { $0.windows.contains { $0.source == .layer(layer) && $0.delay == 0 } }
      ?? layer
  }

  // MARK: What the engine does not run

  /// The longest side: rounded up to a multiple of 8 it still fits 16 bits.
  private static let largestSide = 65_528

  /// The most that an image's header counts (models/IMAGE.md, section 2).
  private static let mostPorts = 4
  private static let mostWindows = 1024
  private static let mostRings = 255

  private static func refuse(
    _ found: Int, above most: Int, of place: String
  ) throws(DeviceImageError) {
    guard found <= most else {
      throw .tooLarge(place: place, expected: "at most \(most)", found: "\(found)")
    }
  }

  private static func refusePorts(of model: Model) throws(DeviceImageError) {
    try refuse(model.inputs.count, above: mostPorts, of: "inputs (count)")
    for (index, port) in model.inputs.enumerated() {
      try refuseSides(port.shape, at: model.place(ofInput: index))
    }
  }

  private static func refuseSides(_ shape: Shape, at place: String) throws(DeviceImageError) {
    guard max(shape.channels, shape.height, shape.width) <= largestSide else {
      throw .tooLarge(place: place, expected: "sides of at most \(largestSide)", found: "\(shape)")
    }
  }

  private static func refusePopulations(of model: Model) throws(DeviceImageError) {
    for (index, population) in model.populations.enumerated() {
      guard !population.isReadout || index == model.readout else {
        throw .unsupportedPopulation(
          place: model.place(ofPopulation: index), expected: "one READOUT",
          found: "another beside \(model.place(ofPopulation: model.readout))")
      }
    }
  }

  private static func refuse(projection index: Int, of model: Model) throws(DeviceImageError) {
    let projection = model.projections[index]
    let place = model.place(ofProjection: index)
    if model.carriesValues(projection), projection.pool > 1 {
      throw .unsupportedProjection(
        place: place, expected: "no pool of values", found: "a pool of \(projection.pool)")
    }
  }

  // MARK: Vectors

  /// The shape of every population's layer. A population becomes a vector, whose neurons keep their
  /// linear index, where weights onto it differ from pixel to pixel, or where it is the read-out.
  /// Populations fed by a vector become vectors too, because a window cannot slide over a vector.
  /// Throws where a pool would have to see pixels that are gone.
  private static func layerShapes(in model: Model) throws(DeviceImageError) -> [Shape] {
    var shapes = model.populations.map(\.shape)
    var waiting = [model.readout]
    for projection in model.projections {
      switch projection.topology {
      case .convolution: continue
      case .dense, .lateral: waiting.append(projection.target)
      case .oneToOne:
        let channels = shapes[projection.target].channels
        if projection.weights.columns > channels { waiting.append(projection.target) }
      }
    }
    while let index = waiting.popLast() {
      guard shapes[index].height * shapes[index].width > 1 else { continue }
      shapes[index] = Shape(channels: shapes[index].count)
      for (other, projection) in model.projections.enumerated()
      where projection.source == .population(index) {
        guard projection.pool == 1 else {
          throw .unsupportedProjection(
            place: model.place(ofProjection: other),
            expected: "no pool, since weights around \(model.place(ofPopulation: index)) differ "
              + "from pixel to pixel", found: "a pool of \(projection.pool)")
        }
        waiting.append(projection.target)
      }
    }
    for (index, shape) in shapes.enumerated() {
      try refuseSides(shape, at: model.place(ofPopulation: index))
    }
    return shapes
  }
}
