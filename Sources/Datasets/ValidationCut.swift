import Tensors

/// Which samples of an official training part are kept aside for validation.
struct ValidationCut: Sendable {
  private let train: [Int]
  private let validation: [Int]

  /// Puts aside `fraction` of 0..<count, chosen by a shuffle that `seed` determines, rounded to the
  /// nearest whole number. Throws where the fraction is outside 0..<1 or leaves nothing to train
  /// on.
  init(count: Int, fraction: Double, seed: UInt64) throws {
    guard fraction >= 0 && fraction < 1, (Double(count) * fraction).rounded() < Double(count) else {
      throw DatasetError.badSetting(
        name: "validationFraction", expected: "a fraction in 0..<1 that leaves training samples",
        found: "\(fraction) of \(count)")
    }
    var stream = RandomSource(seed: seed)
    let order = stream.permutation(of: count)
    let kept = Int((Double(count) * fraction).rounded())
    validation = order[..<kept].sorted()
    train = order[kept...].sorted()
  }

  /// The stored positions of `split`, ascending. Precondition: not the test split.
  func indices(of split: Split) -> [Int] {
    precondition(split != .test, "the test split is not cut from the training part")
    return split == .train ? train : validation
  }
}
