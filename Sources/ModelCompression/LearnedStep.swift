import Spiking
import Tensors

/// The width of a projection's weights on the device, 2 to 8 bits; 2 means the three values −1, 0, 1.
public struct WeightBits: RawRepresentable, Hashable, Sendable, Codable {
  /// Bits, 2…8.
  public let rawValue: Int

  /// Nil outside 2…8.
  public init?(rawValue: Int) {
    guard (2...8).contains(rawValue) else { return nil }
    self.rawValue = rawValue
  }

  private init(_ bits: Int) { rawValue = bits }
  /// Codes −127 … 127.
  public static let eight = WeightBits(8)
  /// Codes −7 … 7.
  public static let four = WeightBits(4)
  /// Codes −1, 0, 1.
  public static let ternary = WeightBits(2)

  /// The largest code Q, `2^(bits − 1) − 1`; codes are symmetric, −Q … Q.
  public var limit: Int { (1 << (rawValue - 1)) - 1 }
}

/// Weights as integer codes with a learned step Δ: `q = clamp(round(w/Δ), −Q, Q)`, ŵ = Δ·q.
///
/// One step per output channel or one for all. Straight-through: ∂ŵ/∂w is 1 inside the range and 0 outside;
/// `∂ŵ/∂Δ = round(w/Δ) − w/Δ` inside and ±Q outside, times `1/√(n·Q)` for n weights a step. Source:
/// Esser et al., Learned Step Size Quantization, ICLR 2020, equations 1-3.
///
/// The result holds codes; the gradient that arrives for a code is that of the integer network, in which
/// thresholds are divided by Δ too. Its division by Δ gives the gradient for ŵ.
/// - Parameter layout: which step each weight has: that of its channel, or the only one.
func quantize(
  _ weight: Variable, step: Variable, layout: Projection.ChannelLayout, bits: WeightBits,
  on tape: Tape
) -> Variable {
  let limit = Float(bits.limit)
  let inverse = step.value.map { 1 / $0 }
  var codes = Tensor(uninitialized: weight.shape)
  codes.withMutablePointer { codes in
    weight.value.withPointer { weights in
      inverse.withPointer { inverse in
        for block in layout.blocks {
          QuantizeKernel.codes(
            weights + block.start, inverseSteps: inverse + block.firstChannel, limit: limit,
            into: codes + block.start, rows: block.rows, columns: layout.columns)
        }
      }
    }
  }
  let output = Variable(codes, needsGradient: weight.needsGradient || step.needsGradient)
  let original = weight.value
  guard output.needsGradient else { return output }
  tape.record {
    guard var gradient = output.takeGradient() else { return }
    var stepGradient = Tensor(step.shape)
    gradient.withMutablePointer { gradient in
      stepGradient.withMutablePointer { stepGradient in
        original.withPointer { weights in
          inverse.withPointer { inverse in
            for block in layout.blocks {
              QuantizeKernel.backward(
                weights + block.start, inverseSteps: inverse + block.firstChannel, limit: limit,
                gradient: gradient + block.start,
                stepGradients: stepGradient + block.firstChannel, rows: block.rows,
                columns: layout.columns)
            }
          }
        }
      }
    }
    let weightsPerStep = original.count / step.value.count
    let scale = 1 / (Float(weightsPerStep) * limit).squareRoot()
    stepGradient.apply { $0 * scale }
    weight.accumulate(gradient)
    step.accumulate(stepGradient)
  }
  return output
}

/// The steps a projection starts from: `2·mean|w|/√Q` over the weights of a step that are not pruned
/// (Esser et al., section 2.1).
func initialSteps(
  _ weight: Tensor, layout: Projection.ChannelLayout, count: Int, bits: WeightBits
) -> Tensor {
  var sums = [Double](repeating: 0, count: count)
  var counts = [Double](repeating: 0, count: count)
  let elements = weight.elements
  layout.visit { position, channel in
    guard elements[position] != 0 else { return }
    sums[channel] += Double(abs(elements[position]))
    counts[channel] += 1
  }
  let whole = sums.reduce(0, +) / max(counts.reduce(0, +), 1)
  let root = Double(bits.limit).squareRoot()
  return Tensor(
    [count],
    zip(sums, counts).map { sum, count in
      // A channel without weights keeps the projection's mean, so that its step stays a step.
      let mean = count > 0 ? sum / count : whole
      return Float(max(2 * mean / root, Double(QuantizedArithmetic.leastStep)))
    })
}
