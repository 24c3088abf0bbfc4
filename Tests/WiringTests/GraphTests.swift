import Testing
import Wiring

/// The order of evaluation and the components of graphs.
@Suite struct GraphTests {
  private func graph(_ nodes: Int, _ edges: [(Int, Int, Int)]) -> Graph {
    Graph(nodes: nodes, edges: edges.map { Graph.Edge(from: $0.0, to: $0.1, delay: $0.2) })
  }

  @Test func orderFollowsEdgesWithoutDelayAndThenTheIndex() throws {
    #expect(try graph(4, [(3, 0, 0), (0, 2, 0)]).order() == [1, 3, 0, 2])
    #expect(try graph(3, [(2, 0, 1), (0, 1, 0)]).order() == [0, 1, 2])
  }

  @Test func aCycleWithoutDelayIsNamed() {
    let cycle = #expect(throws: Graph.Cycle.self) {
      try graph(4, [(0, 1, 0), (1, 2, 0), (2, 1, 0), (2, 3, 0)]).order()
    }
    #expect(cycle?.nodes.first == cycle?.nodes.last)
    #expect(Set(cycle?.nodes ?? []) == [1, 2])
  }

  @Test func populationsThatReachEachOtherFormOneComponent() {
    let graph = graph(5, [(0, 1, 0), (1, 2, 0), (2, 1, 1), (2, 3, 0), (3, 3, 1), (3, 4, 0)])
    #expect(graph.components() == [[0], [1, 2], [3], [4]])
    #expect(graph.components().map(graph.isRecurrent) == [false, true, true, false])
  }

  @Test func componentsComeAfterThoseTheyHearFrom() {
    // Every graph of three nodes: 2^9 sets of edges.
    for bits in 0..<512 {
      let edges = (0..<9).filter { bits >> $0 & 1 == 1 }.map { ($0 / 3, $0 % 3, 1) }
      let graph = graph(3, edges)
      let components = graph.components()
      #expect(components.flatMap { $0 }.sorted() == [0, 1, 2])
      var place = [Int](repeating: 0, count: 3)
      for (index, component) in components.enumerated() {
        for node in component { place[node] = index }
      }
      #expect(
        graph.edges.allSatisfy { place[$0.source] <= place[$0.target] }, "edges \(edges)")
    }
  }
}
