import Spiking
import Wiring

extension Network {
  /// Multiply-adds of one sample's forward pass, every source counted whether it spikes or not.
  var inferenceMultiplyAdds: Int {
    projections.reduce(0) { $0 + multiplyAdds(of: $1) }
  }

  /// Multiply-adds that training on one sample needs: the forward pass, the weights' gradients and
  /// the inputs' gradients. Nothing in front of a port learns, so projections from ports need none.
  var trainingMultiplyAdds: Int {
    projections.reduce(0) { $0 + multiplyAdds(of: $1) * (port(of: $1) == nil ? 3 : 2) }
  }

  /// A current from a held frame is the same in all steps and computed once.
  private func multiplyAdds(of projection: Projection) -> Int {
    let shape = populations[projection.target].shape
    let count: Int
    switch projection.topology {
    case .dense: count = projection.weight.value.count
    case .convolution: count = projection.weight.value.count * shape.height * shape.width
    case .oneToOne, .lateral: count = shape.count * projection.taps
    }
    return count * (port(of: projection)?.isHeld == true ? 1 : steps)
  }
}
