import Spiking

/// A surrogate as recipes write it: `{kind: arctan, sharpness: 2}`.
///
/// | kind | keys and defaults |
/// |---|---|
/// | `triangular` | `scale: 0.3` |
/// | `arctan` | `sharpness: 2` |
/// | `fastSigmoid` | `sharpness: 10` |
/// | `rectangular` | `scale: 1`, `halfWidth: 0.5` |
/// | `spikeTime` | `scale: 0.3`, `decay: 0.01` |
struct SurrogateRecipe: Codable {
  var surrogate: Surrogate

  enum Kind: String, CaseIterable, Codable {
    case triangular, arctan, fastSigmoid, rectangular, spikeTime
  }

  enum CodingKeys: String, CodingKey, CaseIterable { case kind, scale, sharpness, halfWidth, decay }

  init(surrogate: Surrogate) { self.surrogate = surrogate }

  init(from decoder: any Decoder) throws {
    let kind = try RecipeFields<CodingKeys>(decoder)
      .choice(.kind, among: Kind.allCases, default: .triangular)
    func fields(_ keys: CodingKeys...) throws -> RecipeFields<CodingKeys> {
      try RecipeFields(decoder, known: [.kind] + keys)
    }
    switch kind {
    case .triangular:
      surrogate = .triangular(scale: try fields(.scale).value(.scale, default: 0.3))
    case .arctan:
      surrogate = .arctan(sharpness: try fields(.sharpness).value(.sharpness, default: 2))
    case .fastSigmoid:
      surrogate = .fastSigmoid(sharpness: try fields(.sharpness).value(.sharpness, default: 10))
    case .rectangular:
      let fields = try fields(.scale, .halfWidth)
      surrogate = .rectangular(
        scale: try fields.value(.scale, default: 1),
        halfWidth: try fields.value(.halfWidth, default: 0.5))
    case .spikeTime:
      let fields = try fields(.scale, .decay)
      surrogate = .spikeTime(
        scale: try fields.value(.scale, default: 0.3),
        decay: try fields.value(.decay, default: 0.01))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch surrogate {
    case .triangular(let scale):
      try container.encode(Kind.triangular, forKey: .kind)
      try container.encode(scale, forKey: .scale)
    case .arctan(let sharpness):
      try container.encode(Kind.arctan, forKey: .kind)
      try container.encode(sharpness, forKey: .sharpness)
    case .fastSigmoid(let sharpness):
      try container.encode(Kind.fastSigmoid, forKey: .kind)
      try container.encode(sharpness, forKey: .sharpness)
    case .rectangular(let scale, let halfWidth):
      try container.encode(Kind.rectangular, forKey: .kind)
      try container.encode(scale, forKey: .scale)
      try container.encode(halfWidth, forKey: .halfWidth)
    case .spikeTime(let scale, let decay):
      try container.encode(Kind.spikeTime, forKey: .kind)
      try container.encode(scale, forKey: .scale)
      try container.encode(decay, forKey: .decay)
    }
  }
}
