import ModelFormat

/// Operations as the NeuroBench benchmark harness (version 2.3) defines them, which is not always
/// how an engine executes them.
///
/// There a projection is a layer that runs once a step. A run counts as accumulates if all its
/// inputs are −1, 0 or 1, and as multiply-accumulates otherwise. *Effective* operations pair an
/// input that is not zero with a weight that is not zero; *dense* ones take every pair. Hence
/// three differences to the counters of FORMAT.md §6: a held frame counts in every step; several
/// spikes in one pooled cell count once; and a step with such a cell counts as multiplications,
/// though an engine executes additions.
public struct NeuroBenchOperations: Equatable, Codable, Sendable {
  /// Accumulates: steps whose inputs were all −1, 0 or 1.
  public var effectiveACs: Double
  /// Multiply-accumulates: all other steps.
  public var effectiveMACs: Double
  /// All pairs of an input and a weight, in every step.
  public var dense: Double

  /// The given operations, 0 by default.
  public init(effectiveACs: Double = 0, effectiveMACs: Double = 0, dense: Double = 0) {
    self.effectiveACs = effectiveACs
    self.effectiveMACs = effectiveMACs
    self.dense = dense
  }

  enum CodingKeys: String, CodingKey {
    case effectiveACs = "effective_acs"
    case effectiveMACs = "effective_macs"
    case dense
  }

  static func + (left: Self, right: Self) -> Self {
    Self(
      effectiveACs: left.effectiveACs + right.effectiveACs,
      effectiveMACs: left.effectiveMACs + right.effectiveMACs, dense: left.dense + right.dense)
  }

  /// Each number divided by `count`.
  func divided(by count: Int) -> Self {
    let count = Double(max(count, 1))
    return Self(
      effectiveACs: effectiveACs / count, effectiveMACs: effectiveMACs / count,
      dense: dense / count)
  }
}

extension Forecast {
  /// The operations of one inference as NeuroBench counts them, per projection.
  ///
  /// Precondition as for ``counters(of:)``.
  public func neuroBench(of history: SpikeHistory) -> [NeuroBenchOperations] {
    let arrivals = Arrivals(of: history, model: model)
    return model.projections.indices.map { index in
      fanOuts[index].indices.map { operations(of: arrivals, through: index, tap: $0) }
        .reduce(NeuroBenchOperations(), +)
    }
  }

  private func operations(
    of arrivals: Arrivals, through index: Int, tap: Int
  ) -> NeuroBenchOperations {
    let (fanOut, steps) = (fanOuts[index][tap], arrivals.steps)
    var operations = NeuroBenchOperations(dense: Double(fanOut.totalConnections * steps))
    func add(_ cells: some Sequence<(cell: Int, value: Int)>, times: Int) {
      var (effective, isBinary) = (0, true)
      for (cell, value) in cells where value != 0 {
        effective += fanOut.synapses[cell]
        isBinary = isBinary && abs(value) == 1
      }
      if isBinary {
        operations.effectiveACs += Double(effective * times)
      } else {
        operations.effectiveMACs += Double(effective * times)
      }
    }
    if let frames = arrivals.frames(into: index, tap: tap) {
      for frame in frames {
        let cells = pooled(frame, through: fanOut).enumerated().lazy.map {
          (cell: $0.offset, value: $0.element)
        }
        add(cells, times: arrivals.isHeld(into: index) ? steps : 1)
      }
      return operations
    }
    for step in 0..<steps {
      var sums: [Int: Int] = [:]
      for source in arrivals.spikes(into: index, tap: tap, at: step) {
        if let cell = fanOut.cells[Int(source)] { sums[cell, default: 0] += 1 }
      }
      add(sums.lazy.map { (cell: $0.key, value: $0.value) }, times: 1)
    }
    return operations
  }
}
