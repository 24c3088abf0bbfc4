/// Random changes to training samples that leave their class as it is. The default changes nothing.
///
/// On events they act after binning, on the spikes of a ``SpikeTrain``. Which of them preserve the
/// label depends on the task: the recipe decides, and ``BatchLoader`` refuses a flip where the data
/// set does not say what a mirrored class is.
public struct Augmentation: Hashable, Sendable {
  /// The whole sample moves by up to this many pixels along each axis, uniformly; what enters is 0,
  /// what leaves is lost. Range 0...64; more costs accuracy on centred tests.
  public var shiftPixels = 0
  /// The probability that left and right are exchanged. Range 0...1.
  public var horizontalFlipProbability = 0.0
  /// The side in pixels of a square set to 0 in every step, its centre uniform over the sensor.
  /// Range 0...64; 0 = none.
  public var cutOutSide = 0
  /// Each spike moves by up to this many steps, uniformly; spikes that leave the sample are lost.
  /// Range 0...64; more blurs motion. Events only.
  public var timeJitterSteps = 0
  /// The probability that a spike is removed. Range 0...1, exclusive. Events only.
  public var eventDropProbability = 0.0
  /// The probability that ON and OFF are exchanged in the whole sample. Range 0...1. Events only.
  public var polarityFlipProbability = 0.0

  /// Changes nothing.
  public init() {}

  /// Whether the augmentation leaves every sample as it is.
  public var isIdentity: Bool { self == Augmentation() }

  /// Throws ``DatasetError/badSetting(name:expected:found:)`` where a field is outside its range.
  public func validate() throws {
    for (name, value) in [
      ("shiftPixels", shiftPixels), ("cutOutSide", cutOutSide),
      ("timeJitterSteps", timeJitterSteps),
    ] where !(0...64).contains(value) {
      throw DatasetError.badSetting(
        name: "augmentation.\(name)", expected: "a number in 0...64", found: "\(value)")
    }
    for (name, value) in [
      ("horizontalFlipProbability", horizontalFlipProbability),
      ("eventDropProbability", eventDropProbability),
      ("polarityFlipProbability", polarityFlipProbability),
    ] where !(0...1).contains(value) {
      throw DatasetError.badSetting(
        name: "augmentation.\(name)", expected: "a probability in 0...1", found: "\(value)")
    }
  }
}

extension Augmentation: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case shiftPixels, horizontalFlipProbability, cutOutSide, timeJitterSteps, eventDropProbability
    case polarityFlipProbability
  }

  /// Reads the fields present and leaves the others at their defaults. Throws on an unknown key and
  /// on a value outside its range.
  public init(from decoder: any Decoder) throws {
    let present = try decoder.container(keyedBy: AnyKey.self).allKeys
    let known = CodingKeys.allCases.map(\.rawValue)
    for key in present where !known.contains(key.stringValue) {
      throw DatasetError.badSetting(
        name: "augmentation.\(key.stringValue)",
        expected: "one of \(known.joined(separator: ", "))", found: "an unknown key")
    }
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
      value = try fields.decodeIfPresent(Value.self, forKey: key) ?? value
    }
    try read(.shiftPixels, &shiftPixels)
    try read(.horizontalFlipProbability, &horizontalFlipProbability)
    try read(.cutOutSide, &cutOutSide)
    try read(.timeJitterSteps, &timeJitterSteps)
    try read(.eventDropProbability, &eventDropProbability)
    try read(.polarityFlipProbability, &polarityFlipProbability)
    try validate()
  }

  /// Any key, to find the unknown ones.
  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
