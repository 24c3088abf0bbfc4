import ModelFormat

/// Fills the fields and arrays of an image from a planned graph.
struct DeviceImageWriter {
  let graph: DeviceGraph
  let traits: [DeviceLayerTraits]
  /// Steps that a layer runs at once; 1: streaming.
  let block: Int
  let arena: DeviceArena
  let cost: RowCost
  let preference: DevicePreference
  /// Per projection, in the image's order.
  private(set) var rows: [DeviceRows] = []

  private var model: Model { graph.model }

  init(
    graph: DeviceGraph, traits: [DeviceLayerTraits], block: Int, arena: DeviceArena,
    cost: RowCost, preference: DevicePreference
  ) {
    self.graph = graph
    self.traits = traits
    self.block = block
    self.arena = arena
    self.cost = cost
    self.preference = preference
  }

  /// The most bytes of an image: offsets of 32 bits stay positive as signed numbers.
  private static let maximumBytes = 1 << 30

  /// All of the image; throws ``DeviceImageError/tooLarge(place:expected:found:)``.
  mutating func contents() throws(DeviceImageError) -> DeviceContents {
    var contents = DeviceContents(
      ports: model.inputs.count, layers: graph.layers.count,
      projections: graph.layers.reduce(0) { $0 + $1.windows.count },
      extras: graph.rings.count * DeviceContents.ringBytes
        + (sensors.count + (model.exit == nil ? 0 : 1)) * DeviceContents.smallBytes)
    contents.ports = model.inputs.indices.map(portFields)
    for index in graph.layers.indices {
      contents.layers.append(layerFields(index, in: &contents))
    }
    for index in graph.layers.indices {
      for window in graph.layers[index].windows {
        contents.projections.append(projectionFields(window, of: index, in: &contents))
      }
    }
    contents.rings = zip(graph.rings, arena.rings).map { ring, place in
      var source = (index: 0, fromPort: 0)
      switch ring.source {
      case .port(let port): source = (port, 1)
      case .layer(let layer): source.index = layer
      }
      return [
        .half("source", source.index), .half("from_port", source.fromPort),
        .half("slots", ring.slots), .half("most", ring.most), .word("gain", ring.gain),
        .word("map", place.map),
        .word("bytes", place.bytes),
      ]
    }
    contents.sensors = sensors.map { port, sensor in
      [
        .half("port", port), .byte("coarsening", sensor.coarsening),
        .byte("polarity", sensor.polarity == .offOn ? 0 : 1), .half("last_x", sensor.width - 1),
        .half("last_y", sensor.height - 1),
      ]
    }
    switch model.exit {
    case nil: break
    case .margin(let margin):
      contents.exit = [[.word("margin", margin), .half("layer", 0), .half("reserved", 0)]]
    case .firstSpike:
      contents.exit = [
        [.word("margin", 0), .half("layer", graph.exitLayer ?? 0), .half("reserved", 0)]
      ]
    }
    for (size, part) in [(contents.byteCount, "image"), (arena.bytes, "arena")] {
      guard size <= Self.maximumBytes else {
        throw .tooLarge(
          place: part, expected: "at most \(Self.maximumBytes) bytes", found: "\(size)")
      }
    }
    contents.header = headerFields(contents, crc: 0)
    let covered = contents.bytes().dropFirst(16)
    contents.header = headerFields(contents, crc: Int(crc32(of: covered)))
    return contents
  }

  /// The cameras of ports, with the ports' indices.
  private var sensors: [(port: Int, sensor: Sensor)] {
    model.inputs.enumerated().compactMap { index, port in port.sensor.map { (index, $0) } }
  }

  /// Whether the image needs what an engine built with `SNN_DEVICE_GENERAL` 0 leaves out; known
  /// once the forms of its rows are chosen.
  var needsGeneral: Bool {
    traits.contains { $0.contains(.general) } || rows.contains(.list)
      || graph.rings.contains { $0.most > 0 || $0.gain > 0 } || model.exit != nil
  }

  // MARK: Structs

  private func headerFields(_ contents: DeviceContents, crc: Int) -> [DeviceContents.Field] {
    return [
      .word("magic", 0x494E_4E53), .half("major", 1), .half("minor", 3),
      .word("bytes", contents.byteCount), .word("crc", crc), .word("arena_bytes", arena.bytes),
      .word("steps", model.steps), .word("max_steps", model.maximumSteps),
      .word("step_microseconds", model.stepMicroseconds), .half("block", block),
      .byte("needs_general", needsGeneral ? 1 : 0), .byte("has_exit", model.exit == nil ? 0 : 1),
      .half("port_count", model.inputs.count),
      .half("layer_count", graph.layers.count), .half("projection_count", rows.count),
      .byte("ring_count", graph.rings.count), .byte("sensor_count", sensors.count),
      .word("ports", contents.portOffset),
      .word("layers", contents.layerOffset), .word("projections", contents.projectionOffset),
      .word("sums", arena.sums), .word("value_sums", arena.valueSums),
      .word("membrane", arena.membrane), .word("spikes", arena.spikes),
      .word("scores", arena.scores),
    ]
  }

