import Spiking
import Tensors

extension Network {
  /// The price of spiking by population, empty where there is none.
  ///
  /// - Throws: ``LearningError/value(place:expected:found:)`` for a population the network lacks.
  public func penalties(_ activity: ActivityRecipe?) throws -> [Int: ActivityPenalty] {
    guard let activity else { return [:] }
    let names = spiking.map { populations[$0].name }
    if let unknown = activity.layers.keys.filter({ !names.contains($0) }).min() {
      throw LearningError.value(
        place: "activity.layers.\(unknown)",
        expected: "a spiking layer, one of \(names.joined(separator: ", "))", found: "'\(unknown)'")
    }
    var penalties: [Int: ActivityPenalty] = [:]
    for index in spiking {
      guard let target = activity.layers[populations[index].name] ?? activity.target else {
        continue
      }
      penalties[index] = ActivityPenalty(
        strength: Float(activity.strength), targetRate: Float(target))
    }
    return penalties
  }

  /// Where numbers first stop being finite: parameters, then input currents in the order of
  /// computation, then gradients.
  func firstNonFinite(
    _ batch: TrainingBatch, _ gradients: [Tensor], _ arithmetic: any Arithmetic, shardSize: Int?
  ) -> (place: String, quantity: String) {
    let parameters = parameters(with: arithmetic)
    if let parameter = parameters.first(where: { !$0.value.isFinite }) {
      return (parameter.name, "value")
    }
    let prepared = prepare(with: arithmetic, on: Tape()).frozen()
    let shardSize = shardSize ?? self.shardSize(batchSize: batch.count)
    for start in stride(from: 0, to: batch.count, by: shardSize) {
      let range = start..<min(start + shardSize, batch.count)
      var first: Int?
      var options = ForwardOptions()
      options.observer = { if first == nil && !$1.isFinite { first = $0 } }
      _ = prepared.forward(input(from: batch, range), batch: range.count, options, on: Tape())
      if let first { return (populations[first].name, "input current") }
    }
    for (parameter, gradient) in zip(parameters, gradients) where !gradient.isFinite {
      return (parameter.name, "gradient")
    }
    return (populations[readout].name, "loss")
  }
}

extension Optimizer {
  /// The moments by name, as checkpoints keep them.
  var namedMoments: [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (parameter, moments) in zip(parameters, moments) {
      result[parameter.name + ".first"] = moments.first
      result[parameter.name + ".second"] = moments.second
    }
    return result
  }

  /// Brings the optimizer into a saved state; nothing changes where it does not fit.
  func restore(_ saved: [String: Tensor], step: Int) throws {
    func moment(_ name: String, like tensor: Tensor) throws -> Tensor {
      guard let found = saved[name], found.shape == tensor.shape else {
        throw LearningError.foreignCheckpoint(
          place: "moment \(name)", expected: "a tensor of shape \(tensor.shape)",
          found: saved[name].map { "one of \($0.shape)" } ?? "none")
      }
      return found
    }
    let expected = Set(namedMoments.keys)
    if let extra = saved.keys.filter({ !expected.contains($0) }).min() {
      throw LearningError.foreignCheckpoint(
        place: "moment \(extra)", expected: "none: the optimizer is of another kind", found: "one")
    }
    let restored = try zip(parameters, moments).map { parameter, moments in
      (
        first: try moment(parameter.name + ".first", like: moments.first),
        second: try moments.second.map { try moment(parameter.name + ".second", like: $0) }
      )
    }
    for (moments, tensors) in zip(moments, restored) {
      moments.first = tensors.first
      moments.second = tensors.second
    }
    stepCount = step
  }
}
