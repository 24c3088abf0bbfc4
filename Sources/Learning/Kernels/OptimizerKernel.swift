import CKernels
import Foundation
import Spiking
import Tensors

/// The elementwise updates of ``Optimizer``, eight elements at a time, in chunks spread over the cores.
enum OptimizerKernel {
  typealias Lanes = SIMD8<Float>
  /// Elements per chunk: 16384 of four arrays are 256 kB, a core's second-level cache.
  static let chunkLength = 16_384

  /// One parameter's share of an update.
  struct Slot {
    var parameter: Parameter
    var gradient: Tensor
    var moments: OptimizerMoments
    var rate: Float
    var decay: Float
  }

  /// The arrays of a chunk and its constants.
  private struct Chunk {
    var value: UnsafeMutablePointer<Float>
    var gradient: UnsafePointer<Float>
    var first: UnsafeMutablePointer<Float>
    var second: UnsafeMutablePointer<Float>?
    var count: Int
    var rate: Float
    var decay: Float
  }

  static func update(
    _ slots: [Slot], method: OptimizerConfiguration.Method, step: Int, gradientScale: Float,
    threads: Int
  ) {
    var chunks: [Chunk] = []
    chunks.reserveCapacity(slots.reduce(0) { $0 + $1.gradient.count / chunkLength + 1 })
    withChunks(of: slots[...], appendingTo: &chunks) { chunks in
      nonisolated(unsafe) let chunks = chunks
      switch method {
      case .sgd(let momentum, let nesterov):
        Parallel.forEach(chunks.count, threads: threads) { index in
          sgd(chunks[index], momentum: momentum, nesterov: nesterov, scale: gradientScale)
        }
      case .adam(let beta1, let beta2, let epsilon, let decoupled):
        let correction1 = 1 - pow(beta1, Double(step))
        let correction2 = 1 - pow(beta2, Double(step))
        let constants = AdamConstants(
          beta1: Float(beta1), complement1: Float(1 - beta1), beta2: Float(beta2),
          complement2: Float(1 - beta2), rateFactor: Float(1 / correction1),
          rootFactor: Float((1 / correction2).squareRoot()), epsilon: epsilon,
          decoupled: decoupled, scale: gradientScale)
        Parallel.forEach(chunks.count, threads: threads) { index in
          adam(chunks[index], constants)
        }
      }
    }
  }

  /// The sum of squares in double precision, chunk by chunk in order.
  static func squaredNorm(_ gradients: [Tensor], threads: Int) -> Double {
    var pieces: [(tensor: Int, start: Int)] = []
    for (index, gradient) in gradients.enumerated() {
      for start in stride(from: 0, to: gradient.count, by: chunkLength) {
        pieces.append((index, start))
      }
    }
    let all = pieces
    return Parallel.map(all.count, threads: threads) { index in
      let piece = all[index]
      let gradient = gradients[piece.tensor]
      return gradient.withPointer {
        sumOfSquares($0 + piece.start, min(chunkLength, gradient.count - piece.start))
      }
    }.reduce(0, +)
  }

  /// Opens the arrays of every slot, one inside the other, and calls `body` with all chunks.
  private static func withChunks(
    of slots: ArraySlice<Slot>, appendingTo chunks: inout [Chunk], _ body: ([Chunk]) -> Void
  ) {
    guard let slot = slots.first else { return body(chunks) }
    let count = slot.gradient.count
    precondition(
      slot.parameter.value.count == count && slot.moments.first.count == count
        && slot.moments.second.map { $0.count == count } ?? true,
      "the optimizer's arrays for \(slot.parameter.name) differ in length")
    slot.gradient.withPointer { gradient in
      slot.parameter.value.withMutablePointer { value in
        slot.moments.first.withMutablePointer { first in
          func add(_ second: UnsafeMutablePointer<Float>?) {
            for start in stride(from: 0, to: count, by: chunkLength) {
              chunks.append(
                Chunk(
                  value: value + start, gradient: gradient + start, first: first + start,
                  second: second.map { $0 + start }, count: min(chunkLength, count - start),
                  rate: slot.rate, decay: slot.decay))
            }
            withChunks(of: slots.dropFirst(), appendingTo: &chunks, body)
          }
          if slot.moments.second?.withMutablePointer({ add($0) }) == nil { add(nil) }
        }
      }
    }
  }

