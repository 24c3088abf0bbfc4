import ModelFormat
import Wiring

/// A projection as an image has it: a window of rows that slides over the pooled source; a dense
/// projection's window is all of it (models/IMAGE.md, section 3).
struct DeviceWindow {
  /// Where spikes or values come from.
  enum Source: Equatable {
    /// Index of a port.
    case port(Int)
    /// Index of a layer.
    case layer(Int)
  }

  /// Index in the model.
  let projection: Int
  let source: Source
  /// Steps from a spike to its arrival: the tap's own.
  let delay: Int
  let pool: Int
  let shift: Int
  /// The least and the greatest value presented; nil: spikes.
  let values: ClosedRange<Int>?
  /// The most spikes of all sources in a step, where an address may have several; else nil.
  let most: Int?
  /// Whether one frame stays for a sample.
  let isHeld: Bool
  /// The source, before and after its pool.
  let shape: Shape
  let pooled: Shape
  /// The window's sides, strides and paddings; no dilation is left.
  let y: Convolution.Axis
  let x: Convolution.Axis
  /// Columns that are no padding: channels of the target.
  let columns: Int
  /// Row (ky · kernel width + kx) · channels + channel, `columns` weights each.
  let weights: [Int8]

  /// The number of a row has 16 bits: 0...65535.
  static let maximumRows = 65_536

  /// The window of one tap of a projection of a valid model that ``DeviceGraph`` has not refused.
  ///
  /// `shape`, `target`: of the layers. Throws ``DeviceImageError`` where it has too many rows.
  init(
    projection index: Int, tap: Int, of model: Model, from source: Source, of shape: Shape,
    onto target: Shape
  ) throws(DeviceImageError) {
    let projection = model.projections[index]
    self.projection = index
    self.source = source
    self.shape = shape
    delay = projection.delays[tap]
    pool = projection.pool
    shift = projection.shift
    pooled = shape.pooled(by: projection.pool)
    columns = target.channels
    if case .input(let port) = projection.source,
      case .values(let minimum, let maximum, let framePerStep) = model.inputs[port].kind,
      model.inputs[port].encoder == nil
    {
      (values, isHeld) = (minimum...maximum, !framePerStep)
    } else {
      (values, isHeld) = (nil, false)
    }
    if case .input(let port) = projection.source,
      case .events(.every(let maximum)) = model.inputs[port].kind
    {
      most = maximum
    } else {
      most = nil
    }
    // A vector has lost its pixels, so what slides over them in the model spans all of it here.
    let isVector =
      shape != model.sourceShape(of: projection)
      || target != model.populations[projection.target].shape
    switch projection.topology {
    case .convolution(let convolution) where !isVector:
      (y, x) = (convolution.y.undilated, convolution.x.undilated)
    case .oneToOne where !isVector:
      (y, x) = (Convolution.Axis(kernel: 1), Convolution.Axis(kernel: 1))
    default:
      y = Convolution.Axis(kernel: pooled.height)
      x = Convolution.Axis(kernel: pooled.width)
    }
    let rows = y.kernel * x.kernel * shape.channels
    guard rows <= Self.maximumRows else {
      throw .tooLarge(
        place: model.place(ofProjection: index),
        expected: "at most \(Self.maximumRows) weight rows of a window", found: "\(rows)")
    }
    guard rows * target.channels <= Model.maximumWeights else {
      throw .tooLarge(
        place: model.place(ofProjection: index),
        expected: "at most \(Model.maximumWeights) weights, zeros between groups included",
        found: "\(rows * target.channels)")
    }
    let matrix = projection.weights(ofTap: tap)
    switch projection.topology {
    case .convolution(let convolution) where !isVector:
      weights = Self.rows(of: convolution, matrix, shape.channels, target.channels)
    case .oneToOne where !isVector:
      weights = Self.diagonal(matrix, target.channels)
    case .dense: weights = matrix.values
    default:
      weights = Self.rows(
        of: projection, tap: tap, in: model, cells: pooled.count, target.channels)
    }
  }

