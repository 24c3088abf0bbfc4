import Tensors
import Wiring

extension Network {
  /// Every rule of ``init(name:steps:ports:populations:projections:readout:)``.
  static func check(
    _ steps: Int, _ ports: [InputPort], _ populations: [Population], _ projections: [Projection],
    readout: Int
  ) throws(NetworkError) {
    guard steps >= 1 else { throw NetworkError("steps", expected: "at least 1", found: "\(steps)") }
    try checkNames(ports.map(\.name), of: "port")
    try checkNames(populations.map(\.name), of: "population")
    try checkNames(projections.map(\.name), of: "projection")
    guard populations.indices.contains(readout), populations[readout].isReadout else {
      throw NetworkError(
        "readout", expected: "the index of a read-out population", found: "\(readout)")
    }
    for population in populations { try check(population) }
    for projection in projections { try check(projection, ports, populations) }
  }

  private static func checkNames(_ names: [String], of kind: String) throws(NetworkError) {
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted {
      throw NetworkError(
        "\(kind) \(name)", expected: "a name that no other \(kind) has", found: "it twice")
    }
  }

  private static func check(_ population: Population) throws(NetworkError) {
    let place = "population \(population.name)"
    guard population.isReadout == (population.threshold == nil) else {
      throw NetworkError(
        place, expected: population.isReadout ? "no threshold in a read-out" : "a threshold",
        found: population.isReadout ? "one" : "none")
    }
    guard !population.isReadout || (population.normalization == nil && population.dropout == 0)
    else {
      throw NetworkError(
        place, expected: "no normalisation or dropout in a read-out", found: "one of them")
    }
    let shape = population.shape
    for parameter in population.parameters
    where ![1, shape.channels, shape.count].contains(parameter.value.count) {
      throw NetworkError(
        "\(place), \(parameter.role)", expected: "1, \(shape.channels) or \(shape.count) values",
        found: "\(parameter.value.count)")
    }
  }

  private static func check(
    _ projection: Projection, _ ports: [InputPort], _ populations: [Population]
  ) throws(NetworkError) {
    let place = "projection \(projection.name)"
    let source: Shape
    switch projection.source {
    case .input(let port):
      guard ports.indices.contains(port) else {
        throw NetworkError(
          place, expected: "a port in 0..<\(ports.count)", found: "port \(port)")
      }
      source = ports[port].shape
      guard !ports[port].isHeld || (projection.delay == 0 && projection.taps == 1) else {
        throw NetworkError(
          place, expected: "no delay from port \(ports[port].name), whose frame never changes",
          found: "delay \(projection.delays.last ?? 0)")
      }
    case .population(let population):
      guard populations.indices.contains(population), !populations[population].isReadout else {
        throw NetworkError(
          place, expected: "a source that spikes",
          found: populations.indices.contains(population)
            ? "read-out \(populations[population].name)" : "population \(population)")
      }
      source = populations[population].shape
    }
    guard populations.indices.contains(projection.target) else {
      throw NetworkError(
        place, expected: "a target in 0..<\(populations.count)",
        found: "population \(projection.target)")
    }
    let ranges = [
      ("delay", projection.delay, 0...255), ("taps", projection.taps, 1...32),
      ("tap_step", projection.tapStep, 1...16), ("pool", projection.pool, 1...16),
    ]
    for (field, value, range) in ranges where !range.contains(value) {
      throw NetworkError(
        "\(place), \(field)", expected: "\(range.lowerBound)…\(range.upperBound)", found: "\(value)"
      )
    }
    try checkGeometry(projection, source, populations[projection.target].shape, place)
  }

  private static func checkGeometry(
    _ projection: Projection, _ source: Shape, _ target: Shape, _ place: String
  ) throws(NetworkError) {
    let pooled = source.pooled(by: projection.pool)
    guard pooled.count > 0 else {
      throw NetworkError(
        "\(place), pool", expected: "a full window in the source \(source)",
        found: "\(projection.pool)")
    }
    var columns = 1
    switch projection.topology {
    case .dense: break
    case .convolution(let convolution):
      guard convolution.groups >= 1, pooled.channels % convolution.groups == 0,
        target.channels % convolution.groups == 0
      else {
        throw NetworkError(
          "\(place), groups",
          expected: "a divisor of \(pooled.channels) and \(target.channels) channels",
          found: "\(convolution.groups)")
      }
      let output = convolution.outputShape(of: pooled, channels: target.channels)
      guard output.count > 0, output == target else {
        throw NetworkError(
          place, expected: "an output of the target's shape \(target)", found: "\(output)")
      }
    case .oneToOne, .lateral:
      guard pooled == target else {
        throw NetworkError(
          place, expected: "a (pooled) source of the target's shape \(target)", found: "\(pooled)")
      }
      columns = projection.weight.value.shape.last ?? 1
      guard [1, target.channels, target.count].contains(columns) else {
        throw NetworkError(
          "\(place), weight", expected: "1, \(target.channels) or \(target.count) values",
          found: "\(columns)")
      }
    }
    let shape = Projection.weightShape(
      projection.topology, taps: projection.taps, from: pooled, onto: target, columns: columns)
    guard projection.weight.value.shape == shape else {
      throw NetworkError(
        "\(place), weight", expected: "\(shape)", found: "\(projection.weight.value.shape)")
    }
  }
}
