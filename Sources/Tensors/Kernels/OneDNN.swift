import COneDNN

/// The library's CPU engine, and the checks around its calls. Every failure of it is a mistake in
/// this module (shapes are checked before), hence preconditions.
enum OneDNN {
  nonisolated(unsafe) static let engine: dnnl_engine_t = {
    // Sums of integers must stay exact: never bfloat16 inside, whatever the environment says.
    check(dnnl_set_default_fpmath_mode(dnnl_fpmath_mode_strict), "asking for strict float32")
    var engine: dnnl_engine_t?
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "creating the engine")
    guard let engine else { preconditionFailure("oneDNN made no CPU engine") }
    return engine
  }()

  /// Runs a call of the library on the calling thread alone: it would otherwise spread over all cores,
  /// beside the pieces of ``Parallel``, and sum in an order that depends on their number.
  static func onOneThread(_ action: @autoclosure () -> String, _ call: () -> dnnl_status_t) {
    useOneThread()
    check(call(), action())
  }

  /// Primitives are compiled for the thread count found then.
  static func useOneThread() { omp_set_num_threads(1) }

  static func check(_ status: dnnl_status_t, _ action: @autoclosure () -> String) {
    precondition(
      status == dnnl_success, "oneDNN: \(action()) failed with status \(status.rawValue)")
  }

  /// A description of `dims` in the memory order `tag`; `dnnl_format_tag_any` lets the primitive choose.
  static func description(_ dims: [Int], _ tag: dnnl_format_tag_t) -> dnnl_memory_desc_t {
    var description = dnnl_memory_desc_t()
    let extents = dims.map(Int64.init)
    check(
      dnnl_memory_desc_init_by_tag(&description, Int32(dims.count), extents, dnnl_f32, tag),
      "describing memory of \(dims)")
    return description
  }

  /// A description of `dims` whose neighbours along each lie `strides` elements apart.
  static func description(_ dims: [Int], strides: [Int]) -> dnnl_memory_desc_t {
    var description = dnnl_memory_desc_t()
    check(
      dnnl_memory_desc_init_by_strides(
        &description, Int32(dims.count), dims.map(Int64.init), dnnl_f32, strides.map(Int64.init)),
      "describing memory of \(dims)")
    return description
  }
}

/// A compiled primitive. It is immutable and may run on several threads at once: each call brings its
/// own scratch memory.
final class Primitive: @unchecked Sendable {
  private let primitive: dnnl_primitive_t
  private let descriptions: [Int32: dnnl_memory_desc_t]
  private let scratchpad: dnnl_memory_desc_t

  /// Compiles what `descriptor` describes, with the memory it wants for each of `arguments`.
  init(_ descriptor: dnnl_primitive_desc_t, arguments: [Int32: dnnl_query_t]) {
    var made: dnnl_primitive_t?
    OneDNN.check(dnnl_primitive_create(&made, descriptor), "compiling a primitive")
    guard let made else { preconditionFailure("oneDNN made no primitive") }
    primitive = made
    descriptions = arguments.mapValues { dnnl_primitive_desc_query_md(descriptor, $0, 0).pointee }
    scratchpad = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0).pointee
  }

  deinit { dnnl_primitive_destroy(primitive) }

  func description(of argument: Int32) -> dnnl_memory_desc_t {
    guard let description = descriptions[argument] else {
      preconditionFailure("a primitive has no argument \(argument)")
    }
    return description
  }

  /// Runs the primitive on the calling thread. Arguments not described at creation bring their own
  /// description in `described`.
  func execute(
    _ buffers: [(argument: Int32, pointer: UnsafeRawPointer)],
    described: [Int32: dnnl_memory_desc_t] = [:]
  ) {
    var stream: dnnl_stream_t?
    OneDNN.check(
      dnnl_stream_create(&stream, OneDNN.engine, UInt32(dnnl_stream_default_flags.rawValue)),
      "creating a stream")
    var scratch: Storage?
    var arguments: [dnnl_exec_arg_t] = []
    for buffer in buffers {
      let memory = Self.memory(
        described[buffer.argument] ?? description(of: buffer.argument), buffer.pointer)
      arguments.append(dnnl_exec_arg_t(arg: buffer.argument, memory: memory))
    }
    let scratchBytes = withUnsafePointer(to: scratchpad) { dnnl_memory_desc_get_size($0) }
    if scratchBytes > 0 {
      let storage = Storage(count: (scratchBytes + 3) / 4)
      scratch = storage
      arguments.append(
        dnnl_exec_arg_t(
          arg: Int32(DNNL_ARG_SCRATCHPAD), memory: Self.memory(scratchpad, storage.pointer)))
    }
    OneDNN.onOneThread("running") {
      dnnl_primitive_execute(primitive, stream, Int32(arguments.count), arguments)
    }
    OneDNN.check(dnnl_stream_wait(stream), "waiting")
    for argument in arguments { dnnl_memory_destroy(argument.memory) }
    dnnl_stream_destroy(stream)
    withExtendedLifetime(scratch) {}
  }

  private static func memory(
    _ description: dnnl_memory_desc_t, _ pointer: UnsafeRawPointer
  ) -> dnnl_memory_t? {
    var memory: dnnl_memory_t?
    var description = description
    OneDNN.check(
      dnnl_memory_create(
        &memory, &description, OneDNN.engine, UnsafeMutableRawPointer(mutating: pointer)),
      "wrapping memory")
    return memory
  }
}
