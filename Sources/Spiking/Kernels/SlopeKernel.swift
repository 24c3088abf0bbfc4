import CKernels
import Foundation

extension Surrogate {
  /// The slope at a distance to the threshold, where it depends on nothing else.
  func kernelSlope(at z: Float) -> Float {
    var slope = kernel()
    return snn_slope_at(&slope, z)
  }

  /// The slope as the C kernels take it; `table` for slopes by spike time.
  func kernel(table: UnsafePointer<Float>? = nil) -> snn_slope {
    switch self {
    case .triangular(let scale):
      snn_slope(kind: SNN_SLOPE_TRIANGULAR, scale: scale, half_width: 0, table: nil)
    case .arctan(let sharpness):
      snn_slope(kind: SNN_SLOPE_ARCTAN, scale: sharpness, half_width: 0, table: nil)
    case .fastSigmoid(let sharpness):
      snn_slope(kind: SNN_SLOPE_FAST_SIGMOID, scale: sharpness, half_width: 0, table: nil)
    case .rectangular(let scale, let halfWidth):
      snn_slope(kind: SNN_SLOPE_RECTANGULAR, scale: scale, half_width: halfWidth, table: nil)
    case .spikeTime:
      snn_slope(kind: SNN_SLOPE_TABLE, scale: 0, half_width: 0, table: table)
    }
  }
}

/// Slopes by the time since a neuron's last spike, tabulated for neighbouring neurons before their
/// backward pass: they depend on spikes earlier in time, which a pass backward in time has not met yet.
struct SpikeTimeTable {
  private let slopes: [Float]
  private var rows: [Float]
  private let rowLength: Int

  /// A table of `length` neurons; nil for slopes that depend on the membrane alone.
  init?(_ surrogate: Surrogate, steps: Int, length: Int) {
    guard case .spikeTime(let scale, let decay) = surrogate else { return nil }
    slopes = (0...steps).map { Self.slope(scale: scale, decay: decay, elapsed: $0) }
    rowLength = length
    rows = [Float](repeating: 0, count: steps * rowLength)
  }

  static func slope(scale: Float, decay: Float, elapsed: Int) -> Float {
    scale * exp(-decay * Float(elapsed))
  }

  /// Fills the table for the block of `length` neurons from `start` on; `spikes` is `[T, neurons]`.
  mutating func fill(
    _ size: LIFSize, start: Int, length: Int, spikes: UnsafePointer<Float>
  ) {
    for lane in 0..<length {
      var last: Int?
      for step in 0..<size.steps {
        rows[step * rowLength + lane] = last.map { slopes[step - $0] } ?? 0
        if spikes[step * size.neurons + start + lane] != 0 { last = step }
      }
    }
  }

  /// Calls `body` with the slopes of a step, of the neurons from `offset` on.
  func withRow(_ step: Int, from offset: Int = 0, _ body: (UnsafePointer<Float>) -> Void) {
    rows.withUnsafeBufferPointer { rows in
      if let first = rows.baseAddress { body(first + step * rowLength + offset) }
    }
  }
}
