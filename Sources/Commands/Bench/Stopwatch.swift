import Foundation

/// Elapsed and processor time since a moment.
struct Stopwatch {
  private let wall = Self.seconds(CLOCK_MONOTONIC)
  private let processor = Self.seconds(CLOCK_PROCESS_CPUTIME_ID)

  var elapsed: Double { Self.seconds(CLOCK_MONOTONIC) - wall }
  /// Seconds that all threads of this process spent computing.
  var computing: Double { Self.seconds(CLOCK_PROCESS_CPUTIME_ID) - processor }

  /// The duration of work on so many threads. That of a single thread is its processor time, which other
  /// programs on the machine lengthen less.
  func duration(threads: Int) -> Double { threads == 1 ? computing : elapsed }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// The shortest and the middle one of repeated measurements of the same work, in seconds.
struct Timings {
  private(set) var seconds: [Double] = []

  mutating func add(_ value: Double) { seconds.append(value) }

  var best: Double { seconds.min() ?? .infinity }
  var median: Double {
    seconds.isEmpty ? .infinity : seconds.sorted()[seconds.count / 2]
  }
}
