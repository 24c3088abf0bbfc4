import ModelFormat
import Wiring

/// What a projection has before it knows its ends: it decides, or fits, the target's shape.
struct ProjectionDraft {
  var target: Shape
  var topology: Topology
  var pool: Int
  var weights: WeightMatrix
}

extension RandomModelBuilder {
  /// A projection of any topology that decides the shape of its target.
  mutating func projection(from source: Source) -> ProjectionDraft {
    let pool = pool(over: shape(of: source))
    let cells = shape(of: source).pooled(by: pool)
    switch integer(0...5) {
    case 0: return oneToOne(over: cells, pool: pool)
    case 1: return lateral(over: cells, pool: pool)
    case 2: return dense(over: cells, pool: pool, to: Shape(channels: integer(1...12)))
    default:
      let geometry = convolution(over: cells)
      let target = geometry.outputShape(
        of: cells, channels: geometry.groups * integer(1...max(1, 5 / geometry.groups)))
      return convolution(geometry, over: cells, pool: pool, to: target)
    }
  }

  /// A projection onto an existing population, of any topology that fits it.
  mutating func joining(_ source: Source, _ target: Int) -> ProjectionDraft {
    let wanted = targetShape(target)
    let pool = pool(over: shape(of: source))
    let cells = shape(of: source).pooled(by: pool)
    if cells == wanted {
      switch integer(0...3) {
      case 0: return oneToOne(over: cells, pool: pool)
      case 1: return lateral(over: cells, pool: pool)
      default: break
      }
    }
    // Few draws fit by chance; without one the projection is dense.
    for _ in 0..<20 {
      let geometry = convolution(over: cells)
      if wanted.channels % geometry.groups == 0,
        geometry.outputShape(of: cells, channels: wanted.channels) == wanted
      {
        return convolution(geometry, over: cells, pool: pool, to: wanted)
      }
    }
    return dense(over: cells, pool: pool, to: wanted)
  }

  mutating func dense(from source: Source, to target: Shape) -> ProjectionDraft {
    let pool = pool(over: shape(of: source))
    return dense(over: shape(of: source).pooled(by: pool), pool: pool, to: target)
  }

  // MARK: Topologies

  private mutating func dense(over cells: Shape, pool: Int, to target: Shape) -> ProjectionDraft {
    ProjectionDraft(
      target: target, topology: .dense, pool: pool,
      weights: weights(rows: cells.count, columns: target.count))
  }

  private mutating func oneToOne(over cells: Shape, pool: Int) -> ProjectionDraft {
    let columns = pick([1, cells.channels, cells.count])
    return ProjectionDraft(
      target: cells, topology: .oneToOne, pool: pool, weights: weights(rows: 1, columns: columns))
  }

  private mutating func lateral(over cells: Shape, pool: Int) -> ProjectionDraft {
    ProjectionDraft(
      target: cells, topology: .lateral, pool: pool, weights: weights(rows: 1, columns: 1))
  }

  private mutating func convolution(
    _ geometry: Convolution, over cells: Shape, pool: Int, to target: Shape
  ) -> ProjectionDraft {
    let taps = geometry.y.kernel * geometry.x.kernel
    return ProjectionDraft(
      target: target, topology: .convolution(geometry), pool: pool,
      weights: weights(rows: cells.channels, columns: taps * (target.channels / geometry.groups)))
  }

  private mutating func convolution(over cells: Shape) -> Convolution {
    let divisors = (1...cells.channels).filter { cells.channels % $0 == 0 }
    return Convolution(
      y: axis(over: cells.height), x: axis(over: cells.width),
      groups: chance(2) ? 1 : pick(divisors))
  }

  /// A direction whose kernel fits a source of `length` and whose output stays small.
  private mutating func axis(over length: Int) -> Convolution.Axis {
    while true {
      let axis = Convolution.Axis(
        kernel: length == 1 ? pick([1, 1, 3]) : integer(1...5), stride: pick([1, 1, 2, 3]),
        paddingBefore: integer(0...3), paddingAfter: integer(0...3), dilation: pick([1, 1, 2, 3]))
      if (1...7).contains(axis.outputLength(of: length)) { return axis }
    }
  }

  private mutating func pool(over shape: Shape) -> Int {
    let largest = min(shape.height, shape.width)
    return chance(3) ? integer(1...min(largest, 3)) : 1
  }

  // MARK: Weights

  /// A matrix whose first tap has the given weights, later ones the same in another order.
  mutating func repeated(_ weights: WeightMatrix, taps: Int) -> WeightMatrix {
    var values = weights.values
    for _ in 1..<max(taps, 1) { values += weights.values.shuffled(using: &random) }
    return WeightMatrix(rows: weights.rows * taps, columns: weights.columns, values: values)
  }

  private mutating func weights(rows: Int, columns: Int) -> WeightMatrix {
    let levels: [Int8]
    switch integer(0...6) {
    case 0: levels = [-1, 0, 1]
    case 1: levels = Array(-8...7)
    case 2: levels = [-128, 127]
    case 3: levels = (0..<pick([1, 2, 3, 4, 13, 16])).map { _ in Int8(integer(-128...127)) }
    default: levels = Array(-30...30)
    }
    let density = pick([1.0, 1.0, 0.5, 0.1, 0.02, 0.0])
    let values = (0..<rows * columns).map { _ in
      random.uniform() < density ? pick(levels) : 0
    }
    return WeightMatrix(rows: rows, columns: columns, values: values)
  }
}
