/// Where everything that changes lies in an image's arena (models/IMAGE.md, section 5): offsets in
/// bytes, multiples of 4, none of them 0.
public struct DeviceArena: Equatable, Sendable {
  /// What lies where; parts that are never needed at once may overlap.
  public struct Part: Equatable, Sendable {
    /// What it is, such as `map` or `membranes`.
    public var name: String
    /// The layer or port it belongs to; nil: shared.
    public var owner: Int?
    /// Where it begins: bytes from the arena's start, a multiple of 4.
    public var offset: Int
    /// Its bytes.
    public var bytes: Int
  }

  /// Offsets of a layer's buffers; 0: none.
  struct Layer: Equatable, Sendable {
    var map = 0
    var mapBytes = 0
    var membrane = 0
    var refractory = 0
  }

  /// A ring: where its first map lies, and the bytes of one.
  struct Ring: Equatable, Sendable {
    var map: Int
    var bytes: Int
  }

  /// Its size, a multiple of 4.
  public private(set) var bytes = 4
  /// All parts, by name and owner.
  public private(set) var parts: [Part] = []

  private(set) var ports: [Int] = []
  /// In the order of the graph's rings.
  private(set) var rings: [Ring] = []
  private(set) var layers: [Layer] = []
  private(set) var sums = 0
  private(set) var valueSums = 0
  private(set) var membrane = 0
  private(set) var spikes = 0
  private(set) var scores = 0

  /// The arena of a graph's layers, which have these `traits`, in order. `block` 1: streaming.
  init(_ graph: DeviceGraph, _ traits: [DeviceLayerTraits], block: Int) {
    for ring in graph.rings { rings.append(add(ring, of: graph)) }
    for (index, port) in graph.model.inputs.enumerated() {
      if let ring = graph.ring(of: .port(index)) {
        ports.append(port.takesValues ? 0 : rings[ring].map)
      } else {
        ports.append(
          add("events", index, port.takesValues ? 0 : Self.mapBytes(port.shape.count)))
      }
    }
    placeMaps(of: graph, block: block)
    let readout = graph.layers.count - 1
    for (index, layer) in graph.layers.enumerated() where index != readout {
      if block == 1 {
        // Synaptic currents lie behind the membranes.
        let bytes = traits[index].contains(.current) ? 6 : 2
        layers[index].membrane = add("membranes", index, bytes * layer.lanes * layer.pixels)
      }
      if traits[index].refractorySteps > 0 {
        layers[index].refractory = add("refractory", index, layer.lanes * layer.pixels)
      }
    }
    func widest(_ size: (Int) -> Int) -> Int { graph.layers.indices.map(size).max() ?? 0 }
    sums = add(
      "sums", nil,
      widest { block * graph.layers[$0].columns * (traits[$0].contains(.wide) ? 4 : 2) })
    valueSums = add(
      "value sums", nil,
      widest { traits[$0].contains(.driven) ? 4 * graph.layers[$0].columns : 0 })
    membrane = add(
      "membranes", nil, block == 1 ? 0 : widest { $0 == readout ? 0 : 2 * graph.layers[$0].lanes })
    spikes = add(
      "spikes", nil,
      widest { $0 == readout ? 0 : 4 * ((graph.layers[$0].lanes + 31) / 32) })
    scores = add("scores", nil, 4 * graph.layers[readout].lanes)
  }

  /// Bytes of each kind of part, in order of first appearance; parts that share space count once.
  public var bytesByName: [(name: String, bytes: Int)] {
    var names: [String] = []
    for part in parts where !names.contains(part.name) { names.append(part.name) }
    return names.map { name in
      var covered: Set<Int> = []
      for part in parts where part.name == name {
        covered.formUnion(part.offset / 4..<(part.offset + part.bytes) / 4)
      }
      return (name, 4 * covered.count)
    }
  }

  /// Bytes of a spike map of so many neurons: one bit each, in whole words.
  static func mapBytes(_ count: Int) -> Int { (count + 31) / 32 * 4 }

  private mutating func add(_ name: String, _ owner: Int?, _ size: Int) -> Int {
    guard size > 0 else { return 0 }
    let rounded = (size + 3) / 4 * 4
    parts.append(Part(name: name, owner: owner, offset: bytes, bytes: rounded))
    bytes += rounded
    return bytes - rounded
  }

  /// Adds a ring: before its maps a word for the number of the open slot, and before that, where every
  /// event counts, one for their number.
  private mutating func add(
    _ ring: DeviceGraph.Ring, of graph: DeviceGraph
  ) -> Ring {
    let size: Int
    let owner: Int
    switch ring.source {
    case .layer(let layer):
      (size, owner) = (Self.mapBytes(graph.layers[layer].shape.count), layer)
    case .port(let index):
      let port = graph.model.inputs[index]
      let count = port.shape.count
      owner = index
      if ring.gain > 0 {
        size = Self.mapBytes(count)
      } else if port.takesValues {
        size = port.fitsBytes ? (count + 3) / 4 * 4 : (count + 1) / 2 * 4
      } else {
        size = ring.most > 0 ? (count + 1) / 2 * 4 : Self.mapBytes(count)
      }
    }
    let head = ring.most > 0 ? 8 : 4
    return Ring(map: add("rings", owner, head + size * ring.slots) + head, bytes: size)
  }

  /// Places spike maps, largest first, each at the lowest offset where it meets no map that is
  /// needed at the same time. A map is needed from its own layer to the last layer that reads it;
  /// what a later step reads lies in a ring.
  private mutating func placeMaps(of graph: DeviceGraph, block: Int) {
    layers = graph.layers.map { _ in Layer() }
    let start = bytes
    var placed: [(life: ClosedRange<Int>, place: Range<Int>)] = []
    for (ring, place) in zip(graph.rings, rings) {
      guard case .layer(let layer) = ring.source else { continue }
      (layers[layer].map, layers[layer].mapBytes) = (place.map, place.bytes)
    }
    let order = graph.layers.indices.dropLast().filter { graph.ring(of: .layer($0)) == nil }
      .sorted { (-graph.layers[$0].shape.count, $0) < (-graph.layers[$1].shape.count, $1) }
    for index in order {
      let life = index...graph.lastReader(of: index)
      let mapBytes = Self.mapBytes(graph.layers[index].shape.count)
      let size = mapBytes * block
      let taken = placed.filter { $0.life.overlaps(life) }.map(\.place)
      let offset =
        ([start] + taken.map(\.upperBound)).sorted().first { candidate in
          !taken.contains { $0.overlaps(candidate..<candidate + size) }
        } ?? start
      placed.append((life, offset..<offset + size))
      layers[index].map = offset
      layers[index].mapBytes = mapBytes
      parts.append(Part(name: "maps", owner: index, offset: offset, bytes: size))
      bytes = max(bytes, offset + size)
    }
  }
}
