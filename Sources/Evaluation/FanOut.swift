import ModelFormat
import Wiring

/// How many synapses start from each source of a projection in one of its taps (FORMAT.md §3).
///
/// At the border of a convolution fewer kernel taps apply, so the count depends on the place.
struct FanOut: Sendable {
  /// Per source before the pool: its pooled cell; nil outside every full window.
  let cells: [Int?]
  /// Per pooled cell: synapses, that is entries that are not zero at each place they apply.
  let synapses: [Int]
  /// Per pooled cell: connections, that is entries at each place they apply, zeros included.
  let connections: [Int]

  /// The fan-out of a tap of a projection of a valid model.
  init(of projection: Projection, tap: Int, in model: Model) {
    let source = model.sourceShape(of: projection)
    let pooled = source.pooled(by: projection.pool)
    let target = model.populations[projection.target].shape
    cells = (0..<source.count).map { Self.cell(of: $0, in: source, pool: projection.pool, pooled) }
    let matrix = projection.weights(ofTap: tap)
    switch projection.topology {
    case .dense:
      synapses = (0..<pooled.count).map { row in
        (0..<matrix.columns).count { matrix[row, $0] != 0 }
      }
      connections = [Int](repeating: matrix.columns, count: pooled.count)
    case .oneToOne:
      let weights = Parameter(matrix.values.map(Int.init))
      synapses = (0..<pooled.count).map {
        weights.value(of: $0, in: target, default: 0) == 0 ? 0 : 1
      }
      connections = [Int](repeating: 1, count: pooled.count)
    case .lateral:
      let others = target.count - 1
      synapses = [Int](repeating: matrix[0, 0] == 0 ? 0 : others, count: pooled.count)
      connections = [Int](repeating: others, count: pooled.count)
    case .convolution(let convolution):
      (synapses, connections) = Self.counts(of: convolution, matrix, over: pooled, onto: target)
    }
  }

  /// The connections of all cells: what one pass of the dense network multiplies.
  var totalConnections: Int { connections.reduce(0, +) }

  private static func cell(of neuron: Int, in source: Shape, pool: Int, _ pooled: Shape) -> Int? {
    let (channel, y, x) = source.coordinates(of: neuron)
    guard y / pool < pooled.height, x / pool < pooled.width else { return nil }
    return pooled.index(channel: channel, y: y / pool, x: x / pool)
  }

  private static func counts(
    of convolution: Convolution, _ matrix: WeightMatrix, over pooled: Shape, onto target: Shape
  ) -> (synapses: [Int], connections: [Int]) {
    let outputs = target.channels / convolution.groups
    let taps = convolution.y.kernel * convolution.x.kernel
    let perTap = (0..<pooled.channels).map { row in
      (0..<taps).map { tap in (0..<outputs).count { matrix[row, tap * outputs + $0] != 0 } }
    }
    let rows = (0..<pooled.height).map { y in
      (0..<convolution.y.kernel).filter {
        convolution.y.output(of: y, tap: $0, within: target.height) != nil
      }
    }
    let columns = (0..<pooled.width).map { x in
      (0..<convolution.x.kernel).filter {
        convolution.x.output(of: x, tap: $0, within: target.width) != nil
      }
    }
    var (synapses, connections) = ([Int](), [Int]())
    for y in 0..<pooled.height {
      for x in 0..<pooled.width {
        let applied = rows[y].flatMap { ky in
          columns[x].map { ky * convolution.x.kernel + $0 }
        }
        for channel in 0..<pooled.channels {
          synapses.append(applied.reduce(0) { $0 + perTap[channel][$1] })
          connections.append(applied.count * outputs)
        }
      }
    }
    return (synapses, connections)
  }
}
