import Spiking

extension Network {
  /// Samples per shard where a recipe names none, 1…16: as many as keep the membranes of the largest
  /// population, over all steps, within 3 MiB.
  ///
  /// A population's potentials are written by its synapses and read by its neurons, so they should still be in
  /// or near a core's second-level cache. More samples per shard spare additions of the weights'
  /// gradients, one per shard. A shard is at most a quarter of its batch, which leaves work for four
  /// cores. The size depends on the network and the batch alone, never on the machine: it decides the
  /// last bits of gradients. 3 MiB is measured, with a cache of 1 MiB: the speed of convolutional networks
  /// changes by a few per cent from a third to twice of it.
  public func shardSize(batchSize: Int) -> Int {
    let bytes = populations.map { steps * $0.shape.count * MemoryLayout<Float>.stride }.max() ?? 1
    var size = 1
    while size < 16, 2 * size * bytes <= 3 << 20, 8 * size <= batchSize { size *= 2 }
    return size
  }
}
