import Evaluation

extension BenchReport {
  /// The machine's own limits.
  var limitsText: String {
    let rates = matrixProductRates.enumerated().map {
      "\(decimal($1 * 1e-9, 0)) GFLOP/s on \($0 + 1)"
    }
    let side = MachineLimits.side
    return "\(processorCount) cores; matrix product \(side)x\(side)x\(side): "
      + rates.joined(separator: ", ")
  }

  var trainingText: String {
    var table = TextTable([
      "training", "weights", "threads", "shard", "samples/s", "median", "of bound", "bar", "",
      "float/quantised", "bar", "", "GFLOP/s", "cores' time", "rates",
    ])
    for row in training {
      let ratio = row.isQuantized ? quantizedRatio(row.network, threads: row.threads) : nil
      table.add([
        row.network, row.isQuantized ? "4 bit" : "float", "\(row.threads)", "\(row.shardSize)",
        decimal(row.samplesPerSecond, 0), decimal(row.medianSamplesPerSecond, 0),
        decimal(row.fractionOfBound, 2), row.isQuantized ? "" : decimal(row.bar, 2),
        Self.verdict(row.meetsBar),
        ratio.map { decimal($0, 2) } ?? "",
        ratio == nil ? "" : decimal(BenchNetwork.quantizedRatioBar, 2),
        Self.verdict(ratio.map { $0 <= BenchNetwork.quantizedRatioBar }),
        decimal(row.matrixProductRate * 1e-9, 0), decimal(row.processorShare, 2),
        Self.text(row.rates),
      ])
    }
    return table.lines.joined(separator: "\n")
  }

  var inferenceText: String {
    var table = TextTable([
      "inference", "ms", "median", "bar", "", "adds", "multiply-adds", "G/s", "rates",
    ])
    for row in inference {
      table.add([
        row.network, decimal(row.milliseconds, 4), decimal(row.medianMilliseconds, 4),
        row.bar.map { decimal($0, 2) } ?? "", Self.verdict(row.meetsBar),
        decimal(row.synapticOperations, 0), decimal(row.multiplyAdds, 0),
        decimal(row.operationsPerSecond * 1e-9, 1), Self.text(row.rates),
      ])
    }
    return table.lines.joined(separator: "\n")
  }

  var sizesText: String {
    var table = TextTable(["model", "file bytes", "arena bytes", "state bytes"])
    for row in models {
      table.add([row.model, "\(row.fileBytes)", "\(row.arenaBytes)", "\(row.stateBytes)"])
    }
    return table.lines.joined(separator: "\n")
  }

  var memoryText: String? {
    runner.map {
      "  snn-run \($0.model), \($0.samples) samples of moving-shapes: peak "
        + "\(decimal(Double($0.peakBytes) / 1_048_576, 1)) MiB, bar "
        + "\(RunnerMemory.bar >> 20) MiB: \(Self.verdict($0.meetsBar))"
    }
  }

  private static func verdict(_ isMet: Bool?) -> String {
    isMet.map { $0 ? "met" : "MISSED" } ?? ""
  }

  private static func text(_ rates: [Double]) -> String {
    rates.map { decimal($0, 3) }.joined(separator: " ")
  }
}
