import TestMathematics

@testable import Spiking

/// A network computed sample by sample and neuron by neuron with plain loops: strict comparison, reset by
/// subtraction, no bias. With `Int` numbers it is the arithmetic of models/FORMAT.md, section 4.
struct NaiveNetwork<N: Numeric & Comparable> {
  struct Layer {
    var layer: Spiking.Layer
    var weight: [N]
    /// Empty for a read-out.
    var threshold: [N]
    /// The arriving sum as the membrane sees it.
    var scaled: (_ sum: N, _ held: Bool) -> N
    /// The membrane of a neuron after its leak.
    var decayed: (_ membrane: N, _ neuron: Int) -> N
    var clamped: (N) -> N
  }

  struct Step {
    /// Each layer's membranes before reset; the read-out's are the last.
    var potentials: [[N]] = []
    var spikes: [[N]] = []
  }

  var layers: [Layer]
  var steps: Int

  /// The steps of one sample; `input` by step, or one entry where held.
  func run(_ input: [[N]], held: Bool) -> [Step] {
    var membranes = layers.map { [N](repeating: 0, count: $0.layer.shape.count) }
    return (0..<steps).map { step in
      var signal = input[held ? 0 : step]
      var result = Step()
      for (index, layer) in layers.enumerated() {
        let sums = projected(signal, layer)
        var potentials: [N] = []
        var spikes: [N] = []
        for (neuron, sum) in sums.enumerated() {
          let potential = layer.clamped(
            layer.decayed(membranes[index][neuron], neuron) + layer.scaled(sum, held && index == 0))
          potentials.append(potential)
          membranes[index][neuron] = potential
          guard !layer.threshold.isEmpty else { continue }
          let threshold = layer.threshold[neuron % layer.threshold.count]
          spikes.append(potential > threshold ? 1 : 0)
          if potential > threshold { membranes[index][neuron] = potential - threshold }
        }
        result.potentials.append(potentials)
        result.spikes.append(spikes)
        signal = spikes
      }
      return result
    }
  }

  private func projected(_ signal: [N], _ layer: Layer) -> [N] {
    let source = layer.layer.source
    let pooled = layer.layer.pooledSource
    let cells = NaiveLayers.sumPool(
      signal, height: source.height, width: source.width, channels: source.channels,
      side: layer.layer.pool)
    switch layer.layer.synapse {
    case .dense(let outputs):
      return NaiveLayers.dense(cells, weight: layer.weight, outputs: outputs)
    case .convolution(let outputs, let kernel, let geometry):
      return NaiveLayers.convolution(
        cells, height: pooled.height, width: pooled.width, weight: layer.weight,
        inputs: pooled.channels, outputs: outputs,
        .init(side: kernel, stride: geometry.stride, padding: geometry.padding))
    }
  }
}
