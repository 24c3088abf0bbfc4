import Wiring

/// The order in which a pass computes the populations.
///
/// Populations that reach each other run together, step by step; each other population computes all
/// its steps at once, after those it hears from.
struct Schedule: Sendable {
  /// Populations that run together.
  struct Component: Hashable, Sendable {
    /// In the order in which a step evaluates them.
    var populations: [Int]
    /// Whether they must run step by step.
    var isRecurrent: Bool
  }

  let components: [Component]

  /// Throws ``NetworkError`` where populations wait for each other within one step.
  init(_ populations: [Population], _ projections: [Projection]) throws(NetworkError) {
    let graph = Graph(
      nodes: populations.count,
      edges: projections.compactMap { projection in
        guard case .population(let source) = projection.source else { return nil }
        return Graph.Edge(from: source, to: projection.target, delay: projection.delay)
      })
    let order: [Int]
    do throws(Graph.Cycle) {
      order = try graph.order()
    } catch {
      throw NetworkError(
        "projections", expected: "a delay of at least 1 somewhere on every cycle",
        found: error.nodes.map { populations[$0].name }.joined(separator: " → "))
    }
    components = graph.components().map { component in
      Component(
        populations: order.filter(component.contains), isRecurrent: graph.isRecurrent(component))
    }
    for component in components where component.isRecurrent {
      for population in component.populations where populations[population].normalization != nil {
        throw NetworkError(
          "population \(populations[population].name)",
          expected: "no normalisation where a population hears itself: it needs all steps at once",
          found: "one")
      }
    }
  }
}
