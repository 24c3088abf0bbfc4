/// Who reaches whom: populations as nodes, projections between them as edges.
///
/// Both worlds take their order of evaluation from here: the integer model from ``order()``, the
/// trainer's schedule from ``components()``.
public struct Graph: Sendable {
  /// One projection between two populations.
  public struct Edge: Hashable, Sendable {
    /// Index of the population that spikes, 0..<nodes.
    public var source: Int
    /// Index of the population that receives, 0..<nodes.
    public var target: Int
    /// Steps between a spike and its arrival, ≥ 0.
    public var delay: Int

    /// An edge from `source` to `target`.
    public init(from source: Int, to target: Int, delay: Int) {
      self.source = source
      self.target = target
      self.delay = delay
    }
  }

  /// The number of populations.
  public let nodes: Int
  /// The projections between populations, in any order.
  public let edges: [Edge]

  /// A graph of `nodes` populations. Precondition: edges end within 0..<nodes.
  public init(nodes: Int, edges: [Edge]) {
    precondition(
      edges.allSatisfy { (0..<nodes).contains($0.source) && (0..<nodes).contains($0.target) },
      "an edge leaves a graph of \(nodes) populations")
    self.nodes = nodes
    self.edges = edges
  }

  /// Populations that wait for each other within one step, and therefore for ever.
  public struct Cycle: Error, Equatable, Sendable {
    /// The populations of one cycle of edges without delay, the first repeated at the end.
    public let nodes: [Int]
  }

  /// The order in which one step evaluates the populations: topological by the edges without delay,
  /// ties by lowest index. Throws ``Cycle`` where there is none.
  public func order() throws(Cycle) -> [Int] {
    var predecessors = [[Int]](repeating: [], count: nodes)
    for edge in edges where edge.delay == 0 { predecessors[edge.target].append(edge.source) }
    var order: [Int] = []
    var evaluated = [Bool](repeating: false, count: nodes)
    while let next = (0..<nodes).first(where: { candidate in
      !evaluated[candidate] && predecessors[candidate].allSatisfy { evaluated[$0] }
    }) {
      evaluated[next] = true
      order.append(next)
    }
    guard order.count == nodes else { throw Self.cycle(among: predecessors, evaluated) }
    return order
  }

  /// Every population left over has a predecessor left over, so walking backwards must return to a
  /// population already seen.
  private static func cycle(among predecessors: [[Int]], _ evaluated: [Bool]) -> Cycle {
    var path: [Int] = []
    var current = evaluated.firstIndex(of: false)
    while let node = current {
      if let start = path.firstIndex(of: node) {
        return Cycle(nodes: [node] + path[start...].reversed())
      }
      path.append(node)
      current = predecessors[node].first { !evaluated[$0] }
    }
    return Cycle(nodes: path)
  }

  /// The strongly connected components over edges of every delay, in an order in which each comes
  /// after those it hears from; ties by the lowest population. A component's populations ascend.
  ///
  /// Populations of one component reach each other over steps and must run step by step; a
  /// component of one population without an edge onto itself can run all its steps at once.
  public func components() -> [[Int]] {
    let reached = (0..<nodes).map { self.reached(from: $0) }
    var open = Set(0..<nodes)
    var components: [[Int]] = []
    while !open.isEmpty {
      // A component is next where everything still open that reaches it is part of it.
      let next = open.sorted().first { node in
        open.allSatisfy { !reached[$0].contains(node) || reached[node].contains($0) || $0 == node }
      }
      guard let next else { preconditionFailure("components of a graph form no cycle") }
      let component = open.filter {
        $0 == next || (reached[next].contains($0) && reached[$0].contains(next))
      }.sorted()
      components.append(component)
      open.subtract(component)
    }
    return components
  }

  /// Whether a population hears itself, directly or through others.
  public func isRecurrent(_ component: [Int]) -> Bool {
    component.count > 1 || edges.contains { $0.source == component[0] && $0.target == component[0] }
  }

  /// The populations that spikes of `node` can reach, over any number of edges.
  private func reached(from node: Int) -> Set<Int> {
    var seen: Set<Int> = []
    var pending = [node]
    while let current = pending.popLast() {
      for edge in edges where edge.source == current && seen.insert(edge.target).inserted {
        pending.append(edge.target)
      }
    }
    return seen
  }
}
