import ModelFormat
import SNNLoader
import SNNRuntime

/// A `.snnpb` model in the form in which the C runtime reads it, in memory of its own.
///
/// Constant once loaded, so that any number of sessions on any threads may share it.
public final class SessionModel: @unchecked Sendable {
  /// The same model as a Swift value: names, shapes and limits.
  public let model: Model
  /// Bytes that the loaded model occupies.
  public let arenaBytes: Int
  /// Bytes of memory that one ``Session`` needs for its state.
  public let stateBytes: Int

  /// Points into `arena`; valid as long as this object lives, which is why it is not public.
  let pointer: UnsafePointer<snn_model>
  private let arena: UnsafeMutableRawPointer

  /// Loads the content of a `.snnpb` file through the C loader.
  ///
  /// Throws ``RuntimeError/refused(path:expected:found:reason:)`` where the loader refuses it.
  public init(_ bytes: [UInt8]) throws {
    var arena = Self.allocate(0)
    var size = 0
    while true {
      var loaded: UnsafePointer<snn_model>?
      var fault = snn_loader_error()
      let status = bytes.withUnsafeBytes {
        snn_load(arena, size, $0.baseAddress, $0.count, &loaded, &fault)
      }
      if status == SNN_OK, let loaded {
        do {
          model = try ModelFile.decode(bytes)
        } catch {
          arena.deallocate()
          throw error
        }
        pointer = loaded
        arenaBytes = fault.used
        stateBytes = snn_state_size(loaded)
        self.arena = arena
        return
      }
      arena.deallocate()
      guard status == SNN_ERROR_MEMORY, fault.needed > size else {
        throw RuntimeError.refused(
          path: Self.text(of: &fault.path), expected: Int(fault.expected),
          found: Int(fault.found), reason: String(cString: snn_status_text(status)))
      }
      size = fault.needed
      arena = Self.allocate(size)
    }
  }

  /// Encodes `model` and loads the bytes; throws what either refuses.
  public convenience init(_ model: Model) throws {
    try self.init(ModelFile.encode(model).bytes)
  }

  deinit { arena.deallocate() }

  private static func allocate(_ size: Int) -> UnsafeMutableRawPointer {
    // Never empty, so that there always is an address.
    UnsafeMutableRawPointer.allocate(byteCount: max(size, 1), alignment: 64)
  }

  private static func text<Characters>(of path: inout Characters) -> String {
    withUnsafeBytes(of: &path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
