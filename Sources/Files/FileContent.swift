/// A file's path and what it shall hold.
package struct FileContent: Equatable, Sendable {
  /// Where the file shall lie.
  package let path: String
  /// What it shall hold.
  package let bytes: [UInt8]

  /// A file of `bytes` at `path`.
  package init(_ path: String, _ bytes: [UInt8]) { (self.path, self.bytes) = (path, bytes) }
}