  private func portFields(_ index: Int) -> [DeviceContents.Field] {
    let port = model.inputs[index]
    var range = (minimum: 0, maximum: 0, framePerStep: false)
    if case .values(let minimum, let maximum, let framePerStep) = port.kind {
      range = (minimum, maximum, framePerStep)
    }
    return [
      .half("channels", port.shape.channels), .half("height", port.shape.height),
      .half("width", port.shape.width), .byte("kind", Self.kind(of: port)),
      .byte("frame_per_step", range.framePerStep ? 1 : 0), .half("min_value", range.minimum),
      .half("max_value", range.maximum), .word("map", arena.ports[index]),
    ]
  }

  /// `enum snn_image_port_kind`, and of a projection `enum snn_image_carries`.
  private static func kind(of port: InputPort) -> Int {
    switch port.kind {
    case .events(.once): 0
    case .events(.every): 3
    case .values: port.fitsBytes ? 1 : 2
    }
  }

  private func layerFields(
    _ index: Int, in contents: inout DeviceContents
  ) -> [DeviceContents.Field] {
    let layer = graph.layers[index]
    let offsets = arena.layers[index]
    let parameters = appendParameters(of: index, to: &contents)
    var reset = (kind: 0, value: 0)
    var lif = Population.LIF(threshold: .none, floor: 0, ceiling: 0)
    if case .lif(let found) = model.populations[layer.population].kind { lif = found }
    switch lif.reset {
    case .subtract: break
    case .zero: reset.kind = 1
    case .value(let value): reset = (2, value)
    }
    let isReadout = index == graph.layers.count - 1
    let first = graph.layers[..<index].reduce(0) { $0 + $1.windows.count }
    return [
      .half("population", layer.population), .half("channels", layer.shape.channels),
      .half("height", layer.shape.height), .half("width", layer.shape.width),
      .half("lanes", layer.lanes), .half("columns", layer.columns),
      .byte("flags", traits[index].flags.rawValue), .byte("readout", isReadout ? 1 : 0),
      .byte("reset", reset.kind), .byte("refractory_steps", lif.refractorySteps),
      .byte("greater", lif.compare == .greater && !isReadout ? 1 : 0),
      .byte("reserved", 0), .half("floor", lif.floor),
      .half("ceiling", lif.ceiling), .half("reset_value", reset.value),
      .word("threshold", parameters.threshold), .word("decay", parameters.decay),
      .word("bias", parameters.bias), .word("initial", parameters.initial),
      .word("drive", parameters.drive),
      .word("membrane", offsets.membrane), .word("refractory", offsets.refractory),
      .word("map", offsets.map), .word("map_bytes", offsets.mapBytes),
      .half("first_projection", first), .half("projection_count", layer.windows.count),
    ]
  }

  private mutating func projectionFields(
    _ window: DeviceWindow, of index: Int, in contents: inout DeviceContents
  ) -> [DeviceContents.Field] {
    var source = (index: 0, fromPort: 1, carries: 0, map: 0, mapBytes: 0)
    switch window.source {
    case .port(let port):
      source.index = port
      source.carries = model.inputs[port].encoder == nil ? Self.kind(of: model.inputs[port]) : 0
      source.map = arena.ports[port]
      source.mapBytes = window.values == nil ? DeviceArena.mapBytes(window.shape.count) : 0
    case .layer(let layer):
      let offsets = arena.layers[layer]
      source = (layer, 0, 0, offsets.map, offsets.mapBytes)
    }
    let ring = graph.ring(of: window.source)
    if let ring { (source.map, source.mapBytes) = (arena.rings[ring].map, arena.rings[ring].bytes) }
    let packed = appendRows(of: window, onto: index, to: &contents)
    let rowBytes = [window.paddedColumns, window.paddedColumns / 2, 0][packed.form.rawValue]
    return [
      .half("projection", window.projection), .half("source", source.index),
      .byte("from_port", source.fromPort), .byte("carries", source.carries),
      .byte("rows", packed.form.rawValue), .byte("held", window.isHeld ? 1 : 0),
      .byte("pool", window.pool), .byte("shift", window.shift),
      .byte("stride_y", window.y.stride), .byte("stride_x", window.x.stride),
      .byte("padding_y", window.y.paddingBefore), .byte("padding_x", window.x.paddingBefore),
      .half("channels", window.shape.channels), .half("height", window.shape.height),
      .half("width", window.shape.width), .half("pooled_height", window.pooled.height),
      .half("pooled_width", window.pooled.width), .half("kernel_height", window.y.kernel),
      .half("kernel_width", window.x.kernel), .half("delay", window.delay),
      .half("ring", ring.map { $0 + 1 } ?? 0), .word("map", source.map),
      .word("map_bytes", source.mapBytes), .word("row_bytes", rowBytes),
      .word("weights", packed.weights), .word("starts", packed.starts),
      .word("places", packed.places), .word("synapses", packed.synapses),
    ]
  }

