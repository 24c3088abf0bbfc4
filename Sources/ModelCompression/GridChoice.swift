import Foundation
import Spiking
import Tensors

/// A population's membrane range and the shifts of the projections into it, chosen so that a device can
/// stay in 16 bits where possible.
///
/// Of all membrane units that its projections can share, a population takes the finest whose sums leave
/// room in int16, which gives the leak the most bits to act on; spikes are shifted left by at most 8
/// in the projection of the smallest weights. Weights move on during training, so the bound is taken
/// 1.25 times; the exporter proves the final one.
public struct GridChoice: Hashable, Sendable, Codable {
  /// The shift of the population's first projection: left for spikes, right for values.
  public var shift: Int
  /// The least membrane.
  public var floor: Int
  /// The greatest membrane.
  public var ceiling: Int
  /// The shifts of its other projections, by name; nil: there are none.
  public var others: [String: Int]?

  private static let margin = 1.25
  private static let limit = 32767.0
  /// The bound's share of the limit; the range needs the rest.
  private static let boundShare = 0.75
  /// The range holds at least this many thresholds, so that clamping stays rare.
  private static let thresholdsInRange = 4.0
  /// Thresholds above this gain nothing: their rounding is below 1/4096.
  private static let greatestThreshold = 4096.0
  /// The finest shift of spikes that is chosen; the format allows 15.
  private static let chosenShift = 8
  private static let spikeShifts = 0...15
  private static let valueShifts = 0...24
  /// A projection's step may differ from the one its weights ask for by this power of two.
  private static let tolerance = 4

  /// The grid of a population of a network whose first projection has the given steps.
  init(
    for index: Int, of network: Network, bits: [WeightBits], steps: Tensor
  ) throws(CompressionError) {
    let population = network.populations[index]
    let inputs = network.incoming[index].map {
      Incoming($0, of: network, bits: bits[$0], steps: steps)
    }
    let first = inputs[0]
    // The unit is the first projection's weight step over 2^k; a projection's step is 2^ratio of the
    // first's, so its left shift is k + ratio.
    let isSpike = inputs.contains { !$0.carriesValues }
    let deciding = inputs.filter { $0.carriesValues != isSpike }.map(\.ratio)
    let smallest = deciding.min() ?? 0
    let finest = isSpike ? Self.chosenShift - smallest : -(deciding.max() ?? 0)
    let coarsest = isSpike ? -smallest : -Self.valueShifts.upperBound - smallest
    var k = coarsest
    var bound = 0.0
    if let threshold = population.threshold {
      bound = Self.margin * Self.codeBound(inputs, steps: steps)
      let least = (0..<max(threshold.value.count, steps.count)).map { index in
        Double(threshold.value[index % threshold.value.count] / steps[index % steps.count])
      }
      let greatest = (least.max() ?? 1) / first.scale
      let need = bound + Self.thresholdsInRange * greatest
      k = finest
      while k > coarsest,
        need * exp2(Double(k)) > Self.limit
          || bound * exp2(Double(k)) > Self.boundShare * Self.limit
          || greatest * exp2(Double(k)) > Self.greatestThreshold
      {
        k -= 1
      }
    }
    var shifts: [String: Int] = [:]
    for input in inputs {
      let wanted = (input.carriesValues ? -1 : 1) * (k + input.ratio)
      let allowed = input.carriesValues ? Self.valueShifts : Self.spikeShifts
      let shift = min(max(wanted, allowed.lowerBound), allowed.upperBound)
      guard abs(shift - wanted) <= Self.tolerance else {
        throw .unitsCannotMeet(
          projection: input.projection.name, population: population.name,
          expected: "\(allowed.lowerBound)…\(allowed.upperBound)", found: wanted)
      }
      shifts[input.projection.name] = shift
    }
    let own = shifts.removeValue(forKey: first.projection.name) ?? 0
    guard population.threshold != nil else {
      self.init(shift: own, floor: -32767, ceiling: 32767, others: shifts)
      return
    }
    self.init(shift: own, reserving: bound * exp2(Double(k)), others: shifts)
  }

