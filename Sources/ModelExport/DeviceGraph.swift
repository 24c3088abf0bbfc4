import ModelFormat

/// A model's populations as the layers of an image: in order of evaluation, the read-out last, and
/// every projection a window (models/IMAGE.md, sections 2 and 3).
struct DeviceGraph {
  /// A population.
  struct Layer {
    /// Its index in the model.
    let population: Int
    /// Its shape; a vector where dense projections feed a population of several pixels.
    let shape: Shape
    /// Those that end here; one of values comes first.
    var windows: [DeviceWindow]

    var pixels: Int { shape.height * shape.width }
    /// Channels rounded up to 4 and to 8.
    var lanes: Int { (shape.channels + 3) / 4 * 4 }
    var columns: Int { (shape.channels + 7) / 8 * 8 }
  }

  let model: Model
  let layers: [Layer]

  /// The layers of a valid model; throws ``DeviceImageError`` where the engine cannot run it.
  init(_ model: Model) throws {
    self.model = model
    try Self.refusePorts(of: model)
    try Self.refusePopulations(of: model)
    for index in model.projections.indices { try Self.refuse(projection: index, of: model) }
    let order = try model.evaluationOrder().filter { $0 != model.readout } + [model.readout]
    var place = [Int](repeating: 0, count: order.count)
    for (layer, population) in order.enumerated() { place[population] = layer }
    let shapes = try model.populations.indices.map {
      try Self.layerShape(ofPopulation: $0, in: model)
    }
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
      let windows = try (values + incoming.filter { !values.contains($0) }).map { index in
        var source = DeviceWindow.Source.port(0)
        var shape = model.sourceShape(of: model.projections[index])
        switch model.projections[index].source {
        case .input(let port): source = .port(port)
        case .population(let population):
          source = .layer(place[population])
          shape = shapes[population]
        }
        return try DeviceWindow(
          projection: index, of: model, from: source, of: shape, onto: shapes[population])
      }
      layers.append(Layer(population: population, shape: shapes[population], windows: windows))
    }
    self.layers = layers
  }

  /// Whether a later step reads a layer's spikes.
  func isDelayed(_ layer: Int) -> Bool {
    layers.contains { $0.windows.contains { $0.source == .layer(layer) && $0.delay == 1 } }
  }

  /// The last layer that reads a layer's spikes in the step they are made, or the layer itself.
  func lastReader(of layer: Int) -> Int {
    layers.lastIndex { $0.windows.contains { $0.source == .layer(layer) && $0.delay == 0 } }
      ?? layer
  }

  // MARK: What the engine does not run

  /// Sides are held in 16 bits; beyond this many channels their multiple of 8 is not.
  private static let largestSide = 65_528

  private static func refusePorts(of model: Model) throws(DeviceImageError) {
    guard model.inputs.count <= 4 else {
      throw .tooLarge(
        place: "inputs (count)", expected: "at most 4", found: "\(model.inputs.count)")
    }
    for (index, port) in model.inputs.enumerated() {
      try refuseSides(port.shape, at: model.place(ofInput: index))
      if case .events(.every) = port.kind {
        throw .unsupportedPort(
          place: model.place(ofInput: index), expected: "values, or events that merge (ONCE)",
          found: "EVERY")
      }
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
    switch projection.topology {
    case .dense, .convolution: break
    case .lateral:
      throw .unsupportedProjection(
        place: place, expected: "DENSE, CONV or ONE_TO_ONE", found: "LATERAL")
    case .oneToOne:
      let channels = model.populations[projection.target].shape.channels
      guard [1, channels].contains(projection.weights.columns) else {
        throw .unsupportedProjection(
          place: place, expected: "ONE_TO_ONE with 1 or \(channels) weights",
          found: "\(projection.weights.columns)")
      }
    }
  }

  /// The shape of a population's layer; throws where dense projections meet others there.
  private static func layerShape(
    ofPopulation index: Int, in model: Model
  ) throws(DeviceImageError) -> Shape {
    let shape = model.populations[index].shape
    let incoming = model.projections.indices.filter { model.projections[$0].target == index }
    let isFlat = incoming.contains { model.projections[$0].topology == .dense }
    guard shape.height * shape.width > 1, isFlat || model.populations[index].isReadout else {
      try refuseSides(shape, at: model.place(ofPopulation: index))
      return shape
    }
    // As a vector its neurons keep their linear index, which is all that dense projections know.
    let outgoing = model.projections.indices.filter {
      model.projections[$0].source == .population(index)
    }
    for other in incoming + outgoing {
      let projection = model.projections[other]
      let seesPixels = projection.source == .population(index) && projection.pool > 1
      guard projection.topology == .dense, !seesPixels else {
        throw .unsupportedProjection(
          place: model.place(ofProjection: other),
          expected: "DENSE without a pool, since \(model.place(ofPopulation: index)) of \(shape) "
            + (isFlat ? "has other dense projections" : "is the read-out"),
          found: seesPixels ? "a pool of \(projection.pool)" : "another topology")
      }
    }
    let flat = Shape(channels: shape.count)
    try refuseSides(flat, at: model.place(ofPopulation: index))
    return flat
  }
}
