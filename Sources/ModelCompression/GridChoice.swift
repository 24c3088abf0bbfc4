import Foundation
import Spiking
import Tensors
import Wiring

/// A population's membrane range and the shifts of the projections into it, chosen so that membranes of
/// 16 bits are seldom clamped.
///
/// Of all membrane units that its projections can share, a population takes the finest whose sums and
/// thresholds leave room in int16, which gives the leak the most bits to act on; spikes are shifted left
/// by at most 8 in the projection of the smallest weights. Weights move on during training, so the bound
/// is taken 1.25 times; the exporter proves the final one. Membranes have the whole range of int16: an
/// engine that needs a narrower one to add without overflow sums beside the membrane instead
/// (models/FORMAT.md, section 5).
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
  /// The greatest membrane, and the negative of the least.
  private static let range = 32767
  private static let limit = Double(range)
  /// The share of the limit that the bound may take; what membranes keep from step to step needs the rest.
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
    let inputs = Self.inputs(of: index, of: network, bits: bits, steps: steps)
    let first = inputs[0]
    // The unit is the first projection's weight step over 2^k; a projection's step is 2^ratio of the
    // first's, so its left shift is k + ratio. Spikes are never shifted right, values never left.
    let spikes = inputs.filter { !$0.carriesValues }.map(\.ratio)
    let values = inputs.filter(\.carriesValues).map(\.ratio)
    let coarsest = spikes.min().map { -$0 } ?? -Self.valueShifts.upperBound - (values.min() ?? 0)
    let finest = min(
      spikes.min().map { Self.chosenShift - $0 } ?? Int.max, values.max().map { -$0 } ?? Int.max)
    // A read-out's unit decides nothing: no shift where there need be none.
    var k = spikes.isEmpty ? finest : coarsest
    if let threshold = population.threshold {
      let bound =
        Self.bound(inputs, steps: steps, neurons: population.shape)
        * Self.currentGain(of: population, steps: network.steps)
      let least = (0..<max(threshold.value.count, steps.count)).map { index in
        Double(threshold.value[index % threshold.value.count] / steps[index % steps.count])
      }
      let greatest = (least.max() ?? 1) / first.scale
      let need = bound + Self.thresholdsInRange * greatest
      k = max(finest, coarsest)
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
    self.init(shift: own, floor: -Self.range, ceiling: Self.range, others: shifts)
  }

  /// How much larger than what arrives in one step a synaptic current becomes: Σ μ^t over the steps.
  private static func currentGain(of population: Population, steps: Int) -> Double {
    guard let leak = population.currentLeak?.value.elements.max() else { return 1 }
    return leak < 1 ? min(1 / (1 - Double(leak)), Double(steps)) : Double(steps)
  }

  init(shift: Int, floor: Int, ceiling: Int, others: [String: Int] = [:]) {
    self.shift = shift
    self.floor = floor
    self.ceiling = ceiling
    self.others = others.isEmpty ? nil : others
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

  /// The largest sum that can arrive at a neuron of a population, in units of the first projection's
  /// step, 1.25 times.
  static func bound(
    for index: Int, of network: Network, bits: [WeightBits], steps: Tensor
  ) -> Double {
    bound(
      inputs(of: index, of: network, bits: bits, steps: steps), steps: steps,
      neurons: network.populations[index].shape)
  }

  private static func inputs(
    of index: Int, of network: Network, bits: [WeightBits], steps: Tensor
  ) -> [Incoming] {
    network.incoming[index].map { Incoming($0, of: network, bits: bits[$0], steps: steps) }
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

    init(_ index: Int, of network: Network, bits: WeightBits, steps: Tensor) {
      projection = network.projections[index]
      self.bits = bits
      layout = projection.channelLayout(channels: steps.count)
      let port = network.port(of: projection)
      carriesValues = port?.carriesValues ?? false
      scale = Double(port?.scale ?? 1)
      greatest = Double((port?.greatest ?? 1) * projection.pool * projection.pool)
      guard let first = network.incoming[projection.target].first, first != index,
        projection.weight.value.elements.contains(where: { $0 != 0 })
      else {
        ratio = 0
        return
      }
      let own = initialSteps(
        projection.weight.value, layout: layout, count: steps.count, bits: bits)
      let firstScale = Double(network.port(of: network.projections[first])?.scale ?? 1)
      ratio = Int(log2(own.sum * scale / (steps.sum * firstScale)).rounded())
    }

    /// Σ|code| by target: of one neuron, or where the topology is the same at every place of one channel.
    func codeSums(steps: Tensor, factor: Float, onto target: Shape) -> [Double] {
      let weights = projection.weight.value.elements
      func code(_ position: Int, _ channel: Int) -> Double {
        let step = steps[channel % steps.count] * factor
        return min(abs(Double((weights[position] / step).rounded())), Double(bits.limit))
      }
      switch projection.topology {
      case .dense, .oneToOne:
        // Columns are neurons (of a one-to-one projection perhaps channels, or all of them).
        let columns = projection.weight.value.shape.last ?? 1
        var sums = [Double](repeating: 0, count: columns)
        for position in weights.indices {
          sums[position % columns] += code(position, position % columns % target.channels)
        }
        return sums
      case .lateral:
        let sum = weights.indices.reduce(0) { $0 + code($1, 0) }
        return [sum * Double(max(target.count - 1, 1))]
      case .convolution:
        var sums = [Double](repeating: 0, count: target.channels)
        projection.channelLayout(channels: target.channels).visit { position, channel in
          sums[channel] += code(position, channel)
        }
        return sums
      }
    }
  }

  private static func bound(_ inputs: [Incoming], steps: Tensor, neurons: Shape) -> Double {
    var sums = [Double](repeating: 0, count: neurons.count)
    for input in inputs {
      let factor = exp2(Double(input.ratio))
      let own = input.codeSums(
        steps: steps, factor: Float(factor * inputs[0].scale / input.scale), onto: neurons)
      for neuron in sums.indices {
        sums[neuron] += own[neuron % own.count] * input.greatest * factor
      }
    }
    return margin * (sums.max() ?? 0)
  }
}
