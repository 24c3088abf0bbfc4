import Spiking

extension Network {
  /// Multiply-adds of one sample's forward pass, every source counted whether it spikes or not.
  var inferenceMultiplyAdds: Int {
    layers.indices.reduce(0) { $0 + multiplyAdds(ofLayer: $1) }
  }

  /// Multiply-adds that training on one sample needs: the forward pass, the weights' gradients and
  /// the inputs' gradients. Nothing in front of the first layer learns, so it needs no inputs' gradient.
  var trainingMultiplyAdds: Int {
    layers.indices.reduce(0) { $0 + multiplyAdds(ofLayer: $1) * ($1 == 0 ? 2 : 3) }
  }

  /// The first layer's current from values is the same in all steps and computed once.
  private func multiplyAdds(ofLayer index: Int) -> Int {
    let layer = layers[index]
    let places: Int
    switch layer.synapse {
    case .dense: places = 1
    case .convolution: places = layer.shape.height * layer.shape.width
    }
    let isHeld = index == 0 && input.scale != nil
    return layer.weight.value.count * places * (isHeld ? 1 : steps)
  }
}
