import Foundation

extension ExportReport {
  /// The report for people, at most 100 columns wide.
  public var text: String {
    ([summary, projectionLines, populationLines].map { $0.joined(separator: "\n") })
      .joined(separator: "\n\n") + "\n" + (device.map { "\n" + $0.text } ?? "")
  }

  private var summary: [String] {
    func percent(_ fraction: Double?) -> String {
      fraction.map { String(format: "%.2f %%", 100 * $0) } ?? "unknown"
    }
    var lines = [
      model,
      "  accuracy   float \(percent(floatAccuracy)), integer \(percent(integerAccuracy)), "
        + "drop \(percent(drop))",
      "  file       \(modelBytes) bytes, weights \(weightBytes); "
        + "entropy of the weights \(Int(entropyBytes.rounded(.up)))",
      "  state      \(stateBytes) bytes on this host",
      "  removed    \(removedNeurons) neurons that cannot matter",
    ]
    for projection in projections {
      guard let delays = projection.delays else { continue }
      let steps = delays.map(String.init).joined(separator: ", ")
      lines.append(
        "  delays     \(projection.name): \(steps.isEmpty ? "none has a weight" : steps)")
    }
    if let exit { lines.append("  exit       \(exit)") }
    if let exitChoice {
      lines.append(
        "             "
          + String(format: "%.2f steps, accuracy ", exitChoice.steps)
          + "\(percent(exitChoice.accuracy)) on validation samples, "
          + "\(percent(exitChoice.fullAccuracy)) after the last step")
    }
    return lines
  }

  private var projectionLines: [String] {
    textColumns(
      ["projection", "weights", "bits", "zero", "bytes", "entropy", "form"],
      projections.map {
        [
          String($0.name.prefix(20)), $0.matrix, "\($0.bits)",
          String(format: "%.1f %%", 100 * $0.sparsity), "\($0.bytes)",
          "\(Int($0.entropyBytes.rounded(.up)))", $0.form,
        ]
      })
  }

  private var populationLines: [String] {
    func spread(_ spread: Spread?, _ digits: Int) -> String {
      guard let spread else { return "-" }
      if spread.minimum == spread.maximum { return String(format: "%.\(digits)f", spread.mean) }
      return String(
        format: "%.\(digits)f/%.\(digits)f/%.\(digits)f", spread.minimum, spread.mean,
        spread.maximum)
    }
    return textColumns(
      ["population", "shape", "bound", "path"],
      populations.map { [String($0.name.prefix(20)), $0.shape, "\($0.bound)", $0.path] })
      + [""]
      + textColumns(
        ["min/mean/max", "θ real", "θ integer", "leak real", "leak of 32768"],
        populations.map {
          [
            String($0.name.prefix(16)), spread($0.realThresholds, 3), spread($0.thresholds, 0),
            spread($0.realLeaks, 3), spread($0.leaks, 0),
          ]
        })
  }
}

/// Rows of text in aligned columns under a header, the first to the left.
func textColumns(_ header: [String], _ rows: [[String]]) -> [String] {
  let table = [header] + rows
  let widths = header.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
  return table.map { row in
    "  "
      + row.enumerated().map { column, text in
        let space = String(repeating: " ", count: widths[column] - text.count)
        return column == 0 ? text + space : space + text
      }.joined(separator: "  ")
  }
}
