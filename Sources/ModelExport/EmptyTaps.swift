import ModelFormat

/// The model without the first and last taps of projections that have no weight but 0: rings become
/// shorter. What is left computes the same, spike for spike; only spikes that met no synapse are no
/// longer counted. One tap always stays.
public func removingEmptyTaps(from model: Model) -> Model {
  var shorter = model
  for (index, projection) in model.projections.enumerated() where projection.taps > 1 {
    let used = projection.usedTaps
    // A first delay above 255 could not be written.
    let first = min(used.first ?? 0, (255 - projection.delay) / projection.tapStep)
    let kept = first...max(used.last ?? 0, first)
    shorter.projections[index].delay += first * projection.tapStep
    shorter.projections[index].taps = kept.count
    if kept.count == 1 { shorter.projections[index].tapStep = 1 }
    shorter.projections[index].weights = WeightMatrix(
      rows: projection.weights.rows / projection.taps * kept.count,
      columns: projection.weights.columns,
      values: kept.flatMap { projection.weights(ofTap: $0).values })
  }
  return shorter
}

extension Projection {
  /// The taps that have a weight other than 0, ascending.
  var usedTaps: [Int] { (0..<taps).filter { weights(ofTap: $0).nonZeroCount > 0 } }
}
