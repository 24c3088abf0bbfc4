import Wiring

/// One integer parameter of a population, by population, by channel or by neuron (FORMAT.md §1,
/// parameters).
///
/// Holds 1 value (whole population), C values (by channel) or N values (by linear index). No
/// values at all stand for the parameter's default, which the accessor's caller names.
public struct Parameter: Equatable, Sendable {
  /// The values as a file stores them.
  public var values: [Int]

  /// A parameter of these values.
  public init(_ values: [Int]) { self.values = values }

  /// No stored values: the parameter's default holds.
  public static let none = Parameter([])

  /// Whether the number of values fits a population of `shape`; an empty parameter fits none.
  public func fits(_ shape: Shape) -> Bool {
    values.count == 1 || values.count == shape.channels || values.count == shape.count
  }

  /// The value of the neuron with linear index `neuron` in a population of `shape`, or `fallback`
  /// if nothing is stored. Precondition: empty, or ``fits(_:)``.
  public func value(of neuron: Int, in shape: Shape, default fallback: Int) -> Int {
    switch values.count {
    case 0: fallback
    case 1: values[0]
    case shape.count: values[neuron]
    default: values[neuron % shape.channels]
    }
  }

  /// The values of all neurons of a population of `shape`, by linear index.
  public func expanded(to shape: Shape, default fallback: Int) -> [Int] {
    (0..<shape.count).map { value(of: $0, in: shape, default: fallback) }
  }
}

extension Parameter: ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// One value for the whole population.
  public init(integerLiteral value: Int) { self.init([value]) }
  /// The values by channel or by neuron.
  public init(arrayLiteral elements: Int...) { self.init(elements) }
}
