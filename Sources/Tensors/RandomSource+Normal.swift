import Foundation

extension RandomSource {
  /// A number drawn from the normal distribution with mean 0 and deviation 1 (Box-Muller, one of the
  /// pair). The logarithm and the cosine are the C library's, so its last bit may vary by platform.
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }
}
