import Tensors
import Wiring

/// Synapses from a port or a population onto a population (FORMAT.md §3), with what they learn.
public struct Projection {
  /// Unique among the network's projections; the weight is named `name.weight`.
  public var name: String
  /// Where spikes or values come from.
  public var source: Source
  /// Index of the target among the populations.
  public var target: Int
  /// Which source reaches which target.
  public var topology: Topology
  /// Side and stride of the sum-pool in front, 1…16; 1: none.
  public var pool: Int
  /// Steps between a spike and its arrival, 0…255; of the first tap where there are several.
  public var delay: Int
  /// How many delays the projection has, 1…32, each with weights of its own.
  public var taps: Int
  /// Steps between one tap's delay and the next one's, 1…16.
  public var tapStep: Int
  /// ``weightShape(from:onto:)``.
  public var weight: Parameter

  /// A projection with the given synapses.
  public init(
    name: String, from source: Source, to target: Int, topology: Topology, pool: Int = 1,
    delay: Int = 0, taps: Int = 1, tapStep: Int = 1, weight: Parameter
  ) {
    self.name = name
    self.source = source
    self.target = target
    self.topology = topology
    self.pool = pool
    self.delay = delay
    self.taps = taps
    self.tapStep = tapStep
    self.weight = weight
  }

  /// The delay of each tap, ascending.
  public var delays: [Int] { (0..<taps).map { delay + $0 * tapStep } }

  /// The weights' extents, rows by presynaptic neuron or channel as in a model file; with several
  /// taps `[taps]` in front:
  ///
  /// | topology | extents |
  /// |---|---|
  /// | dense | `[sources, targets]` |
  /// | convolution | `[C, kernel height, kernel width, C_out / groups]` |
  /// | one-to-one | `[1, columns]` with 1, C or N columns |
  /// | lateral | `[1, 1]` |
  ///
  /// - Parameters:
  ///   - source: the shape after pooling.
  ///   - columns: of a one-to-one projection.
  public static func weightShape(
    _ topology: Topology, taps: Int, from source: Shape, onto target: Shape, columns: Int = 1
  ) -> [Int] {
    let shape: [Int] =
      switch topology {
      case .dense: [source.count, target.count]
      case .convolution(let convolution):
        [
          source.channels, convolution.y.kernel, convolution.x.kernel,
          target.channels / convolution.groups,
        ]
      case .oneToOne: [1, columns]
      case .lateral: [1, 1]
      }
    return taps > 1 ? [taps] + shape : shape
  }

  /// The number of weights that end at a neuron, of one tap. `source` is the shape after pooling.
  public static func fanIn(_ topology: Topology, from source: Shape) -> Int {
    switch topology {
    case .dense: source.count
    case .convolution(let convolution):
      source.channels / convolution.groups * convolution.y.kernel * convolution.x.kernel
    case .oneToOne: 1
    case .lateral: max(source.count - 1, 1)
    }
  }
}
