/// The project's only generator of random numbers: xoshiro256** with a SplitMix64-expanded seed.
///
/// The same seed yields the same sequence on every machine. A source is a value: copying it copies
/// the position in the sequence, so a checkpoint stores `state` and continues bit-identically.
/// Independent streams come from ``split(_:)``, never from sharing one source between workers.
///
/// Source: Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 47(4),
/// 2021 (xoshiro256**); Steele, Lea and Flood, OOPSLA 2014 (SplitMix64).
public struct RandomSource: RandomNumberGenerator, Hashable, Sendable, Codable {
  /// The four words of the generator, never all zero.
  public private(set) var state: SIMD4<UInt64>

  /// A source whose sequence is determined by `seed` alone.
  public init(seed: UInt64) {
    var mixer = SplitMix64(state: seed)
    state = SIMD4(mixer.next(), mixer.next(), mixer.next(), mixer.next())
  }

  /// The next 64 uniformly distributed bits.
  public mutating func next() -> UInt64 {
    let result = Self.rotate(state[1] &* 5, by: 7) &* 9
    let shifted = state[1] << 17
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = Self.rotate(state[3], by: 45)
    return result
  }

  /// A stream that depends on this source's position and on `key`, without advancing this source.
  ///
  /// Different keys give independent streams: a data set splits by sample index, an epoch by its
  /// number, so that a sample's augmentation does not depend on which worker draws it.
  public func split(_ key: UInt64) -> RandomSource {
    var mixer = SplitMix64(state: key)
    var hash = mixer.next()
    for lane in 0..<4 {
      mixer = SplitMix64(state: hash ^ state[lane])
      hash = mixer.next()
    }
    return RandomSource(seed: hash)
  }

  /// A number drawn uniformly from `[0, 1)` on the grid of 2^-53.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A number drawn uniformly from `range`.
  public mutating func uniform(_ range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// An integer drawn uniformly from `0..<bound`. Precondition: `bound > 0`.
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "a random integer needs a positive bound, found \(bound)")
    // Lemire, "Fast Random Integer Generation in an Interval", ACM TOMACS 29(1), 2019: written out, since the
    // standard library does not promise its own method.
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let least = (0 &- bound) % bound
      while product.low < least { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  private static func rotate(_ word: UInt64, by count: UInt64) -> UInt64 {
    (word << count) | (word >> (64 - count))
  }
}

/// The seed expander: every 64-bit state gives a well-mixed word.
private struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
