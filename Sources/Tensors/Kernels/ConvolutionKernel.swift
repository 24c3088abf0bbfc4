import COneDNN
import Synchronization
import Wiring

/// One two-dimensional convolution's sizes: N images of `[height, width, inputs]` to
/// `[outputHeight, outputWidth, outputs]`, weights
/// `[inputs, kernel height, kernel width, outputs / groups]`.
struct ConvolutionSize: Hashable, Sendable {
  var images: Int
  var inputs: Int
  var height: Int
  var width: Int
  var outputs: Int
  var geometry: Convolution

  var outputHeight: Int { geometry.y.outputLength(of: height) }
  var outputWidth: Int { geometry.x.outputLength(of: width) }

  /// The weights' extents as the library names them: `[outputs, inputs, …]`, with groups in front
  /// `[groups, outputs / groups, inputs / groups, …]`.
  var weightExtents: [Int] {
    let kernel = [geometry.y.kernel, geometry.x.kernel]
    guard geometry.groups > 1 else { return [outputs, inputs] + kernel }
    return [geometry.groups, outputs / geometry.groups, inputs / geometry.groups] + kernel
  }

  /// Steps in memory, by weight extent, of the project's order of weights.
  var weightStrides: [Int] {
    let columns = outputs / geometry.groups
    let row = geometry.y.kernel * geometry.x.kernel * columns
    let inner = [1, row, geometry.x.kernel * columns, columns]
    return geometry.groups > 1 ? [inputs / geometry.groups * row] + inner : inner
  }
}

/// The three passes of a convolution through oneDNN's direct algorithm. Winograd is never used: its
/// transforms are not exact on integers (models/FORMAT.md, section 5).
struct ConvolutionKernel: Sendable {
  enum Pass: Hashable, Sendable { case forward, backwardData, backwardWeights }

  private let pass: Primitive
  private let reorder: Primitive
  /// The weights' description in the project's order, the order of a model file's weight matrix.
  private let plain: SendableDescription
  private let packed: SendableDescription
  private let packedCount: Int

  /// The compiled kernel for a size, compiled at its first use and kept.
  static func cached(_ size: ConvolutionSize, _ pass: Pass) -> ConvolutionKernel {
    let key = Key(size: size, pass: pass)
    return cache.withLock { kernels in
      if let kernel = kernels[key] { return kernel }
      let kernel = ConvolutionKernel(size, pass)
      kernels[key] = kernel
      return kernel
    }
  }

  func forward(
    _ source: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ result: UnsafeMutablePointer<Float>
  ) {
    withPackedWeights(weights) { packed in
      pass.execute([
        (Int32(DNNL_ARG_SRC), UnsafeRawPointer(source)), (Int32(DNNL_ARG_WEIGHTS), packed),
        (Int32(DNNL_ARG_DST), UnsafeRawPointer(result)),
      ])
    }
  }

  func backwardData(
    _ resultGradient: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ sourceGradient: UnsafeMutablePointer<Float>
  ) {
    withPackedWeights(weights) { packed in
      pass.execute([
        (Int32(DNNL_ARG_DIFF_DST), UnsafeRawPointer(resultGradient)),
        (Int32(DNNL_ARG_WEIGHTS), packed),
        (Int32(DNNL_ARG_DIFF_SRC), UnsafeRawPointer(sourceGradient)),
      ])
    }
  }

  func backwardWeights(
    _ source: UnsafePointer<Float>, _ resultGradient: UnsafePointer<Float>,
    _ weightGradient: UnsafeMutablePointer<Float>
  ) {
    let gradient = Storage(count: packedCount)
    pass.execute([
      (Int32(DNNL_ARG_SRC), UnsafeRawPointer(source)),
      (Int32(DNNL_ARG_DIFF_DST), UnsafeRawPointer(resultGradient)),
      (Int32(DNNL_ARG_DIFF_WEIGHTS), UnsafeRawPointer(gradient.pointer)),
    ])
    reorder.execute(
      [
        (Int32(DNNL_ARG_FROM), UnsafeRawPointer(gradient.pointer)),
        (Int32(DNNL_ARG_TO), UnsafeRawPointer(weightGradient)),
      ],
      described: [Int32(DNNL_ARG_FROM): packed.value, Int32(DNNL_ARG_TO): plain.value])
  }

  private func withPackedWeights(
    _ weights: UnsafePointer<Float>, _ body: (UnsafeRawPointer) -> Void
  ) {
    let storage = Storage(count: packedCount)
    reorder.execute(
      [
        (Int32(DNNL_ARG_FROM), UnsafeRawPointer(weights)),
        (Int32(DNNL_ARG_TO), UnsafeRawPointer(storage.pointer)),
      ],
      described: [Int32(DNNL_ARG_FROM): plain.value, Int32(DNNL_ARG_TO): packed.value])
    body(storage.pointer)
  }

  private struct Key: Hashable {
    var size: ConvolutionSize
    var pass: Pass
  }
  private static let cache = Mutex<[Key: ConvolutionKernel]>([:])

