import Spiking
import Tensors

/// A layer's shift and membrane range, chosen so that a device can stay in 16 bits where possible.
///
/// A device scatters spikes straight into int16 membranes where range + bound < 2^15
/// (models/FORMAT.md, section 5). For spikes the largest left shift up to 8 that allows it is
/// taken: it gives the leak more bits to act on. For values the smallest right shift that allows
/// it. Weights move on during training, so the bound is taken 1.25 times; the exporter proves the
/// final one.
public struct GridChoice: Hashable, Sendable, Codable {
  public var shift: Int
  public var floor: Int
  public var ceiling: Int

  private static let margin = 1.25
  private static let limit = 32767.0
  /// The bound's share of the limit; the range needs the rest.
  private static let boundShare = 0.75
  /// The range holds at least this many thresholds, so that clamping stays rare.
  private static let thresholdsInRange = 4.0
  /// Thresholds above this gain nothing: their rounding is below 1/4096.
  private static let greatestThreshold = 4096.0

  init(for layer: Layer, bits: WeightBits, steps: Tensor, inputScale: Float?) {
    guard let threshold = layer.threshold else {
      self.init(shift: 0, floor: -32767, ceiling: 32767)
      return
    }
    let bound = Self.margin * Self.codeBound(layer, bits: bits, steps: steps)
    let least = (0..<max(threshold.value.count, steps.count)).map { index in
      Double(threshold.value[index % threshold.value.count] / steps[index % steps.count])
    }
    guard let inputScale else {
      let greatest = least.max() ?? 1
      let need = bound + Self.thresholdsInRange * greatest
      var shift = 0
      while shift < 8, need * Double(2 << shift) <= Self.limit,
        bound * Double(2 << shift) <= Self.boundShare * Self.limit,
        greatest * Double(2 << shift) <= Self.greatestThreshold
      {
        shift += 1
      }
      self.init(shift: shift, reserving: bound * Double(1 << shift))
      return
    }
    let accumulated = bound * 255
    let greatest = (least.max() ?? 1) / Double(inputScale)
    let need = accumulated + Self.thresholdsInRange * greatest
    var shift = 0
    while shift < 24,
      need / Double(1 << shift) > Self.limit
        || accumulated / Double(1 << shift) > Self.boundShare * Self.limit
        || greatest / Double(1 << shift) > Self.greatestThreshold
    {
      shift += 1
    }
    self.init(shift: shift, reserving: accumulated / Double(1 << shift))
  }

  init(shift: Int, floor: Int, ceiling: Int) {
    self.shift = shift
    self.floor = floor
    self.ceiling = ceiling
  }

  /// The widest symmetric range that leaves room for a bound; the whole of int16 where none does.
  private init(shift: Int, reserving bound: Double) {
    let room = Int(Self.limit - bound.rounded(.up))
    let least = Int((1 - Self.boundShare) * Self.limit)
    let range = room >= least ? room : Int(Self.limit)
    self.init(shift: shift, floor: -range, ceiling: range)
  }

  /// The real value of one membrane unit of a channel with the given weight step.
  func unit(step: Float, inputScale: Float?) -> Float {
    if let inputScale { return step * inputScale * Float(1 << shift) }
    return step / Float(1 << shift)
  }

  /// The largest Σ|code| over the sources of a neuron, every source counted once.
  private static func codeBound(_ layer: Layer, bits: WeightBits, steps: Tensor) -> Double {
    let channels = layer.weight.value.shape.last ?? 1
    var sums = [Double](repeating: 0, count: channels)
    for (index, weight) in layer.weight.value.elements.enumerated() {
      let channel = index % channels
      let code = Double((weight / steps[channel % steps.count]).rounded())
      sums[channel] += min(abs(code), Double(bits.limit))
    }
    return (sums.max() ?? 0) * Double(layer.pool * layer.pool)
  }
}
