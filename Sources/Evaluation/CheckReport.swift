import ModelFormat

/// What a comparison of engines found.
public struct CheckReport: Equatable, Codable, Sendable {
  /// Where two engines first disagree, with names for people.
  public struct Difference: Equatable, Codable, Sendable {
    /// The engine that disagrees with the reference.
    public var engine: String
    /// The sample, from 0.
    public var sample: Int
    /// The step; nil where the whole sample is meant.
    public var step: Int?
    /// The population's name; nil where none is meant.
    public var population: String?
    /// The neuron's linear index; nil where none is meant.
    public var neuron: Int?
    /// What differs: `spike`, `membrane`, `score`, or a counter or count by name.
    public var what: String
    /// What the reference says.
    public var expected: Int
    /// What the engine says.
    public var found: Int
  }

  /// The model's name.
  public var model: String
  /// The engines that were held against the reference.
  public var engines: [String]
  /// Neurons of the model, each compared in every step.
  public var neurons: Int
  /// Samples on which all engines agreed.
  public var samples = 0
  /// Their steps.
  public var steps = 0
  /// The first difference; nil if there is none.
  public var difference: Difference?

  /// Whether all engines agreed on every sample.
  public var isEqual: Bool { difference == nil }

  init(model: String, engines: [String], neurons: Int) {
    self.model = model
    self.engines = engines
    self.neurons = neurons
  }

  /// The outcome for people.
  public var text: String {
    let compared =
      "\(counted(samples, "sample")), \(counted(steps, "step")), "
      + "\(counted(neurons, "neuron")) each: reference and "
      + engines.joined(separator: "; ")
    guard let difference else { return "equal: \(model), \(compared)\n" }
    return "not equal: \(model)\n  \(difference.text)\n  equal before: \(compared)\n"
  }

  /// The outcome as JSON, keys sorted. Throws where a number is not finite.
  public func json() throws -> String { try jsonText(of: self) }
}

extension CheckReport.Difference {
  /// A difference between the reference and `engine` on a model, its population by name.
  init(_ difference: FirstDifference, engine: String, in model: Model) {
    self.engine = engine
    sample = difference.sample
    step = difference.step
    population = difference.population.map { model.populations[$0].name }
    neuron = difference.neuron
    expected = difference.expected
    found = difference.found
    what =
      switch difference.what {
      case .spike: "spike"
      case .membrane: "membrane"
      case .score: "score"
      case .count(let name): "number of \(name)"
      case .counter(let name): name
      }
    // A score is a membrane of the read-out.
    if case .score = difference.what { population = model.populations[model.readout].name }
  }

  /// The place and both values in one line.
  public var text: String {
    var place = "\(engine): sample \(sample)"
    if let step { place += ", step \(step)" }
    if let population { place += ", population \(population.debugDescription)" }
    if let neuron { place += ", neuron \(neuron)" }
    return "\(place): \(what): expected \(expected), found \(found)"
  }
}
