import ModelFormat

/// A model without the neurons that cannot matter, and where the others went.
public struct LivingModel {
  /// The model that is left; its read-out computes what the original's does.
  public var model: Model
  /// For each population, the channels of the original that are left, ascending.
  public var channels: [[Int]]

  /// The number of neurons removed from a population.
  public func removedCount(_ population: Int, of original: Model) -> Int {
    original.populations[population].shape.count - model.populations[population].shape.count
  }
}

/// Removes channels of LIF populations (neurons, in a vector) that have no synapse in, so never
/// fire, or none out, so are never heard. What is left computes the same read-out, spike for spike.
///
/// A channel without input stays where its bias or initial membrane could make it fire. Only dense
/// and ungrouped convolutional projections are cut; a population with any other projection keeps
/// its neurons. One channel always stays: a population is never empty. Where a neuron goes, so does
/// the digest of the golden trace, which tells of all membranes.
public func removingDeadNeurons(from model: Model) -> LivingModel {
  var alive = model.populations.map { Set(0..<$0.shape.channels) }
  var changed = true
  while changed {
    changed = false
    for population in model.populations.indices where isRemovable(population, in: model) {
      let heard = channels(of: population, in: model, alive: alive)
      let kept = alive[population].intersection(heard)
      let result = kept.isEmpty ? Set(alive[population].sorted().prefix(1)) : kept
      if result != alive[population] {
        alive[population] = result
        changed = true
      }
    }
  }
  let kept = alive.map { $0.sorted() }
  var reduced = model
  for index in model.populations.indices {
    reduced.populations[index].keep(kept[index])
    if index < reduced.task.units.count {
      reduced.task.units[index] = cut(
        model.task.units[index], of: model.populations[index].shape.channels, to: kept[index])
    }
  }
  for index in model.projections.indices {
    reduced.projections[index].weights = cut(model.projections[index], in: model, kept: kept)
  }
  if zip(reduced.populations, model.populations).contains(where: { $0.shape != $1.shape }) {
    reduced.goldenDigest = nil
  }
  return LivingModel(model: reduced, channels: kept)
}

private func isRemovable(_ population: Int, in model: Model) -> Bool {
  let layer = model.populations[population]
  guard !layer.isReadout else { return false }
  // Any spike of this population ends the inference, heard or not.
  if case .firstSpike(of: population) = model.exit { return false }
  return model.projections.allSatisfy { projection in
    guard projection.target == population || projection.source == .population(population) else {
      return true
    }
    switch projection.topology {
    case .dense: return true
    case .convolution(let convolution): return convolution.groups == 1
    case .oneToOne, .lateral: return false
    }
  }
}

/// The channels of a population that can fire and are heard, given the channels alive elsewhere.
private func channels(of population: Int, in model: Model, alive: [Set<Int>]) -> Set<Int> {
  let layer = model.populations[population]
  var fires = Set<Int>()
  var heard = Set<Int>()
  for neuron in 0..<layer.shape.count
  where layer.bias(of: neuron) != 0 || layer.initial(of: neuron) != 0 {
    fires.insert(neuron % layer.shape.channels)
  }
  for projection in model.projections {
    let isTarget = projection.target == population
    let isSource = projection.source == .population(population)
    guard isTarget || isSource else { continue }
    let columns = projection.weights.columns
    let sourceChannels = model.sourceShape(of: projection).channels
    let targetChannels = model.populations[projection.target].shape.channels
    for (entry, weight) in projection.weights.values.enumerated() where weight != 0 {
      // Rows and columns are channels last, of whatever there is beside the channels.
      let from = (entry / columns) % sourceChannels
      let to = entry % columns % targetChannels
      if case .population(let source) = projection.source, !alive[source].contains(from) {
        continue
      }
      guard alive[projection.target].contains(to) else { continue }
      if isTarget { fires.insert(to) }
      if isSource { heard.insert(from) }
    }
  }
  return fires.intersection(heard)
}

private func cut(_ projection: Projection, in model: Model, kept: [[Int]]) -> WeightMatrix {
  let old = projection.weights
  let target = model.populations[projection.target].shape
  guard projection.isMatrix else { return old }
  let sourceChannels = model.sourceShape(of: projection).channels
  var keptSources = Array(0..<sourceChannels)
  if case .population(let source) = projection.source { keptSources = kept[source] }
  let rows = (0..<old.rows / sourceChannels).flatMap { place in
    keptSources.map { place * sourceChannels + $0 }
  }
  let columns = (0..<old.columns / target.channels).flatMap { place in
    kept[projection.target].map { place * target.channels + $0 }
  }
  return WeightMatrix(
    rows: rows.count, columns: columns.count,
    values: rows.flatMap { row in columns.map { old[row, $0] } })
}

/// What the given channels keep of one value, values by channel or values by neuron.
private func cut<Value>(_ values: [Value], of oldChannels: Int, to channels: [Int]) -> [Value] {
  guard values.count > 1 else { return values }
  return (0..<values.count / oldChannels).flatMap { place in
    channels.map { values[place * oldChannels + $0] }
  }
}

extension Projection {
  fileprivate var isMatrix: Bool {
    switch topology {
    case .dense: true
    case .convolution(let convolution): convolution.groups == 1
    case .oneToOne, .lateral: false
    }
  }
}

extension Population {
  /// Reduces the population and its parameters to the given channels.
  fileprivate mutating func keep(_ channels: [Int]) {
    let old = shape
    shape.channels = channels.count
    func reduced(_ parameter: Parameter) -> Parameter {
      Parameter(cut(parameter.values, of: old.channels, to: channels))
    }
    leak = reduced(leak)
    bias = reduced(bias)
    initial = reduced(initial)
    if case .lif(var lif) = kind {
      lif.threshold = reduced(lif.threshold)
      lif.currentLeak = reduced(lif.currentLeak)
      kind = .lif(lif)
    }
  }
}
