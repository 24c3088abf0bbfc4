import Foundation

/// The cross-entropy of the softmax of `logits` with `labels`, summed over rows and multiplied by
/// `scale`: a result of shape `[1]`.
///
/// With R rows and R/labels.count a whole number T, row r has the label `labels[r mod labels.count]`:
/// logits of T steps `[T·B, K]` share the labels of B samples. The mean over a batch of B is
/// `scale = 1/B`, of T steps of it `1/(T·B)`. Exponentials are of differences to the row's maximum, so
/// they never overflow.
public func softmaxCrossEntropy(
  _ logits: Variable, labels: [Int], scale: Float, on tape: Tape
) -> Variable {
  let classes = logits.shape.last ?? 1
  let rows = logits.value.count / classes
  precondition(
    !labels.isEmpty && rows % labels.count == 0,
    "softmaxCrossEntropy: \(labels.count) labels do not divide \(rows) rows of logits")
  precondition(
    labels.allSatisfy { $0 >= 0 && $0 < classes },
    "softmaxCrossEntropy: a label lies outside 0..<\(classes)")
  var probabilities = Tensor(uninitialized: [rows, classes])
  var loss = 0.0
  logits.value.withPointer { source in
    probabilities.withMutablePointer { target in
      for row in 0..<rows {
        let from = source + row * classes
        let to = target + row * classes
        var maximum = from[0]
        for k in 1..<max(classes, 1) where from[k] > maximum { maximum = from[k] }
        var total: Float = 0
        for k in 0..<classes {
          to[k] = exp(from[k] - maximum)
          total += to[k]
        }
        for k in 0..<classes { to[k] /= total }
        loss += Double(log(total) + maximum - from[labels[row % labels.count]])
      }
    }
  }
  let output = Variable(
    Tensor([1], filledWith: Float(loss) * scale), needsGradient: logits.needsGradient)
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    let factor = gradient[0] * scale
    probabilities.withMutablePointer { target in
      for row in 0..<rows { target[row * classes + labels[row % labels.count]] -= 1 }
      for index in 0..<rows * classes { target[index] *= factor }
    }
    logits.accumulate(probabilities.reshaped(logits.shape))
  }
  return output
}
