/// The weights of a projection: `rows` × `columns` integers, rows belonging to the (pooled) source
/// (FORMAT.md §3, weights).
///
/// Held densely whatever the bytes of the file look like: a zero entry is no synapse. How the
/// matrix is stored is the writer's choice, see ``WeightForm``.
public struct WeightMatrix: Equatable, Sendable {
  /// Rows, one for each (pooled) source; for CONV one for each of its channels.
  public let rows: Int
  /// Columns: targets of a row, for CONV those of every kernel tap.
  public let columns: Int
  /// The entries, row-major, `rows · columns` of them.
  public var values: [Int8] {
    didSet { precondition(values.count == oldValue.count, "a weight matrix keeps its size") }
  }

  /// A matrix of the given entries. Precondition: `values.count == rows * columns`.
  public init(rows: Int, columns: Int, values: [Int8]) {
    precondition(
      rows >= 0 && columns >= 0 && values.count == rows * columns,
      "\(rows) × \(columns) weights are not \(values.count) values")
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  /// The entry (`row`, `column`).
  public subscript(row: Int, column: Int) -> Int8 {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// The number of entries that are not zero.
  public var nonZeroCount: Int { values.reduce(0) { $1 == 0 ? $0 : $0 + 1 } }
}
