/// How weight rows lie in an image (models/IMAGE.md, section 4).
public enum DeviceRows: Int, CaseIterable, Codable, Sendable {
  /// A byte a column.
  case eight = 0
  /// Four bits a column.
  case four = 1
  /// The synapses alone.
  case list = 2

  /// How reports call them.
  public var name: String {
    switch self {
    case .eight: "8 bits"
    case .four: "4 bits"
    case .list: "list"
    }
  }
}

/// Which cost decides between forms of rows.
public enum DevicePreference: String, CaseIterable, Codable, Sendable {
  /// Instructions, then bytes.
  case speed
  /// Bytes, then instructions.
  case flash
}

extension DeviceWindow {
  /// Columns of a row in memory: rounded up to 8.
  var paddedColumns: Int { (columns + 7) / 8 * 8 }

  /// The forms that hold the rows, with bytes and predicted instructions; `isWide`: the target's
  /// sums have 32 bits.
  func forms(_ cost: RowCost, isWide: Bool) -> [DeviceReport.Form] {
    let count = weights.reduce(0) { $1 == 0 ? $0 : $0 + 1 }
    return DeviceRows.allCases.filter(canHold).map { form in
      let bytes: Int
      let instructions: Double
      let padded = Double(paddedColumns)
      switch form {
      case .eight:
        bytes = rows * paddedColumns
        instructions = padded * (isWide ? cost.wideColumn : cost.column8)
      case .four:
        bytes = rows * paddedColumns / 2
        instructions = padded * (isWide ? cost.wideColumn : cost.column4)
      case .list:
        bytes = 4 * (rows + 1) + (2 * count + 3) / 4 * 4
        instructions = cost.row + cost.synapse * Double(count) / Double(rows)
      }
      return DeviceReport.Form(
        rows: form.name, bytes: bytes, instructions: (10 * instructions).rounded() / 10)
    }
  }

  /// The form of least cost.
  func chosenRows(
    _ cost: RowCost, isWide: Bool, preferring preference: DevicePreference
  ) -> DeviceRows {
    let forms = zip(DeviceRows.allCases.filter(canHold), forms(cost, isWide: isWide))
    let best = forms.min { left, right in
      let (a, b) = (left.1, right.1)
      return preference == .speed
        ? (a.instructions, a.bytes) < (b.instructions, b.bytes)
        : (a.bytes, a.instructions) < (b.bytes, b.instructions)
    }
    return best?.0 ?? .eight
  }

  private func canHold(_ form: DeviceRows) -> Bool {
    switch form {
    case .eight: true
    case .four: values == nil && weights.allSatisfy { (-8...7).contains($0) }
    case .list: values == nil && columns <= 256
    }
  }

  // MARK: Bytes

  /// The column at each place of a group of four bytes, and of eight nibbles from the least
  /// significant on.
  static let byteOrder = [0, 2, 1, 3]
  static let nibbleOrder = [0, 4, 2, 6, 1, 5, 3, 7]

  /// The rows of eight bits: weight + 128, padding columns as weight 0.
  func packedBytes() -> [UInt8] {
    var bytes = [UInt8](repeating: 128, count: rows * paddedColumns)
    for row in 0..<rows {
      for place in 0..<paddedColumns {
        let column = place / 4 * 4 + Self.byteOrder[place % 4]
        guard column < columns else { continue }
        bytes[row * paddedColumns + place] = UInt8(Int(weights[row * columns + column]) + 128)
      }
    }
    return bytes
  }

  /// The rows of four bits: weight + 8, padding columns as weight 0.
  func packedNibbles() -> [UInt8] {
    let rowBytes = paddedColumns / 2
    var bytes = [UInt8](repeating: 0, count: rows * rowBytes)
    for row in 0..<rows {
      for place in 0..<paddedColumns {
        let column = place / 8 * 8 + Self.nibbleOrder[place % 8]
        let weight = column < columns ? Int(weights[row * columns + column]) : 0
        bytes[row * rowBytes + place / 2] |= UInt8(weight + 8) << (4 * (place % 2))
      }
    }
    return bytes
  }

  /// The synapses of all rows as pairs of column and weight, the number of every row's first
  /// synapse, and last the number of all.
  func packedList() -> (starts: [UInt32], synapses: [UInt8]) {
    var starts: [UInt32] = [0]
    var synapses: [UInt8] = []
    for row in 0..<rows {
      for column in 0..<columns where weights[row * columns + column] != 0 {
        synapses += [UInt8(column), UInt8(bitPattern: weights[row * columns + column])]
      }
      starts.append(UInt32(synapses.count / 2))
    }
    return (starts, synapses)
  }

  /// For every source of a line of the window, the number of the weight row that its spike adds,
  /// counted from the line's first row; empty where there is no pool.
  var places: [Int] {
    guard pool > 1 else { return [] }
    return (0..<x.kernel * pool * shape.channels).map { source in
      let cell = source / shape.channels / pool
      return cell * shape.channels + source % shape.channels
    }
  }
}
