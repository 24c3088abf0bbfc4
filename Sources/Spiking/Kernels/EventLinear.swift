import CKernels
import Tensors

/// The active sources of rows of events: what is not zero, row by row.
struct ActiveSources {
  private var indices: [UInt32] = []
  private var values: [Float] = []
  private var starts = [0]

  /// Above this share of sources that are not zero, a dense product is faster (measured: README, Speed).
  static let greatestShare = 0.2

  /// Nil where more than ``greatestShare`` of the sources are not zero.
  init?(_ events: Tensor, sources: Int) {
    let limit = Int(Double(events.count) * Self.greatestShare)
    let count = events.count
    let fits = events.withPointer { events in
      for start in stride(from: 0, to: count, by: sources) {
        for source in 0..<sources where events[start + source] != 0 {
          indices.append(UInt32(source))
          values.append(events[start + source])
        }
        if indices.count > limit { return false }
        starts.append(indices.count)
      }
      return true
    }
    guard fits else { return nil }
  }

  var rows: Int { starts.count - 1 }

  fileprivate func forEachRow(_ body: (_ row: Int, inout snn_active) -> Void) {
    indices.withUnsafeBufferPointer { indices in
      values.withUnsafeBufferPointer { values in
        guard let indices = indices.baseAddress, let values = values.baseAddress else { return }
        for row in 0..<rows {
          var active = snn_active(
            count: starts[row + 1] - starts[row], indices: indices + starts[row],
            values: values + starts[row])
          body(row, &active)
        }
      }
    }
  }
}

/// Events through dense synapses: ``Tensors/linear(_:weight:rows:on:)`` that visits only what spiked.
/// Events need no gradient.
func linear(_ events: ActiveSources, weight: Variable, on tape: Tape) -> Variable {
  let columns = weight.shape[1]
  var result = Tensor([events.rows, columns])
  result.withMutablePointer { target in
    weight.value.withPointer { weights in
      events.forEachRow { row, active in
        snn_add_rows(&active, weights, columns, target + row * columns)
      }
    }
  }
  let output = Variable(result, needsGradient: weight.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    var weightGradient = Tensor(weight.shape)
    weightGradient.withMutablePointer { target in
      gradient.withPointer { gradient in
        events.forEachRow { row, active in
          snn_add_to_rows(&active, target, columns, gradient + row * columns)
        }
      }
    }
    weight.accumulate(weightGradient)
  }
  return output
}
