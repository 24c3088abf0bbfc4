import Tensors

extension PreparedNetwork {
  /// The same numbers without gradients: forward passes from it record nothing and keep nothing.
  public func frozen() -> PreparedNetwork {
    PreparedNetwork(
      network: network,
      arithmetic: arithmetic.map { layer in
        func constant(_ variable: Variable) -> Variable { Variable(variable.value) }
        return LayerArithmetic(
          weight: constant(layer.weight), threshold: layer.threshold.map(constant),
          leak: layer.leak.map(constant), bias: layer.bias.map(constant), grid: layer.grid)
      }, leaves: [])
  }
}
