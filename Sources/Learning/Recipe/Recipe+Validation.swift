import Spiking

extension Recipe {
  /// Checks every value's range; throws ``LearningError`` naming the first that is out of it.
  ///
  /// Layer names are checked against the network when a stage begins.
  public func validate() throws {
    // A model carries the name: FORMAT.md allows 64 bytes.
    try Self.checkName(name, "name", atMost: 64)
    try Self.check(!data.set.isEmpty, "data.set", "a data set's name or path", data.set)
    try data.steps.map { try Self.check(1...4096, "data.steps", $0) }
    try data.stepMilliseconds.map {
      try Self.check(
        $0 > 0 && $0 <= 10_000, "data.stepMilliseconds", "a number > 0, at most 10000", $0)
    }
    try data.trainingLimit.map { try Self.check(1...Int.max, "data.trainingLimit", $0) }
    try data.validationLimit.map { try Self.check(1...Int.max, "data.validationLimit", $0) }
    try checkNetwork()
    if let calibration {
      try Self.check(50...100, "calibration.percentile", calibration.percentile)
      try Self.check(
        calibration.scale > 0 && calibration.scale.isFinite, "calibration.scale", "a number > 0",
        calibration.scale)
      try Self.check(1...Int.max, "calibration.samples", calibration.samples)
    }
    try exit.map { try Self.check(0...1, "exit.accuracyLoss", $0.accuracyLoss) }
    if let shardSize { try Self.check(1...1024, "shardSize", shardSize) }
    try Self.check(!stages.isEmpty, "stages", "at least one stage", "none")
    var names: Set<String> = []
    for (index, stage) in stages.enumerated() {
      try Self.checkName(stage.name, "stages.\(index).name")
      try Self.check(
        names.insert(stage.name).inserted, "stages.\(index).name", "a name no other stage has",
        "'\(stage.name)' again")
      try Self.check(stage, "stages.\(index)")
    }
  }

  private func checkNetwork() throws {
    switch (network.architecture, network.graph) {
    case (let architecture?, nil):
      do {
        _ = try Architecture(architecture)
      } catch {
        throw LearningError.value(
          place: "network.architecture", expected: "layers such as 32C3-P2-128-10",
          found: "\(architecture) (\(error))")
      }
    case (nil, let graph?): try graph.validate()
    case (nil, nil):
      throw LearningError.missingKey(
        place: "network.architecture",
        expected: "layers such as 32C3-P2-128-10, or a network.graph")
    case (_?, _?):
      throw LearningError.value(
        place: "network.graph", expected: "either an architecture or a graph", found: "both")
    }
    try Self.check(1...4096, "network.steps", network.steps)
    try Self.check(
      network.initialThreshold >= Double(Network.leastThreshold)
        && network.initialThreshold.isFinite,
      "network.initialThreshold", "a number ≥ \(Network.leastThreshold)", network.initialThreshold)
    try Self.check(0...1, "network.initialLeak", network.initialLeak)
    let slope: [(String, Float)] =
      switch network.surrogate {
      case .triangular(let scale): [("scale", scale)]
      case .arctan(let sharpness), .fastSigmoid(let sharpness): [("sharpness", sharpness)]
      case .rectangular(let scale, let halfWidth): [("scale", scale), ("halfWidth", halfWidth)]
      case .spikeTime(let scale, let decay): [("scale", scale), ("decay", decay)]
      }
    for (key, value) in slope {
      try Self.check(
        value > 0 && value.isFinite, "network.surrogate.\(key)", "a number > 0", value)
    }
  }

