import Spiking
import Tensors

extension Network {
  /// Puts a price on the spiking of layers, or takes it off all where there is none.
  ///
  /// - Throws: ``LearningError/value(place:expected:found:)`` for a layer the network lacks.
  public func setPenalties(_ activity: ActivityRecipe?) throws {
    let spiking = layers.filter { $0.kind != .readout }
    for layer in spiking { layer.penalty = nil }
    guard let activity else { return }
    let names = spiking.map(\.name)
    if let unknown = activity.layers.keys.filter({ !names.contains($0) }).min() {
      throw LearningError.value(
        place: "activity.layers.\(unknown)",
        expected: "a spiking layer, one of \(names.joined(separator: ", "))", found: "'\(unknown)'")
    }
    for layer in spiking {
      guard let target = activity.layers[layer.name] ?? activity.target else { continue }
      layer.penalty = ActivityPenalty(
        strength: Float(activity.strength), targetRate: Float(target))
    }
  }

  /// Where numbers first stop being finite, in the order of computation: parameters and input currents
  /// layer by layer, then gradients.
  func firstNonFinite(
    _ batch: TrainingBatch, _ gradients: [Tensor], shardSize: Int?
  ) -> (place: String, quantity: String) {
    if let parameter = parameters.first(where: { !$0.value.isFinite }) {
      return (parameter.name, "value")
    }
    let prepared = prepare(on: Tape()).frozen()
    var first: Int?
    let shardSize = shardSize ?? self.shardSize(batchSize: batch.labels.count)
    for start in stride(from: 0, to: batch.labels.count, by: shardSize) {
      let range = start..<min(start + shardSize, batch.labels.count)
      _ = prepared.forward(input(from: batch, range), batch: range.count, on: Tape()) {
        index, current in
        if !current.isFinite { first = min(first ?? index, index) }
      }
    }
    if let first { return (layers[first].name, "input current") }
    for (parameter, gradient) in zip(parameters, gradients) where !gradient.isFinite {
      return (parameter.name, "gradient")
    }
    return (layers.last?.name ?? name, "loss")
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
