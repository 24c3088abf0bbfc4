import Wiring

/// A recording binned into T steps: which addresses spike in which step.
///
/// Step n holds the events with `n * dt <= t - t0 < (n + 1) * dt`; t0 is the recording's start
/// where it states one, else the time of its first event on the sensor. An address counts once a
/// step however many events it has there. Stored sparsely, since a few per cent of addresses spike;
/// the dense form is ``bitmap``.
public struct SpikeTrain: Hashable, Sendable {
  /// The shape `[H, W, C]` of one step.
  public let shape: Shape
  /// The number of steps, T.
  public let steps: Int
  /// What became of every event.
  public let tally: BinningTally
  /// The spikes of all steps in order, each as `step * shape.count + index`; strictly increasing.
  public let addresses: [UInt32]
  /// Where each step begins in `addresses`; `steps + 1` entries, the last is `addresses.count`.
  private let starts: [Int]

  /// Bins `recording` into `steps` steps of `stepMicroseconds` each.
  ///
  /// An event outside the sensor is dropped before its time is looked at: it neither sets t0 nor
  /// closes a step. An event past the last step closes every step, so one that comes after it but
  /// carries an earlier time is dropped as late. An event that goes back in time within the open
  /// step is kept. Preconditions: `steps` and `stepMicroseconds` positive, T * H * W * C below
  /// 2^32.
  public init(_ recording: Recording, steps: Int, stepMicroseconds: Int) {
    let shape = recording.sensor
    precondition(steps > 0, "binning needs at least one step, found \(steps)")
    precondition(stepMicroseconds > 0, "a step needs a length, found \(stepMicroseconds) µs")
    precondition(
      steps <= Int(UInt32.max) / shape.count,
      "\(steps) steps of \(shape.count) addresses do not fit 32-bit addresses")
    var tally = BinningTally()
    var addresses: [UInt32] = []
    addresses.reserveCapacity(recording.events.count)
    var origin = recording.startMicroseconds
    var openStep: UInt64 = 0
    for event in recording.events {
      let x = Int(event.x)
      let y = Int(event.y)
      let channel = Int(event.polarity)
      guard x < shape.width && y < shape.height && channel < shape.channels else {
        tally.outsideSensor += 1
        continue
      }
      let start = origin ?? event.microseconds
      origin = start
      guard event.microseconds >= start else {
        tally.beforeOpenStep += 1
        continue
      }
      // The difference of two Int64 in order fits 64 bits unsigned, though perhaps not signed.
      let elapsed = UInt64(bitPattern: event.microseconds &- start)
      let step = elapsed / UInt64(stepMicroseconds)
      guard step >= openStep else {
        tally.beforeOpenStep += 1
        continue
      }
      openStep = step
      guard step < UInt64(steps) else {
        tally.afterLastStep += 1
        continue
      }
      let index = shape.index(channel: channel, y: y, x: x)
      addresses.append(UInt32(Int(step) * shape.count + index))
    }
    let kept = addresses.count
    self.init(shape: shape, steps: steps, unsorted: addresses, tally: tally)
    precondition(self.tally.binned + self.tally.merged == kept)
  }

  /// The spikes of `step` as strictly increasing linear indices into `shape`.
  public func activeIndices(step: Int) -> [Int] {
    precondition(step >= 0 && step < steps, "step \(step) is not in 0..<\(steps)")
    return addresses[starts[step]..<starts[step + 1]].map { Int($0) - step * shape.count }
  }

  /// The dense form `[T, H, W, C]`: 1 where an address spikes, else 0.
  public var bitmap: [UInt8] {
    var dense = [UInt8](repeating: 0, count: steps * shape.count)
    for address in addresses { dense[Int(address)] = 1 }
    return dense
  }

  /// The number of steps in which each address spikes, `[H, W, C]`.
  public var stepSum: [Int] {
    var sums = [Int](repeating: 0, count: shape.count)
    for address in addresses { sums[Int(address) % shape.count] += 1 }
    return sums
  }

  /// Sorts and merges `unsorted`, adding to `tally` what was binned and merged.
  private init(shape: Shape, steps: Int, unsorted: [UInt32], tally: BinningTally) {
    var tally = tally
    var unique: [UInt32] = []
    unique.reserveCapacity(unsorted.count)
    for address in unsorted.sorted() where unique.last != address { unique.append(address) }
    tally.binned += unique.count
    tally.merged += unsorted.count - unique.count
    var starts: [Int] = [0]
    starts.reserveCapacity(steps + 1)
    var position = 0
    for step in 1...steps {
      let end = UInt64(step) * UInt64(shape.count)
      while position < unique.count && UInt64(unique[position]) < end { position += 1 }
      starts.append(position)
    }
    self.shape = shape
    self.steps = steps
    self.tally = tally
    self.addresses = unique
    self.starts = starts
  }
}

/// What became of every event of one or more recordings: the parts add up to ``total``.
public struct BinningTally: Hashable, Sendable, Codable {
  /// Events that became a spike.
  public var binned = 0
  /// Events whose address already spiked in their step.
  public var merged = 0
  /// Events dropped because their address is not on the sensor.
  public var outsideSensor = 0
  /// Events dropped because they lie before the recording's start, or in a step already closed.
  public var beforeOpenStep = 0
  /// Events dropped because they lie after the last step.
  public var afterLastStep = 0

  /// No events.
  public init() {}

  /// The events lost, for whatever reason.
  public var dropped: Int { outsideSensor + beforeOpenStep + afterLastStep }

  /// The events that went in.
  public var total: Int { binned + merged + dropped }

  /// Adds the counts of two tallies.
  public static func + (left: BinningTally, right: BinningTally) -> BinningTally {
    var sum = left
    sum.binned += right.binned
    sum.merged += right.merged
    sum.outsideSensor += right.outsideSensor
    sum.beforeOpenStep += right.beforeOpenStep
    sum.afterLastStep += right.afterLastStep
    return sum
  }
}
