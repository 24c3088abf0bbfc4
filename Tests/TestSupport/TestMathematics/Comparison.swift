import Tensors

/// The largest |found − expected| in units of the largest |expected|; infinite where lengths differ or
/// a number is missing (NaN). Rounding of a sum is relative to its terms, not to a result that
/// cancelled, hence the largest element as the unit, or where even that is a sum that may cancel, the
/// given `unit`.
public func relativeDifference(
  _ found: some Collection<Float>, _ expected: some Collection<Double>, unit: Double? = nil
) -> Double {
  guard found.count == expected.count else { return .infinity }
  let unit = unit ?? expected.map(\.magnitude).max() ?? 0
  let difference = zip(found, expected).map { (Double($0) - $1).magnitude }.reduce(0) {
    $1.isNaN ? .infinity : max($0, $1)
  }
  return unit > 0 ? difference / unit : difference
}

public func relativeDifference(
  _ found: some Collection<Float>, _ expected: some Collection<Float>
) -> Double {
  relativeDifference(found, expected.map(Double.init))
}
