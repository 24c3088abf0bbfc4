import Spiking
import Tensors

/// `clamp(round(p / unit), range)`: a threshold or a bias in membrane units, straight-through.
///
/// The parameter has 1, C or N values and the unit 1 or C, channels last; the result has as many values as
/// the finer of the two.
func inUnits(
  _ parameter: Variable, unit: [Float], range: ClosedRange<Float>, on tape: Tape
) -> Variable {
  let given = parameter.value.elements
  let count = max(given.count, unit.count)
  let values = (0..<count).map { index in
    let scaled = given[index % given.count] / unit[index % unit.count]
    return min(max(scaled.rounded(.toNearestOrEven), range.lowerBound), range.upperBound)
  }
  let output = Variable(Tensor([count], values), needsGradient: parameter.needsGradient)
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    var sums = [Float](repeating: 0, count: given.count)
    for index in 0..<count {
      sums[index % sums.count] += gradient[index] / unit[index % unit.count]
    }
    parameter.accumulate(Tensor(parameter.shape, sums))
  }
  return output
}

/// A leak on the training grid, multiples of 1/256, straight-through (Q15 leak = 128·k on the device).
func onLeakGrid(_ leak: Variable, on tape: Tape) -> Variable {
  let output = Variable(
    leak.value.map { min(max(($0 * 256).rounded(.toNearestOrEven) / 256, 0), 1) },
    needsGradient: leak.needsGradient)
  tape.record {
    if let gradient = output.takeGradient() { leak.accumulate(gradient) }
  }
  return output
}
