import Wiring

/// Every limit of FORMAT.md §1 to §4, checked here and nowhere else; §5 follows in
/// `ModelBounds.swift`.
extension Model {
  /// The most weight-matrix entries, Σ rows · columns over all projections, of one model: 2^26
  /// (FORMAT.md §7).
  ///
  /// Every entry counts, also one that a sparse layout does not store: matrices are dense in
  /// memory.
  public static let maximumWeights = 1 << 26

  /// Checks every limit of FORMAT.md and yields the proven bounds.
  ///
  /// Costs about one pass over the weights. Throws the first violation found.
  @discardableResult
  public func validate() throws(ModelError) -> ModelBounds {
    try validateHeader()
    for index in inputs.indices { try validateInput(index) }
    for index in populations.indices { try validatePopulation(index) }
    try validateReadout()
    var weights = 0
    for index in projections.indices {
      try validateReferences(index)
      try validateGeometry(index)
      weights += projections[index].weights.values.count
      guard weights <= Self.maximumWeights else {
        throw .wrongCount(
          place: place(ofProjection: index) + ".weights",
          expected: "at most \(Self.maximumWeights) entries in the model", found: "\(weights)")
      }
    }
    _ = try evaluationOrder()
    return try ModelBounds(of: self)
  }

  // MARK: Header and task

  private func validateHeader() throws(ModelError) {
    try require(name.utf8.count, in: 0...64, at: "name (bytes)")
    try require(producer.utf8.count, in: 0...256, at: "producer (bytes)")
    try require(stepMicroseconds, in: 0...0x7FFF_FFFF, at: "step_microseconds")
    try require(maximumSteps, in: 1...65535, at: "max_steps")
    try require(steps, in: 1...maximumSteps, at: "steps")
    try require(inputs.count, in: 1...16, at: "inputs (count)")
    try require(populations.count, in: 1...256, at: "populations (count)")
    try require(projections.count, in: 1...1024, at: "projections (count)")
  }

  private func validateReadout() throws(ModelError) {
    guard populations.indices.contains(readout) else {
      throw .wrongReference(
        place: "readout", expected: "a population in 0..<\(populations.count)", found: "\(readout)")
    }
    guard populations[readout].isReadout else {
      throw .wrongReference(
        place: "readout", expected: "a population of kind READOUT",
        found: place(ofPopulation: readout))
    }
    let neurons = populations[readout].shape.count
    switch exit {
    case nil: break
    case .margin(let margin):
      try require(margin, in: 1...0x7FFF_FFFF, at: "exit.margin")
      guard neurons > 1 else {
        throw .wrongCount(
          place: "exit.margin", expected: "a read-out of 2 neurons at least", found: "\(neurons)")
      }
    case .firstSpike(let population):
      guard populations.indices.contains(population), !populations[population].isReadout else {
        throw .wrongReference(
          place: "exit.first_spike", expected: "a population that spikes",
          found: populations.indices.contains(population)
            ? place(ofPopulation: population) : "\(population)")
      }
    }
    guard task.classNames.isEmpty || task.classNames.count == neurons else {
      throw .wrongCount(
        place: "task.class_names", expected: "none or \(neurons)",
        found: "\(task.classNames.count)")
    }
    let accuracies = [
      ("float_accuracy", task.floatAccuracy), ("integer_accuracy", task.integerAccuracy),
    ]
    for (field, accuracy) in accuracies where !(0...1).contains(accuracy) {
      throw .outOfRange(place: "task.\(field)", expected: "0...1", found: "\(accuracy)")
    }
    guard task.units.isEmpty || task.units.count == populations.count else {
      throw .wrongCount(
        place: "task.units", expected: "none or \(populations.count)",
        found: "\(task.units.count)")
    }
    for (index, units) in task.units.enumerated() {
      let shape = populations[index].shape
      guard [1, shape.channels, shape.count].contains(units.count) else {
        throw .wrongCount(
          place: "task.units[\(index)]", expected: "1, \(shape.channels) or \(shape.count)",
          found: "\(units.count)")
      }
      guard units.allSatisfy(\.isFinite) else {
        throw .outOfRange(
          place: "task.units[\(index)]", expected: "finite numbers", found: "others")
      }
    }
  }

  // MARK: Ports and populations