  var rows: Int { y.kernel * x.kernel * shape.channels }

  /// Non-zero weights of every row.
  var synapses: [Int] {
    (0..<rows).map { row in
      weights[row * columns..<(row + 1) * columns].reduce(0) { $1 == 0 ? $0 : $0 + 1 }
    }
  }

  /// The most synaptic operations of a step: every source spikes, every value is presented, or all the
  /// events that a step takes come from the source with the most synapses.
  func worstOperations(onto target: Shape) -> Int {
    /// By position of the source, the taps by which it reaches the target.
    func reaching(_ axis: Convolution.Axis, _ outputs: Int, _ length: Int) -> [[Int]] {
      var taps = [[Int]](repeating: [], count: length)
      for output in 0..<outputs {
        let origin = output * axis.stride - axis.paddingBefore
        for tap in axis.taps(of: output, over: length) { taps[origin + tap].append(tap) }
      }
      return taps
    }
    let xs = reaching(x, target.width, pooled.width)
    let perRow = synapses
    var (sum, largest) = (0, 0)
    for vertical in reaching(y, target.height, pooled.height) {
      for horizontal in xs {
        for channel in 0..<shape.channels {
          var operations = 0
          for tap in vertical {
            for other in horizontal {
              operations += perRow[(tap * x.kernel + other) * shape.channels + channel]
            }
          }
          sum += operations
          largest = max(largest, operations)
        }
      }
    }
    if let most { return most * largest }
    return sum * (values == nil ? pool * pool : 1)
  }

  // MARK: Rows

  /// The rows of a convolution, groups and dilation filled up with zeros.
  private static func rows(
    of convolution: Convolution, _ matrix: WeightMatrix, _ channels: Int, _ columns: Int
  ) -> [Int8] {
    let (height, width) = (convolution.y.undilated.kernel, convolution.x.undilated.kernel)
    var weights = [Int8](repeating: 0, count: height * width * channels * columns)
    let outputs = columns / convolution.groups
    let inputs = channels / convolution.groups
    for ky in 0..<convolution.y.kernel {
      for kx in 0..<convolution.x.kernel {
        let tap = ky * convolution.x.kernel + kx
        let place = ky * convolution.y.dilation * width + kx * convolution.x.dilation
        for channel in 0..<channels {
          let first = (place * channels + channel) * columns + channel / inputs * outputs
          for output in 0..<outputs {
            weights[first + output] = matrix[channel, tap * outputs + output]
          }
        }
      }
    }
    return weights
  }

  private static func diagonal(_ matrix: WeightMatrix, _ channels: Int) -> [Int8] {
    var weights = [Int8](repeating: 0, count: channels * channels)
    for channel in 0..<channels {
      weights[channel * channels + channel] = matrix.values[matrix.columns == 1 ? 0 : channel]
    }
    return weights
  }

  /// What one spike of every cell adds to every target. At most one synapse joins the two, so it
  /// is a weight.
  private static func rows(
    of projection: Projection, tap: Int, in model: Model, cells: Int, _ columns: Int
  ) -> [Int8] {
    let synapses = Synapses(of: projection, in: model)
    var weights: [Int8] = []
    weights.reserveCapacity(cells * columns)
    for cell in 0..<cells {
      var row = [Int](repeating: 0, count: columns)
      _ = synapses.deliver(1, from: cell, tap: tap, to: &row)
      weights += row.map { Int8($0) }
    }
    return weights
  }
}

extension Convolution.Axis {
  /// The same taps as a longer kernel without dilation.
  fileprivate var undilated: Convolution.Axis {
    Convolution.Axis(
      kernel: dilation * (kernel - 1) + 1, stride: stride, paddingBefore: paddingBefore,
      paddingAfter: paddingAfter)
  }
}