  private static func check(_ stage: StageRecipe, _ place: String) throws {
    try check(1...1_000_000, "\(place).epochs", stage.epochs)
    try check(1...1_000_000, "\(place).batch", stage.batch)
    let optimizer = stage.optimizer
    func positive(_ key: String, _ value: Double) throws {
      try check(value > 0 && value.isFinite, "\(place).\(key)", "a number > 0", value)
    }
    func notNegative(_ key: String, _ value: Double) throws {
      try check(value >= 0 && value.isFinite, "\(place).\(key)", "a number ≥ 0", value)
    }
    func belowOne(_ key: String, _ value: Double) throws {
      try check(value >= 0 && value < 1, "\(place).\(key)", "a number 0…<1", value)
    }
    try positive("optimizer.learningRate", optimizer.learningRate)
    try belowOne("optimizer.momentum", optimizer.momentum)
    try belowOne("optimizer.secondMomentum", optimizer.secondMomentum)
    try positive("optimizer.epsilon", optimizer.epsilon)
    try check(
      !optimizer.nesterov || optimizer.kind == .sgd, "\(place).optimizer.nesterov",
      "false unless kind is sgd", true)
    try notNegative("optimizer.weightDecay", optimizer.weightDecay)
    try notNegative("optimizer.thresholdRate", optimizer.thresholdRate)
    try notNegative("optimizer.leakRate", optimizer.leakRate)
    try notNegative("optimizer.stepRate", optimizer.stepRate)
    try optimizer.clipNorm.map { try positive("optimizer.clipNorm", $0) }
    try check(
      0...Double(stage.epochs), "\(place).schedule.warmupEpochs", stage.schedule.warmupEpochs)
    try check(0...1, "\(place).schedule.finalFraction", stage.schedule.finalFraction)
    try check(0...1, "\(place).loss.stepWeight", stage.loss.stepWeight)
    if let activity = stage.activity {
      try activity.target.map { try check(0...1, "\(place).activity.target", $0) }
      try notNegative("activity.strength", activity.strength)
      try check(
        activity.target != nil || !activity.layers.isEmpty, "\(place).activity",
        "a target, or layers with targets", "neither")
      for (layer, target) in activity.layers.sorted(by: { $0.key < $1.key }) {
        try check(0...1, "\(place).activity.layers.\(layer)", target)
      }
    }
    if let augmentation = stage.augmentation {
      try check(0...4096, "\(place).augmentation.shift", augmentation.shift)
      try check(0...1, "\(place).augmentation.flip", augmentation.flip)
      try check(0...4096, "\(place).augmentation.cutout", augmentation.cutout)
      try check(0...4096, "\(place).augmentation.timeJitter", augmentation.timeJitter)
      try belowOne("augmentation.dropEvents", augmentation.dropEvents)
    }
    if let quantization = stage.quantization {
      try check(2...8, "\(place).quantization.bits", quantization.bits)
      for (layer, bits) in quantization.layers.sorted(by: { $0.key < $1.key }) {
        try check(2...8, "\(place).quantization.layers.\(layer)", bits)
      }
    }
    if let pruning = stage.pruning {
      try belowOne("pruning.sparsity", pruning.sparsity)
      try check(0...1, "\(place).pruning.begin", pruning.begin)
      try check(
        pruning.end >= pruning.begin && pruning.end <= 1, "\(place).pruning.end",
        "a number \(pruning.begin)…1, not before begin", pruning.end)
      for (layer, sparsity) in pruning.layers.sorted(by: { $0.key < $1.key }) {
        try belowOne("pruning.layers.\(layer)", sparsity)
      }
    }
  }

  /// Names become folders and files.
  private static func checkName(_ name: String, _ place: String, atMost length: Int = 100) throws {
    let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    try check(
      !name.isEmpty && name.count <= length && !name.hasPrefix(".")
        && name.allSatisfy(allowed.contains),
      place, "letters, digits, '-', '_' or '.', at most \(length), not starting with a dot",
      "'\(name)'")
  }

  static func check(
    _ holds: Bool, _ place: String, _ expected: String, _ found: some Any
  ) throws {
    if !holds { throw LearningError.value(place: place, expected: expected, found: "\(found)") }
  }

  static func check<T: Comparable>(
    _ range: ClosedRange<T>, _ place: String, _ found: T
  ) throws {
    let isOpen = (range.upperBound as? Int) == Int.max
    try check(
      range.contains(found), place,
      isOpen ? "at least \(range.lowerBound)" : "\(range.lowerBound)…\(range.upperBound)", found)
  }
}
