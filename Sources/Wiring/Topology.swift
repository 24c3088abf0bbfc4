/// Where a projection's spikes or values come from.
public enum Source: Hashable, Sendable {
  /// An input port, by its index.
  case input(Int)
  /// A population, by its index.
  case population(Int)

  /// Whether it is a port.
  public var isPort: Bool {
    if case .input = self { true } else { false }
  }
}

/// Which source of a projection reaches which target through which entry of its weight matrix
/// (FORMAT.md §3, weights).
public enum Topology: Hashable, Sendable {
  /// Every source to every target.
  case dense
  /// Cross-correlation over zero padding.
  case convolution(Convolution)
  /// i to i.
  case oneToOne
  /// i to every j ≠ i.
  case lateral
}
