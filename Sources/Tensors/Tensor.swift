/// A dense array of float32 in row-major order.
///
/// A tensor is a value: mutating one copy leaves the others alone (storage is copied on the first
/// write to shared storage). Images are channels last, `[B, H, W, C]`; sequences of T steps put the
/// step first, `[T, B, …]`. The integer network relies on float32 holding every integer below 2^24
/// exactly (models/FORMAT.md, section 5).
public struct Tensor: @unchecked Sendable {
  /// The extents, outermost first. A scalar has the shape `[1]`.
  public let shape: [Int]
  private var storage: Storage

  /// The number of elements.
  public var count: Int { storage.count }

  /// A tensor whose elements are undefined; for operations that write every element.
  public init(uninitialized shape: [Int]) {
    precondition(shape.allSatisfy { $0 > 0 }, "every extent must be positive, found \(shape)")
    self.shape = shape
    storage = Storage(count: shape.reduce(1, *))
  }

  /// A tensor filled with `value`.
  public init(_ shape: [Int], filledWith value: Float = 0) {
    self.init(uninitialized: shape)
    storage.pointer.update(repeating: value, count: count)
  }

  /// A tensor of the given elements. Precondition: their number matches the shape.
  public init(_ shape: [Int], _ elements: [Float]) {
    self.init(uninitialized: shape)
    precondition(
      elements.count == count, "shape \(shape) needs \(count) elements, found \(elements.count)")
    elements.withUnsafeBufferPointer { storage.pointer.update(from: $0.baseAddress!, count: count) }
  }

  /// A tensor of bytes converted to 0…255. Precondition: their number matches the shape.
  public init(_ shape: [Int], bytes: ArraySlice<UInt8>) {
    self.init(uninitialized: shape)
    precondition(
      bytes.count == count, "shape \(shape) needs \(count) elements, found \(bytes.count)")
    let target = storage.pointer
    bytes.withUnsafeBufferPointer { source in
      for index in 0..<source.count { target[index] = Float(source[index]) }
    }
  }

  /// Fills the tensor with `rows` rows of `length` integers, the first at `start`, `stride` apart.
  @inlinable public mutating func fillRows<Integer: FixedWidthInteger>(
    _ rows: Int, of length: Int, from integers: [Integer], start: Int, stride: Int
  ) {
    precondition(
      rows * length == count && start + (rows - 1) * stride + length <= integers.count,
      "\(rows) rows of \(length) do not fit \(integers.count) integers or a tensor \(shape)")
    withMutablePointer { target in
      integers.withUnsafeBufferPointer { source in
        guard let first = source.baseAddress else { return }
        for row in 0..<rows {
          let to = target + row * length
          let from = first + (start + row * stride)
          for index in 0..<length { to[index] = Float(from[index]) }
        }
      }
    }
  }

  private init(shape: [Int], sharing storage: Storage) {
    self.shape = shape
    self.storage = storage
  }

  /// The same elements under another shape, without a copy. Precondition: equal counts.
  public func reshaped(_ shape: [Int]) -> Tensor {
    precondition(shape.reduce(1, *) == count, "cannot view \(self.shape) as \(shape)")
    return Tensor(shape: shape, sharing: storage)
  }

  /// The elements in row-major order, copied.
  public var elements: [Float] { Array(UnsafeBufferPointer(start: storage.pointer, count: count)) }

  /// The element at a row-major position.
  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "index \(index) outside a tensor of \(count)")
      return storage.pointer[index]
    }
    set {
      precondition(index >= 0 && index < count, "index \(index) outside a tensor of \(count)")
      withMutablePointer { $0[index] = newValue }
    }
  }

  /// Calls `body` with the first of `count` elements.
  public func withPointer<R>(_ body: (UnsafePointer<Float>) throws -> R) rethrows -> R {
    try body(UnsafePointer(storage.pointer))
  }

  /// Calls `body` with the first of `count` elements, for writing.
  public mutating func withMutablePointer<R>(
    _ body: (UnsafeMutablePointer<Float>) throws -> R
  ) rethrows -> R {
    if !isKnownUniquelyReferenced(&storage) {
      let copy = Storage(count: count)
      copy.pointer.update(from: storage.pointer, count: count)
      storage = copy
    }
    return try body(storage.pointer)
  }
}

extension Tensor: Equatable {
  /// Whether shapes and elements are equal; as with numbers, a NaN equals nothing.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    a.shape == b.shape && a.elements == b.elements
  }
}
