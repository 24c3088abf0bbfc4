import ModelFormat

/// The least sum of values that makes a neuron fire.
///
/// Let a neuron get the same sum in every step and nothing else. The greater the sum, the sooner it
/// fires: leak, sum and clamping keep the order of membranes, and nothing else happens before the
/// first spike. So one comparison with the least such sum tells an engine whether the neuron has to
/// be computed at all.
struct NeuronDrive {
  /// The layer's one projection, which carries values.
  let window: DeviceWindow
  let steps: Int

  /// No sum of weights and values reaches it (FORMAT.md, section 5).
  private static let limit = 1 << 24

  /// For neurons whose sums are the same in every step; nil if those of `layer` are not.
  init?(_ layer: DeviceGraph.Layer, steps: Int) {
    guard layer.windows.count == 1, layer.windows[0].values != nil, layer.windows[0].isHeld else {
      return nil
    }
    window = layer.windows[0]
    self.steps = steps
  }

  /// The least sum before its shift with which a neuron fires in some step; nil if none does.
  func sum(of neuron: Int, in population: Population, _ lif: Population.LIF) -> Int? {
    let threshold = lif.threshold.value(of: neuron, in: population.shape, default: 0)
    let fires = threshold + (lif.compare == .greater ? 1 : 0)
    let leak = population.leak(of: neuron)
    func isEnough(_ sum: Int) -> Bool {
      let added = window.scaled(sum) + population.bias(of: neuron)
      var membrane = population.initial(of: neuron)
      for _ in 0..<steps {
        membrane = min(max(membrane * leak / 32768 + added, lif.floor), lif.ceiling)
        if membrane >= fires { return true }
      }
      return false
    }
    guard isEnough(Self.limit) else { return nil }
    var (below, least) = (-Self.limit, Self.limit)
    if isEnough(below) { return below }
    while least - below > 1 {
      let middle = (below + least) / 2
      if isEnough(middle) { least = middle } else { below = middle }
    }
    return least
  }
}