  // MARK: Arrays

  /// The arrays of a layer's parameters; offset 0: none.
  private func appendParameters(
    of index: Int, to contents: inout DeviceContents
  ) -> (threshold: Int, decay: Int, bias: Int, initial: Int, drive: Int) {
    let layer = graph.layers[index]
    let population = model.populations[layer.population]
    let pixels = traits[index].contains(.perNeuron) ? layer.pixels : 1
    func append(
      _ name: String, _ element: DeviceContents.Numbers.Element, padding: Int,
      unlessAll fallback: Int?, _ value: (Int) -> Int
    ) -> Int {
      var values: [Int] = []
      for pixel in 0..<pixels {
        values += (0..<layer.lanes).map { lane in
          lane < layer.shape.channels ? value(pixel * layer.shape.channels + lane) : padding
        }
      }
      if let fallback, values.allSatisfy({ $0 == fallback }) { return 0 }
      return contents.append("layer\(index)_\(name)", element, values)
    }
    var (threshold, drive) = (0, 0)
    if case .lif(let lif) = population.kind {
      let isFast = !traits[index].contains(.general)
      let raised = isFast && lif.compare == .greater ? 1 : 0
      threshold = append("threshold", .int16, padding: 32767, unlessAll: nil) {
        // A fast neuron that would fire at 32768 stays below 32767 (``MembraneReach``).
        min(lif.threshold.value(of: $0, in: population.shape, default: 0) + raised, 32767)
      }
      if isFast && block > 1, let least = NeuronDrive(layer, steps: model.maximumSteps) {
        drive = append("drive", .int32, padding: Int(Int32.max), unlessAll: nil) {
          least.sum(of: $0, in: population, lif) ?? Int(Int32.max)
        }
      }
    }
    let noDecay = Population.noLeak * 65536 + 1
    if case .lif(let lif) = population.kind, !lif.currentLeak.values.isEmpty {
      drive = append("current_decay", .uint32, padding: noDecay, unlessAll: nil) {
        lif.currentLeak.value(of: $0, in: population.shape, default: 0) * 65536 + 1
      }
    }
    return (
      threshold,
      append("decay", .uint32, padding: noDecay, unlessAll: noDecay) {
        population.leak(of: $0) * 65536 + 1
      },
      append("bias", .int32, padding: 0, unlessAll: 0) { population.bias(of: $0) },
      append("initial", .int32, padding: 0, unlessAll: 0) { population.initial(of: $0) },
      drive
    )
  }

  private mutating func appendRows(
    of window: DeviceWindow, onto layer: Int, to contents: inout DeviceContents
  ) -> (form: DeviceRows, weights: Int, starts: Int, places: Int, synapses: Int) {
    let form = window.chosenRows(
      cost, isWide: traits[layer].contains(.wide), preferring: preference)
    let stem = "projection\(rows.count)"
    rows.append(form)
    let synapses = contents.append("\(stem)_synapses", .uint16, window.synapses)
    let places =
      window.pool > 1 ? contents.append("\(stem)_places", .uint16, window.places) : 0
    func append(_ bytes: [UInt8]) -> Int {
      contents.append("\(stem)_weights", .uint8, bytes.map(Int.init))
    }
    switch form {
    case .eight: return (form, append(window.packedBytes()), 0, places, synapses)
    case .four: return (form, append(window.packedNibbles()), 0, places, synapses)
    case .list:
      let list = window.packedList()
      let starts = contents.append("\(stem)_starts", .uint32, list.starts.map(Int.init))
      return (form, append(list.synapses), starts, places, synapses)
    }
  }
}

extension InputPort {
  /// Whether the firmware takes the port's values as bytes.
  var fitsBytes: Bool {
    guard case .values(let minimum, let maximum, _) = kind else { return false }
    return minimum >= 0 && maximum <= 255
  }
}