  private func validateShape(
    _ shape: Shape, at place: @autoclosure () -> String
  ) throws(ModelError) {
    let sides = 1...Shape.maximumCount
    try require(shape.channels, in: sides, at: place() + ".shape.channels")
    try require(shape.height, in: sides, at: place() + ".shape.height")
    try require(shape.width, in: sides, at: place() + ".shape.width")
    // The sides are at most 2^20 each, so that their product fits an Int.
    try require(shape.count, in: sides, at: place() + ".shape (neurons)")
  }

  private func validateInput(_ index: Int) throws(ModelError) {
    let input = inputs[index]
    let here = place(ofInput: index)
    try validateShape(input.shape, at: here)
    switch input.kind {
    case .events(.once): break
    case .events(.every(let maximum)):
      try require(maximum, in: 1...65535, at: here + ".max_events_per_step")
    case .values(let minimum, let maximum, _):
      try require(minimum, in: -32768...32767, at: here + ".min_value")
      try require(maximum, in: -32768...32767, at: here + ".max_value")
      guard minimum <= maximum else {
        throw .outOfRange(
          place: here + ".max_value", expected: "at least min_value \(minimum)", found: "\(maximum)"
        )
      }
      try input.encoder.map { encoder throws(ModelError) in
        try require(minimum, in: 0...32767, at: here + ".min_value (of an encoder)")
        try require(
          encoder.gain, in: 1...PoissonEncoder.certain(at: max(maximum, 1)),
          at: here + ".encoder.poisson.gain")
      }
    }
    if let sensor = input.sensor { try validate(sensor, of: input, at: here) }
  }

  private func validate(
    _ sensor: Sensor, of input: InputPort, at here: String
  ) throws(ModelError) {
    try require(sensor.width, in: 1...65536, at: here + ".sensor.width")
    try require(sensor.height, in: 1...65536, at: here + ".sensor.height")
    try require(sensor.coarsening, in: 0...15, at: here + ".sensor.coarsening")
    let (width, height) = sensor.coarsened
    guard input.shape.width == width, input.shape.height == height, input.shape.channels <= 2 else {
      throw .wrongShape(
        place: here + ".sensor", expected: "a port of 1 or 2 channels, \(height)×\(width)",
        found: "\(input.shape)")
    }
  }

  private func validatePopulation(_ index: Int) throws(ModelError) {
    let population = populations[index]
    let here = place(ofPopulation: index)
    try validateShape(population.shape, at: here)
    let leaks = 0...Population.noLeak
    try validate(population.leak, optional: true, in: leaks, of: index, field: "leak")
    let biases = -0xFF_FFFF...0xFF_FFFF
    try validate(population.bias, optional: true, in: biases, of: index, field: "bias")

    switch population.kind {
    case .readout:
      let int32 = Int(Int32.min)...Int(Int32.max)
      try validate(population.initial, optional: true, in: int32, of: index, field: "initial")
    case .lif(let lif):
      try require(lif.floor, in: -32768...0, at: here + ".floor")
      try require(lif.ceiling, in: 0...32767, at: here + ".ceiling")
      let membrane = lif.floor...lif.ceiling
      try validate(population.initial, optional: true, in: membrane, of: index, field: "initial")
      let thresholds = (lif.compare == .greater ? 0 : 1)...32767
      try validate(lif.threshold, optional: false, in: thresholds, of: index, field: "threshold")
      if case .value(let value) = lif.reset {
        try require(value, in: membrane, at: here + ".reset_value")
      }
      try require(lif.refractorySteps, in: 0...255, at: here + ".refractory_steps")
      try validate(lif.currentLeak, optional: true, in: leaks, of: index, field: "current_leak")
    }
  }

  private func validate(
    _ parameter: Parameter, optional: Bool, in limits: ClosedRange<Int>, of index: Int,
    field: String
  ) throws(ModelError) {
    let shape = populations[index].shape
    guard parameter.fits(shape) || (optional && parameter.values.isEmpty) else {
      throw .wrongCount(
        place: place(ofPopulation: index) + ".\(field)",
        expected: "\(optional ? "0, " : "")1, \(shape.channels) or \(shape.count) values",
        found: "\(parameter.values.count)")
    }
    for (position, value) in parameter.values.enumerated() where !limits.contains(value) {
      throw .outOfRange(
        place: place(ofPopulation: index) + ".\(field)[\(position)]", expected: "\(limits)",
        found: "\(value)")
    }
  }

  // MARK: Projections

