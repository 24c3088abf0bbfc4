extension Model {
  /// The populations in the order a step evaluates them (FORMAT.md §3): topological by delay-0
  /// projections, ties by lowest index.
  ///
  /// Throws ``ModelError/cycle(place:expected:found:)`` naming one cycle. Precondition: the
  /// projections refer to existing populations.
  public func evaluationOrder() throws(ModelError) -> [Int] {
    // predecessors[j]: populations that must come before j, once per projection.
    var predecessors = [[Int]](repeating: [], count: populations.count)
    for projection in projections where projection.delay == 0 {
      if case .population(let source) = projection.source {
        predecessors[projection.target].append(source)
      }
    }
    var order: [Int] = []
    var evaluated = [Bool](repeating: false, count: populations.count)
    while let next = populations.indices.first(where: { candidate in
      !evaluated[candidate] && predecessors[candidate].allSatisfy { evaluated[$0] }
    }) {
      evaluated[next] = true
      order.append(next)
    }
    guard order.count == populations.count else {
      let cycle = cycle(among: predecessors, evaluated: evaluated)
      throw .cycle(
        place: "projections", expected: "no cycle of delay-0 projections",
        found: cycle.map { place(ofPopulation: $0) }.joined(separator: " → "))
    }
    return order
  }

  /// One cycle, its first population repeated at its end.
  ///
  /// Every population left over has a predecessor left over, so walking backwards must return to
  /// a population already seen.
  private func cycle(among predecessors: [[Int]], evaluated: [Bool]) -> [Int] {
    var path: [Int] = []
    var current = evaluated.firstIndex(of: false)
    while let population = current {
      if let start = path.firstIndex(of: population) {
        return [population] + path[start...].reversed()
      }
      path.append(population)
      current = predecessors[population].first { !evaluated[$0] }
    }
    return path
  }
}
