/// Σ weight·term over terms of equal shape; joins the parts of a loss, or currents at one membrane.
public func weightedSum(_ terms: [(weight: Float, term: Variable)], on tape: Tape) -> Variable {
  guard let first = terms.first else { preconditionFailure("weightedSum: no terms") }
  var result = first.term.value.map { $0 * first.weight }
  for (weight, term) in terms.dropFirst() { result.add(term.value.map { $0 * weight }) }
  let output = Variable(result, needsGradient: terms.contains { $0.term.needsGradient })
  guard output.needsGradient else { return output }
  tape.record {
    guard let gradient = output.takeGradient() else { return }
    for (weight, term) in terms where term.needsGradient {
      term.accumulate(gradient.map { $0 * weight }.reshaped(term.shape))
    }
  }
  return output
}
