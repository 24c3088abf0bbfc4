/// When an inference may end before its last step (FORMAT.md §4).
public enum Exit: Equatable, Sendable {
  /// After the first step whose highest score exceeds the second highest by at least this much,
  /// 1 ... 2^31 − 1.
  case margin(Int)
  /// After the first step in which this population spiked.
  case firstSpike(of: Int)

  /// Whether the rule holds after a step; `scores`: the read-out's membranes after it.
  public func holds(after step: StepRecord, scores: [Int32]) -> Bool {
    switch self {
    case .margin(let margin): Self.margin(of: scores) >= margin
    case .firstSpike(let population): !step.spikes[population].isEmpty
    }
  }

  /// How much the highest of several scores exceeds the second highest; 0 where two are highest.
  ///
  /// Precondition: there are two scores at least.
  public static func margin(of scores: [Int32]) -> Int {
    precondition(scores.count > 1, "a margin needs two scores, found \(scores.count)")
    var (best, second) = (Int(Int32.min), Int(Int32.min))
    for score in scores {
      if Int(score) > best {
        (best, second) = (Int(score), best)
      } else {
        second = max(second, Int(score))
      }
    }
    return best - second
  }
}
