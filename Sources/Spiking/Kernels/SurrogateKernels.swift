import Foundation

/// Eight neighbouring neurons, the unit of the LIF loops.
typealias Lanes = SIMD8<Float>

extension Lanes {
  @inline(__always) var magnitude: Lanes { replacing(with: -self, where: self .< 0) }
}

/// A slope evaluated for eight neurons at once; `step` and `lane` locate them in a block.
protocol SurrogateKernel {
  func slope(_ z: Lanes, step: Int, lane: Int) -> Lanes
}

extension SurrogateKernel {
  func slope(at z: Float) -> Float { slope(Lanes(repeating: z), step: 0, lane: 0)[0] }
}

struct Triangular: SurrogateKernel {
  var scale: Float

  @inline(__always) func slope(_ z: Lanes, step: Int, lane: Int) -> Lanes {
    let height = 1 - z.magnitude
    return height.replacing(with: 0, where: height .< 0) * scale
  }
}

struct Arctan: SurrogateKernel {
  var sharpness: Float

  @inline(__always) func slope(_ z: Lanes, step: Int, lane: Int) -> Lanes {
    let x = z * (sharpness * Float.pi / 2)
    return (sharpness / 2) / (1 + x * x)
  }
}

struct FastSigmoid: SurrogateKernel {
  var sharpness: Float

  @inline(__always) func slope(_ z: Lanes, step: Int, lane: Int) -> Lanes {
    let x = 1 + z.magnitude * sharpness
    return 1 / (x * x)
  }
}

struct Rectangular: SurrogateKernel {
  var scale: Float
  var halfWidth: Float

  @inline(__always) func slope(_ z: Lanes, step: Int, lane: Int) -> Lanes {
    Lanes(repeating: 0).replacing(with: scale, where: z.magnitude .< halfWidth)
  }
}

/// The slope by spike time, tabulated for a block before its backward pass: it depends on spikes
/// earlier in time, which a pass backward in time has not met yet.
struct SpikeTime: SurrogateKernel {
  var table: UnsafePointer<Float>
  var blockLength: Int

  @inline(__always) func slope(_ z: Lanes, step: Int, lane: Int) -> Lanes {
    UnsafeRawPointer(table + step * blockLength + lane).loadUnaligned(as: Lanes.self)
  }

  static func slope(scale: Float, decay: Float, elapsed: Int) -> Float {
    scale * exp(-decay * Float(elapsed))
  }
}