  private func validateReferences(_ index: Int) throws(ModelError) {
    let projection = projections[index]
    let here = place(ofProjection: index)
    switch projection.source {
    case .input(let port):
      guard inputs.indices.contains(port) else {
        throw .wrongReference(
          place: here + ".input", expected: "a port in 0..<\(inputs.count)", found: "\(port)")
      }
      if isHeld(projection) {
        try require(projection.delay, in: 0...0, at: here + ".delay (from a held frame)")
        try require(projection.taps, in: 1...1, at: here + ".taps (from a held frame)")
      }
    case .population(let source):
      guard populations.indices.contains(source) else {
        throw .wrongReference(
          place: here + ".population", expected: "a population in 0..<\(populations.count)",
          found: "\(source)")
      }
      guard !populations[source].isReadout else {
        throw .wrongReference(
          place: here + ".population", expected: "a population that spikes",
          found: place(ofPopulation: source))
      }
    }
    try require(projection.delay, in: 0...255, at: here + ".delay")
    try require(projection.taps, in: 1...32, at: here + ".taps")
    try require(
      projection.tapStep, in: 1...(projection.taps > 1 ? 16 : 1), at: here + ".tap_step")
    guard populations.indices.contains(projection.target) else {
      throw .wrongReference(
        place: here + ".target", expected: "a population in 0..<\(populations.count)",
        found: "\(projection.target)")
    }
    try require(projection.pool, in: 1...16, at: here + ".pool")
    try require(
      projection.shift, in: 0...(carriesValues(projection) ? 24 : 15), at: here + ".shift")
  }

  private func validateGeometry(_ index: Int) throws(ModelError) {
    let projection = projections[index]
    let here = place(ofProjection: index)
    let source = sourceShape(of: projection).pooled(by: projection.pool)
    guard source.height >= 1, source.width >= 1 else {
      throw .wrongShape(
        place: here + ".pool", expected: "at least one full window in the source",
        found: "\(projection.pool) over \(sourceShape(of: projection))")
    }
    let target = populations[projection.target].shape
    var rows = 1
    var columns = [1]
    switch projection.topology {
    case .dense:
      rows = source.count
      columns = [target.count]
    case .oneToOne, .lateral:
      guard source == target else {
        throw .wrongShape(
          place: here, expected: "a (pooled) source of the target's shape \(target)",
          found: "\(source)")
      }
      if projection.topology == .oneToOne { columns = [1, target.channels, target.count] }
    case .convolution(let convolution):
      try validate(convolution, over: source, onto: target, at: here)
      rows = source.channels
      let taps = convolution.y.kernel * convolution.x.kernel
      columns = [taps * (target.channels / convolution.groups)]
    }
    rows *= projection.taps
    guard projection.weights.rows == rows else {
      throw .wrongShape(
        place: here + ".weights.rows", expected: "\(rows)", found: "\(projection.weights.rows)")
    }
    guard columns.contains(projection.weights.columns) else {
      throw .wrongShape(
        place: here + ".weights.columns",
        expected: columns.map(String.init).joined(separator: " or "),
        found: "\(projection.weights.columns)")
    }
  }

  private func validate(
    _ convolution: Convolution, over source: Shape, onto target: Shape, at here: String
  ) throws(ModelError) {
    let place = here + ".convolution"
    try require(convolution.y.kernel, in: 1...31, at: place + ".kernel_height")
    try require(convolution.x.kernel, in: 1...31, at: place + ".kernel_width")
    try require(convolution.y.stride, in: 1...16, at: place + ".stride_y")
    try require(convolution.x.stride, in: 1...16, at: place + ".stride_x")
    try require(convolution.y.paddingBefore, in: 0...30, at: place + ".padding_top")
    try require(convolution.y.paddingAfter, in: 0...30, at: place + ".padding_bottom")
    try require(convolution.x.paddingBefore, in: 0...30, at: place + ".padding_left")
    try require(convolution.x.paddingAfter, in: 0...30, at: place + ".padding_right")
    try require(convolution.y.dilation, in: 1...16, at: place + ".dilation_y")
    try require(convolution.x.dilation, in: 1...16, at: place + ".dilation_x")
    try require(convolution.groups, in: 1...Shape.maximumCount, at: place + ".groups")
    for channels in [source.channels, target.channels]
    where channels % convolution.groups != 0 {
      throw .outOfRange(
        place: place + ".groups", expected: "a divisor of \(channels) channels",
        found: "\(convolution.groups)")
    }
    let output = convolution.outputShape(of: source, channels: target.channels)
    guard output == target else {
      throw .wrongShape(
        place: place, expected: "an output of the target's shape \(target)", found: "\(output)")
    }
  }
}
