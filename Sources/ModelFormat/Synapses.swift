import Wiring

/// The synapses of one projection, by the (pooled) source they start from (FORMAT.md §3).
///
/// Holds the non-zero entries of the weight matrix; a synapse is such an entry at a place where it
/// applies.
package struct Synapses: Sendable {
  /// The source before its pool, and after.
  private let source: Shape
  private let cells: Shape
  private let target: Shape
  private let pool: Int
  private let taps: Int
  private let topology: Topology
  /// The non-zero entries, and where each run of consecutive columns of one row starts among them.
  /// A run is a whole row, for CONV the C_out / groups columns of one kernel tap, for ONE_TO_ONE a
  /// single entry.
  private let columns: [Int]
  private let weights: [Int]
  private let starts: [Int]

  /// The synapses of a projection of a valid model.
  package init(of projection: Projection, in model: Model) {
    source = model.sourceShape(of: projection)
    cells = source.pooled(by: projection.pool)
    target = model.populations[projection.target].shape
    pool = projection.pool
    taps = projection.taps
    topology = projection.topology
    let matrix = projection.weights
    var run = matrix.columns
    switch topology {
    case .dense, .lateral: break
    case .oneToOne: run = 1
    case .convolution(let convolution): run = target.channels / convolution.groups
    }
    var (columns, weights, starts) = ([Int](), [Int](), [0])
    for (position, weight) in matrix.values.enumerated() {
      if weight != 0 {
        columns.append(position % run)
        weights.append(Int(weight))
      }
      if position % run == run - 1 { starts.append(columns.count) }
    }
    (self.columns, self.weights, self.starts) = (columns, weights, starts)
  }

  /// Runs of one tap.
  private var runs: Int { (starts.count - 1) / taps }

  /// The pooled cell that a source feeds, or nil outside a full window (FORMAT.md §3, sum-pool).
  func cell(of neuron: Int) -> Int? {
    guard pool > 1 else { return neuron }
    let (channel, y, x) = source.coordinates(of: neuron)
    guard y / pool < cells.height, x / pool < cells.width else { return nil }
    return cells.index(channel: channel, y: y / pool, x: x / pool)
  }

  /// The value of every pooled cell: the sum of its sources' values.
  func pooled(_ values: [Int16]) -> [Int] {
    var sums = [Int](repeating: 0, count: cells.count)
    for (neuron, value) in values.enumerated() {
      if let cell = cell(of: neuron) { sums[cell] += Int(value) }
    }
    return sums
  }

  /// Adds `amount` times the weight of every synapse of `cell` in one tap to its target's sum, and
  /// returns the number of those synapses.
  package func deliver(
    _ amount: Int, from cell: Int, tap: Int = 0, to sums: inout [Int]
  ) -> Int {
    let first = tap * runs
    switch topology {
    case .dense:
      return deliver(amount, run: first + cell, onto: 0, in: &sums)
    case .oneToOne:
      let run = target.count == runs ? cell : target.channels == runs ? cell % runs : 0
      return deliver(amount, run: first + run, onto: cell, in: &sums)
    case .lateral:
      guard starts[first] < starts[first + 1] else { return 0 }
      let weight = weights[starts[first]]
      for neuron in sums.indices where neuron != cell { sums[neuron] += amount * weight }
      return sums.count - 1
    case .convolution(let convolution):
      return deliver(amount, from: cell, through: convolution, firstRun: first, to: &sums)
    }
  }

  private func deliver(
    _ amount: Int, from cell: Int, through convolution: Convolution, firstRun: Int,
    to sums: inout [Int]
  ) -> Int {
    let (channel, y, x) = cells.coordinates(of: cell)
    let group = channel / (cells.channels / convolution.groups)
    let firstOutput = group * (target.channels / convolution.groups)
    let kernel = convolution.y.kernel * convolution.x.kernel
    var count = 0
    for ky in 0..<convolution.y.kernel {
      guard let oy = convolution.y.output(of: y, tap: ky, within: target.height) else { continue }
      for kx in 0..<convolution.x.kernel {
        guard let ox = convolution.x.output(of: x, tap: kx, within: target.width) else { continue }
        let run = firstRun + channel * kernel + ky * convolution.x.kernel + kx
        let first = target.index(channel: firstOutput, y: oy, x: ox)
        count += deliver(amount, run: run, onto: first, in: &sums)
      }
    }
    return count
  }

  /// Delivers one run of columns, column 0 of which belongs to target neuron `first`.
  private func deliver(_ amount: Int, run: Int, onto first: Int, in sums: inout [Int]) -> Int {
    let entries = starts[run]..<starts[run + 1]
    for entry in entries { sums[first + columns[entry]] += amount * weights[entry] }
    return entries.count
  }
}
