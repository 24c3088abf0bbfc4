/// Why files could not be written. What was there before is intact, unless `found` says otherwise.
package enum FileError: Error, Equatable, Sendable {
  /// A file cannot be written.
  case file(place: String, expected: String, found: String)
  /// A folder cannot be made; `place` is the first that cannot.
  case folder(place: String, expected: String, found: String)
}