  private init(_ size: ConvolutionSize, _ kind: Pass) {
    OneDNN.useOneThread()
    var source = OneDNN.description(
      [size.images, size.inputs, size.height, size.width], dnnl_nhwc)
    var weights = OneDNN.description(size.weightExtents, dnnl_format_tag_any)
    var result = OneDNN.description(
      [size.images, size.outputs, size.outputHeight, size.outputWidth], dnnl_nhwc)
    let axes = [size.geometry.y, size.geometry.x]
    let stride = axes.map { Int64($0.stride) }
    // The library counts the cells left out between two taps.
    let dilation = axes.map { Int64($0.dilation - 1) }
    let before = axes.map { Int64($0.paddingBefore) }
    let after = axes.map { Int64($0.paddingAfter) }
    var description = dnnl_convolution_desc_t()
    var forward: dnnl_primitive_desc_t?
    var attributes: dnnl_primitive_attr_t?
    OneDNN.check(dnnl_primitive_attr_create(&attributes), "creating attributes")
    defer { dnnl_primitive_attr_destroy(attributes) }
    OneDNN.check(
      dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user),
      "choosing the caller's scratch memory")
    OneDNN.check(
      dnnl_dilated_convolution_forward_desc_init(
        &description, dnnl_forward_training, dnnl_convolution_direct, &source, &weights, nil,
        &result, stride, dilation, before, after), "describing the convolution \(size)")
    OneDNN.check(
      dnnl_primitive_desc_create(&forward, &description, attributes, OneDNN.engine, nil),
      "finding a kernel for the convolution \(size)")
    defer { dnnl_primitive_desc_destroy(forward) }
    var backward: dnnl_primitive_desc_t?
    defer { if let backward { dnnl_primitive_desc_destroy(backward) } }
    switch kind {
    case .forward: break
    case .backwardData:
      OneDNN.check(
        dnnl_dilated_convolution_backward_data_desc_init(
          &description, dnnl_convolution_direct, &source, &weights, &result, stride, dilation,
          before, after), "describing the backward convolution \(size)")
    case .backwardWeights:
      OneDNN.check(
        dnnl_dilated_convolution_backward_weights_desc_init(
          &description, dnnl_convolution_direct, &source, &weights, nil, &result, stride, dilation,
          before, after), "describing the weights' backward convolution \(size)")
    }
    if kind != .forward {
      OneDNN.check(
        dnnl_primitive_desc_create(&backward, &description, attributes, OneDNN.engine, forward),
        "finding a backward kernel for the convolution \(size)")
    }
    guard let descriptor = backward ?? forward else {
      preconditionFailure("oneDNN described no convolution")
    }
    switch kind {
    case .forward:
      pass = Primitive(
        descriptor,
        arguments: [
          Int32(DNNL_ARG_SRC): dnnl_query_src_md, Int32(DNNL_ARG_WEIGHTS): dnnl_query_weights_md,
          Int32(DNNL_ARG_DST): dnnl_query_dst_md,
        ])
      packed = SendableDescription(value: pass.description(of: Int32(DNNL_ARG_WEIGHTS)))
    case .backwardData:
      pass = Primitive(
        descriptor,
        arguments: [
          Int32(DNNL_ARG_DIFF_SRC): dnnl_query_diff_src_md,
          Int32(DNNL_ARG_WEIGHTS): dnnl_query_weights_md,
          Int32(DNNL_ARG_DIFF_DST): dnnl_query_diff_dst_md,
        ])
      packed = SendableDescription(value: pass.description(of: Int32(DNNL_ARG_WEIGHTS)))
    case .backwardWeights:
      pass = Primitive(
        descriptor,
        arguments: [
          Int32(DNNL_ARG_SRC): dnnl_query_src_md,
          Int32(DNNL_ARG_DIFF_WEIGHTS): dnnl_query_diff_weights_md,
          Int32(DNNL_ARG_DIFF_DST): dnnl_query_diff_dst_md,
        ])
      packed = SendableDescription(value: pass.description(of: Int32(DNNL_ARG_DIFF_WEIGHTS)))
    }
    plain = SendableDescription(
      value: OneDNN.description(size.weightExtents, strides: size.weightStrides))
    packedCount = (withUnsafePointer(to: packed.value) { dnnl_memory_desc_get_size($0) } + 3) / 4
    reorder =
      kind == .backwardWeights
      ? Self.reorder(from: packed.value, to: plain.value, attributes)
      : Self.reorder(from: plain.value, to: packed.value, attributes)
  }

  private static func reorder(
    from: dnnl_memory_desc_t, to: dnnl_memory_desc_t, _ attributes: dnnl_primitive_attr_t?
  ) -> Primitive {
    var from = from
    var to = to
    var descriptor: dnnl_primitive_desc_t?
    OneDNN.check(
      dnnl_reorder_primitive_desc_create(
        &descriptor, &from, OneDNN.engine, &to, OneDNN.engine, attributes),
      "finding a kernel that reorders weights")
    guard let descriptor else { preconditionFailure("oneDNN described no reorder") }
    defer { dnnl_primitive_desc_destroy(descriptor) }
    return Primitive(descriptor, arguments: [:])
  }
}

/// A memory description: a plain C structure without pointers.
struct SendableDescription: @unchecked Sendable {
  var value: dnnl_memory_desc_t
}
