import Wiring

extension Model {
  /// The populations in the order a step evaluates them (FORMAT.md §3): topological by delay-0
  /// projections, ties by lowest index.
  ///
  /// Throws ``ModelError/cycle(place:expected:found:)`` naming one cycle. Precondition: the
  /// projections refer to existing populations.
  public func evaluationOrder() throws(ModelError) -> [Int] {
    do throws(Graph.Cycle) {
      return try graph.order()
    } catch {
      throw .cycle(
        place: "projections", expected: "no cycle of delay-0 projections",
        found: error.nodes.map { place(ofPopulation: $0) }.joined(separator: " → "))
    }
  }

  /// The populations and the projections between them.
  public var graph: Graph {
    Graph(
      nodes: populations.count,
      edges: projections.compactMap { projection in
        guard case .population(let source) = projection.source else { return nil }
        return Graph.Edge(from: source, to: projection.target, delay: projection.delay)
      })
  }
}
