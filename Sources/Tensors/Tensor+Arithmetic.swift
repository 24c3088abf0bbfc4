extension Tensor {
  /// Adds another tensor of the same count, element by element.
  public mutating func add(_ other: Tensor) {
    precondition(count == other.count, "cannot add \(other.shape) to \(shape)")
    let count = count
    other.withPointer { source in
      withMutablePointer { target in
        for index in 0..<count { target[index] += source[index] }
      }
    }
  }

  /// Multiplies by another tensor of the same count, element by element.
  public mutating func multiply(by other: Tensor) {
    precondition(count == other.count, "cannot multiply \(shape) by \(other.shape)")
    let count = count
    other.withPointer { source in
      withMutablePointer { target in
        for index in 0..<count { target[index] *= source[index] }
      }
    }
  }

  /// Replaces every element by `transform` of it.
  @inlinable public mutating func apply(_ transform: (Float) -> Float) {
    let count = count
    withMutablePointer { target in
      for index in 0..<count { target[index] = transform(target[index]) }
    }
  }

  /// A tensor of `transform` of every element.
  @inlinable public func map(_ transform: (Float) -> Float) -> Tensor {
    var result = Tensor(uninitialized: shape)
    let count = count
    withPointer { source in
      result.withMutablePointer { target in
        for index in 0..<count { target[index] = transform(source[index]) }
      }
    }
    return result
  }

  /// The sum of the elements, added in order in double precision.
  public var sum: Double {
    withPointer { source in
      var total = 0.0
      for index in 0..<count { total += Double(source[index]) }
      return total
    }
  }

  /// Whether every element is a finite number.
  public var isFinite: Bool {
    withPointer { source in
      // x − x is 0 for finite x and NaN otherwise; the sum of such terms is 0 or NaN.
      var total: Float = 0
      for index in 0..<count { total += source[index] - source[index] }
      return total == 0
    }
  }

  /// The sum over the first axis of `steps` entries, in order, under the given shape.
  public func summedOverSteps(_ steps: Int, shape: [Int]) -> Tensor {
    var result = Tensor(uninitialized: shape)
    let row = result.count
    precondition(steps * row == count, "cannot sum \(self.shape) over \(steps) steps to \(shape)")
    withPointer { source in
      result.withMutablePointer { target in
        target.update(from: source, count: row)
        for step in 1..<max(steps, 1) {
          let from = source + step * row
          for index in 0..<row { target[index] += from[index] }
        }
      }
    }
    return result
  }
}

extension Tensor {
  /// Entry `index` of `entries` equal parts along the first axes, copied under the given shape.
  public func slice(_ index: Int, of entries: Int, shape: [Int]) -> Tensor {
    var result = Tensor(uninitialized: shape)
    let length = result.count
    precondition(
      entries * length == count && (0..<entries).contains(index),
      "part \(index) of \(entries) of a tensor \(self.shape) is no \(shape)")
    withPointer { source in
      result.withMutablePointer { $0.update(from: source + index * length, count: length) }
    }
    return result
  }
}
