extension PBModel {
  /// Turns a message of format 1.0 into one of this version (FORMAT.md §10), so that all that follows
  /// knows one version.
  ///
  /// Throws ``ModelError`` where the message has a field or a value that 1.0 does not know.
  mutating func raiseFromVersion1() throws(ModelError) {
    func refuse(_ isAbsent: Bool, _ field: String, at place: String = "model") throws(ModelError) {
      try requireAbsent(isAbsent, field, at: place, for: "a file of 1.0")
    }
    try refuse(checksum == 0, "checksum")
    try refuse(!hasExit, "exit")
    for (index, input) in inputs.enumerated() {
      let place = listPlace("inputs", index, input.name)
      try refuse(!input.hasEncoder, "encoder", at: place)
      try refuse(!input.hasSensor, "sensor", at: place)
    }
    for (index, population) in populations.enumerated() {
      let place = listPlace("populations", index, population.name)
      try refuse(population.currentLeak.isEmpty, "current_leak", at: place)
    }
    for (index, projection) in projections.enumerated() {
      let place = listPlace("projections", index, projection.name)
      try refuse(projection.taps == 0, "taps", at: place)
      try refuse(projection.tapStep == 0, "tap_step", at: place)
      let isFromPort = if case .input? = projection.source { true } else { false }
      try require(Int(projection.delay), in: 0...(isFromPort ? 0 : 1), at: place + ".delay")
      guard projection.hasConvolution else { continue }
      let convolution = projection.convolution
      try refuse(convolution.paddingBottom == 0, "convolution.padding_bottom", at: place)
      try refuse(convolution.paddingRight == 0, "convolution.padding_right", at: place)
      projections[index].convolution.paddingBottom = convolution.paddingTop
      projections[index].convolution.paddingRight = convolution.paddingLeft
    }
    formatMajor = UInt32(Model.formatVersion.major)
  }
}
