extension EvaluationReport {
  /// The report for people, at most 100 columns wide.
  public var text: String {
    ([
      summary + stepLines, populationLines, projectionLines, operationLines, memoryLines,
    ] + energy.map(\.lines)).map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  private var summary: [String] {
    [
      "\(shortened(model, to: 40)) on \(shortened(dataset, to: 30)) (\(split))",
      "  accuracy  \(percent(accuracy))  (\(correct) of \(counted(samples, "sample")))",
      "  spikes    \(amount(spikes)) per inference of \(stepText), "
        + "\(decimal(spikes / Double(max(neurons, 1)), 3)) per neuron",
      "  input     \(amount(events)) events accepted, \(amount(dropped)) dropped",
    ]
  }

  private var stepLines: [String] {
    guard let accuracyByStep else { return [] }
    return ["  after every step, accuracy in %"]
      + stride(from: 0, to: accuracyByStep.count, by: 10).map { first in
        let line = accuracyByStep[first..<min(first + 10, accuracyByStep.count)]
        return "  \(first + 1)…\(first + line.count)  "
          + line.map { decimal(100 * $0, 2) }.joined(separator: "  ")
      }
  }

  private var stepText: String {
    stepsTaken < Double(steps)
      ? "\(decimal(stepsTaken, 2)) steps of at most \(steps)" : "\(steps) steps"
  }

  private var populationLines: [String] {
    var table = TextTable([
      "population", "shape", "spikes", "/neuron", "/neuron/step", "silent", "updates", "clamped",
    ])
    for population in populations {
      let spiking = population.isSpiking
      table.add([
        shortened(population.name, to: 18), population.shape,
        spiking ? amount(population.spikes) : "-",
        spiking ? decimal(population.spikesPerNeuron, 3) : "-",
        spiking ? decimal(population.spikesPerNeuronPerStep, 4) : "-",
        spiking ? percent(population.activationSparsity) : "-",
        amount(population.updates), amount(population.saturations),
      ])
    }
    return ["Populations, means per inference; silent: activation sparsity"] + table.lines
  }

  private var projectionLines: [String] {
    var table = TextTable([
      "projection", "weights", "zero", "spikes in", "additions", "MACs", "dense MACs",
    ])
    for projection in projections {
      table.add([
        shortened(projection.name, to: 24), "\(projection.weights)",
        percent(projection.connectionSparsity), amount(projection.spikesIn),
        amount(projection.synops), amount(projection.macs), "\(projection.denseMACs)",
      ])
    }
    table.add([
      "all", "\(projections.reduce(0) { $0 + $1.weights })", percent(connectionSparsity),
      amount(projections.reduce(0) { $0 + $1.spikesIn }), amount(synops), amount(macs),
      amount(denseMACs),
    ])
    return [
      "Projections as executed, means per inference; zero: connection sparsity; dense: one pass"
    ] + table.lines
  }

  private var operationLines: [String] {
    var lines = [
      "Operations per inference",
      "  executed    \(amount(synops)) additions, \(amount(macs)) MACs, \(amount(updates)) updates",
      "  dense       \(amount(denseMACs)) MACs in one pass, \(amount(denseMACsAllSteps)) in \(steps)",
    ]
    guard let neuroBench else { return lines }
    lines += [
      "  NeuroBench  \(amount(neuroBench.effectiveACs)) effective ACs, "
        + "\(amount(neuroBench.effectiveMACs)) effective MACs, \(amount(neuroBench.dense)) dense",
      "              (mean of \(counted(neuroBenchSamples, "sample")))",
      "  NeuroBench counts a held frame again in every step, and counts a step as MACs if a pooled",
      "  cell holds several spikes; \"executed\" counts the frame once, and spikes as additions.",
    ]
    return lines
  }

  private var memoryLines: [String] {
    [
      "Memory",
      "  model file      \(modelBytes) bytes",
      "  loaded model    \(arenaBytes) bytes",
      "  state           \(stateBytes) bytes",
      "  weights read    \(amount(weightBytesRead)) bytes per inference",
      "  steps skipped   \(amount(stepsSkipped)) of \(populations.count * steps) "
        + "(population, step) pairs per inference",
    ]
  }
}

extension EnergyEstimate {
  /// The estimate for people: numbers, then where they come from.
  var lines: [String] {
    let title =
      switch regime {
      case .float32:
        "Energy in nJ per inference, 32-bit floats, arithmetic alone (the model of most papers)"
      case .integer: "Energy in nJ per inference, 8-bit weights, 32-bit sums, memory included"
      }
    var table = TextTable(["", "nJ per inference"])
    table.add(["MACs", decimal(macNanojoules, 2)])
    table.add(["additions", decimal(additionNanojoules, 2)])
    table.add(["memory", decimal(memoryNanojoules, 2)])
    table.add(["total", decimal(totalNanojoules, 2)])
    table.add(["dense network, one pass", decimal(denseNanojoules, 2)])
    table.add(["dense / total", decimal(gain, 2)])
    return [title] + table.lines.dropFirst()
      + constants.map { "  \($0.name): \(decimal($0.picojoules, 2)) pJ, \($0.source)" }
      + ["  \(breakEvenStatement)"]
  }
}
