/// How weights stand in a file (FORMAT.md §7): a coding of the values, a layout of which entries
/// are stored, and whether both are deflated.
public struct WeightForm: Hashable, Sendable {
  /// How a stored value becomes bits.
  public enum Coding: Int, CaseIterable, Sendable {
    /// 8 bits, two's complement.
    case int8
    /// 4 bits, two's complement.
    case int4
    /// 2 bits, −1, 0 or 1.
    case ternary
    /// 1, 2 or 4 bits that choose a level of a code book.
    case codebook
  }

  /// Which entries are stored.
  public enum Layout: Int, CaseIterable, Sendable {
    /// Every entry.
    case full
    /// Per row the columns of its stored entries, delta-coded.
    case csr
    /// One bit per entry.
    case bitmap
  }

  /// Whether the bytes are deflated.
  public enum Compression: Int, CaseIterable, Sendable {
    /// As they are.
    case stored
    /// Values and index are zlib streams.
    case zlib
  }

  /// How a stored value becomes bits.
  public var coding: Coding
  /// Which entries are stored.
  public var layout: Layout
  /// Whether the bytes are deflated.
  public var compression: Compression

  /// A form.
  public init(_ coding: Coding, _ layout: Layout, _ compression: Compression) {
    self.coding = coding
    self.layout = layout
    self.compression = compression
  }

  /// All 24 forms; among equally small ones the writer takes the first in this order.
  public static let all: [WeightForm] = Compression.allCases.flatMap { compression in
    Layout.allCases.flatMap { layout in
      Coding.allCases.map { WeightForm($0, layout, compression) }
    }
  }
}

extension WeightForm: CustomStringConvertible {
  /// The three choices as in the schema, such as `ternary bitmap zlib`.
  public var description: String { "\(coding) \(layout) \(compression)" }
}
