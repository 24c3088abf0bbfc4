import Wiring

extension Projection {
  /// Neighbouring rows of weights whose columns end at the same channels.
  public struct ChannelBlock: Hashable, Sendable {
    /// Position of the first weight.
    public let start: Int
    /// Rows of ``ChannelLayout/columns`` weights each.
    public let rows: Int
    /// The target's channel of column 0.
    public let firstChannel: Int
  }

  /// At which channel of the target each weight ends.
  public struct ChannelLayout: Hashable, Sendable {
    /// Weights in a row, the channels of ``ChannelBlock/firstChannel`` and up.
    public let columns: Int
    /// One block, or one per tap and group of channels.
    public let blocks: [ChannelBlock]

    /// Calls `body` with the position and the channel of every weight.
    public func visit(_ body: (_ position: Int, _ channel: Int) -> Void) {
      for block in blocks {
        for index in 0..<block.rows * columns {
          body(block.start + index, block.firstChannel + index % columns)
        }
      }
    }
  }

  /// Whether some weight ends at several of the target's `channels`.
  public func sharesWeights(among channels: Int) -> Bool {
    switch topology {
    case .dense, .convolution: false
    case .oneToOne, .lateral: channels > 1 && (weight.value.shape.last ?? 1) == 1
    }
  }

  /// The layout onto a target of `channels`; with `channels` 1 all weights end at channel 0.
  /// Precondition: no weight is shared among channels.
  public func channelLayout(channels: Int) -> ChannelLayout {
    let count = weight.value.count
    guard channels > 1, case .convolution(let convolution) = topology, convolution.groups > 1 else {
      return ChannelLayout(
        columns: channels,
        blocks: [ChannelBlock(start: 0, rows: count / channels, firstChannel: 0)])
    }
    let columns = channels / convolution.groups
    let length = count / taps / convolution.groups
    return ChannelLayout(
      columns: columns,
      blocks: (0..<taps * convolution.groups).map { index in
        ChannelBlock(
          start: index * length, rows: length / columns,
          firstChannel: index % convolution.groups * columns)
      })
  }
}