  init(shift: Int, floor: Int, ceiling: Int, others: [String: Int] = [:]) {
    self.shift = shift
    self.floor = floor
    self.ceiling = ceiling
    self.others = others.isEmpty ? nil : others
  }

  /// The widest symmetric range that leaves room for a bound; the whole of int16 where none does.
  private init(shift: Int, reserving bound: Double, others: [String: Int]) {
    let room = Int(Self.limit - bound.rounded(.up))
    let least = Int((1 - Self.boundShare) * Self.limit)
    let range = room >= least ? room : Int(Self.limit)
    self.init(shift: shift, floor: -range, ceiling: range, others: others)
  }

  /// The shift of a projection into this population.
  func shift(of projection: Projection) -> Int { others?[projection.name] ?? shift }

  /// The real value of one membrane unit where the first projection has the given weight step.
  func unit(step: Float, inputScale: Float?) -> Float {
    if let inputScale { return step * inputScale * Float(1 << shift) }
    return step / Float(1 << shift)
  }

  /// A projection's step as a multiple of the first one's: what gives both the same unit.
  func stepFactor(of projection: Projection, in network: Network) -> Float {
    let first = network.projections[network.incoming[projection.target][0]]
    let unit = unit(step: 1, inputScale: network.port(of: first)?.scale)
    let shift = shift(of: projection)
    guard let scale = network.port(of: projection)?.scale else { return unit * Float(1 << shift) }
    return unit / (scale * Float(1 << shift))
  }

  /// A projection as its grid is chosen.
  private struct Incoming {
    let projection: Projection
    let layout: Projection.ChannelLayout
    let bits: WeightBits
    let carriesValues: Bool
    /// The real value of an input of 1.
    let scale: Double
    /// The largest number that arrives from one source, every source of a pooled cell counted.
    let greatest: Double
    /// Log2, rounded, of the step that the weights ask for over the first projection's, times scales.
    let ratio: Int
    /// Of the target.
    let neurons: Int

    init(_ index: Int, of network: Network, bits: WeightBits, steps: Tensor) {
      projection = network.projections[index]
      neurons = network.populations[projection.target].shape.count
      self.bits = bits
      layout = projection.channelLayout(channels: steps.count)
      let port = network.port(of: projection)
      carriesValues = port?.carriesValues ?? false
      scale = Double(port?.scale ?? 1)
      greatest = Double((port?.greatest ?? 1) * projection.pool * projection.pool)
      guard let first = network.incoming[projection.target].first, first != index else {
        ratio = 0
        return
      }
      let own = initialSteps(
        projection.weight.value, layout: layout, count: steps.count, bits: bits)
      let firstScale = Double(network.port(of: network.projections[first])?.scale ?? 1)
      ratio = Int(log2(own.sum * scale / (steps.sum * firstScale)).rounded())
    }
  }

  /// The largest sum that can arrive at a neuron, in units of the first projection's step.
  private static func codeBound(_ inputs: [Incoming], steps: Tensor) -> Double {
    let firstScale = inputs[0].scale
    var sums = [Double](repeating: 0, count: steps.count)
    for input in inputs {
      var own = [Double](repeating: 0, count: steps.count)
      let weights = input.projection.weight.value.elements
      let factor = exp2(Double(input.ratio)) * firstScale / input.scale
      input.layout.forEach { position, channel in
        let code = Double((weights[position] / (steps[channel] * Float(factor))).rounded())
        own[channel] += min(abs(code), Double(input.bits.limit))
      }
      if input.projection.topology == .lateral {
        // One weight, from every other neuron.
        own = own.map { $0 * Double(max(input.neurons - 1, 1)) }
      }
      for channel in own.indices {
        sums[channel] += own[channel] * input.greatest * exp2(Double(input.ratio))
      }
    }
    return sums.max() ?? 0
  }
}