  // MARK: One chunk

  private struct AdamConstants {
    var beta1: Float
    var complement1: Float
    var beta2: Float
    var complement2: Float
    var rateFactor: Float
    var rootFactor: Float
    var epsilon: Float
    var decoupled: Bool
    var scale: Float
  }

  private static func adam(_ chunk: Chunk, _ constants: AdamConstants) {
    guard let second = chunk.second else { return }
    var arrays = snn_adam_arrays(
      count: chunk.count, value: chunk.value, gradient: chunk.gradient, mean: chunk.first,
      square: second)
    var numbers = snn_adam_constants(
      beta1: constants.beta1, complement1: constants.complement1, beta2: constants.beta2,
      complement2: constants.complement2, rate: chunk.rate * constants.rateFactor,
      root_factor: constants.rootFactor, epsilon: constants.epsilon,
      coupled: constants.decoupled ? 0 : chunk.decay,
      shrink: constants.decoupled ? chunk.rate * chunk.decay : 0, scale: constants.scale)
    snn_adam(&arrays, &numbers)
  }

  private static func sgd(_ chunk: Chunk, momentum: Float, nesterov: Bool, scale: Float) {
    @inline(__always)
    func advance(_ value: inout Lanes, _ gradient: Lanes, _ velocity: inout Lanes) {
      let gradient = gradient * scale + value * chunk.decay
      velocity = velocity * momentum + gradient
      value -= (nesterov ? gradient + velocity * momentum : velocity) * chunk.rate
    }
    let whole = chunk.count & ~(Lanes.scalarCount - 1)
    var lane = 0
    while lane < whole {
      var value = load(chunk.value, lane)
      var velocity = load(chunk.first, lane)
      advance(&value, load(chunk.gradient, lane), &velocity)
      store(value, chunk.value, lane)
      store(velocity, chunk.first, lane)
      lane &+= Lanes.scalarCount
    }
    let rest = chunk.count - whole
    guard rest > 0 else { return }
    var value = load(chunk.value + whole, first: rest)
    var velocity = load(chunk.first + whole, first: rest)
    advance(&value, load(chunk.gradient + whole, first: rest), &velocity)
    store(value, chunk.value + whole, first: rest)
    store(velocity, chunk.first + whole, first: rest)
  }

  private static func sumOfSquares(_ gradient: UnsafePointer<Float>, _ count: Int) -> Double {
    var lanes = SIMD8<Double>(repeating: 0)
    withUnsafeMutableBytes(of: &lanes) {
      snn_sum_of_squares(gradient, count, $0.assumingMemoryBound(to: Double.self).baseAddress)
    }
    return (lanes.lowHalf + lanes.highHalf).sum()
  }

  // MARK: Lanes

  @inline(__always)
  private static func load(_ pointer: UnsafePointer<Float>, _ lane: Int) -> Lanes {
    UnsafeRawPointer(pointer + lane).loadUnaligned(as: Lanes.self)
  }

  @inline(__always)
  private static func store(_ lanes: Lanes, _ pointer: UnsafeMutablePointer<Float>, _ lane: Int) {
    UnsafeMutableRawPointer(pointer + lane).storeBytes(of: lanes, as: Lanes.self)
  }

  /// The last, incomplete lanes; the others are 0.
  @inline(never)
  private static func load(_ pointer: UnsafePointer<Float>, first count: Int) -> Lanes {
    var lanes = Lanes(repeating: 0)
    for index in 0..<count { lanes[index] = pointer[index] }
    return lanes
  }

  @inline(never)
  private static func store(
    _ lanes: Lanes, _ pointer: UnsafeMutablePointer<Float>, first count: Int
  ) {
    for index in 0..<count { pointer[index] = lanes[index] }
  }
}
