import Foundation

/// Rows of text in aligned columns: the first to the left, all others to the right.
package struct TextTable {
  private var rows: [[String]]

  package init(_ header: [String]) { rows = [header] }

  package mutating func add(_ row: [String]) {
    precondition(row.count == rows[0].count, "\(row.count) cells in a table of \(rows[0].count)")
    rows.append(row)
  }

  /// The lines, two spaces in front and between columns, none behind.
  package var lines: [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, text in
        let space = String(repeating: " ", count: widths[column] - text.count)
        return column == 0 ? text + space : space + text
      }
      var line = "  " + cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}

/// A number with so many decimals, whatever the locale.
package func decimal(_ value: Double, _ digits: Int) -> String {
  String(format: "%.\(digits)f", value)
}

/// A count for people: all digits of large ones, one decimal of small ones that are not whole.
func amount(_ value: Double) -> String {
  value == value.rounded() || value >= 10_000 ? decimal(value, 0) : decimal(value, 1)
}

/// A number of things, such as "1 sample" and "2 samples".
package func counted(_ count: Int, _ thing: String) -> String {
  "\(count) \(thing)\(count == 1 ? "" : "s")"
}

/// A fraction as per cent.
func percent(_ fraction: Double) -> String { decimal(100 * fraction, 2) + " %" }

/// A text cut to `length` characters, the last an ellipsis where something is missing.
func shortened(_ text: String, to length: Int) -> String {
  text.count <= length ? text : text.prefix(length - 1) + "…"
}
