import Foundation
import ModelFormat

/// The smallest, mean and largest of a list of numbers.
public struct Spread: Equatable, Codable, Sendable {
  /// The smallest.
  public var minimum: Double
  /// The mean.
  public var mean: Double
  /// The largest.
  public var maximum: Double

  /// The spread of `values`; nil if there are none.
  public init?(_ values: some Collection<Double>) {
    guard let least = values.min(), let most = values.max() else { return nil }
    (minimum, maximum) = (least, most)
    mean = values.reduce(0, +) / Double(values.count)
  }
}

/// The real parameters of a layer before they became integers, as training held them.
public struct RealParameters: Equatable, Sendable {
  /// Thresholds, in any number.
  public var thresholds: [Float]
  /// Leaks, 0...1, in any number.
  public var leaks: [Float]

  /// The given parameters.
  public init(thresholds: [Float], leaks: [Float]) {
    self.thresholds = thresholds
    self.leaks = leaks
  }
}

/// What an export wrote: sizes, forms, bounds and parameters, layer by layer.
public struct ExportReport: Equatable, Codable, Sendable {
  /// A population and what became of its parameters.
  public struct Population: Equatable, Codable, Sendable {
    /// The population's name.
    public var name: String
    /// Its shape as C×H×W.
    public var shape: String
    /// Neurons that were removed because they cannot matter.
    public var removed: Int
    /// The largest sum that can reach a neuron in a step, in membrane units.
    public var bound: Int
    /// How a device may integrate it: the name of a ``ModelFormat/ModelBounds/Path``.
    public var path: String
    /// Thresholds before export; nil where they are unknown or there are none.
    public var realThresholds: Spread?
    /// Thresholds of the model, in membrane units; nil for a read-out.
    public var thresholds: Spread?
    /// Leaks before export, 0...1; nil where they are unknown.
    public var realLeaks: Spread?
    /// Leaks of the model, in 1/32768.
    public var leaks: Spread

    enum CodingKeys: String, CodingKey {
      case name, shape, removed, bound, path, thresholds, leaks
      case realThresholds = "real_thresholds"
      case realLeaks = "real_leaks"
    }
  }

  /// A projection and how its weights are stored.
  public struct Projection: Equatable, Codable, Sendable {
    /// The projection's name.
    public var name: String
    /// Rows × columns of its weights.
    public var matrix: String
    /// The delays of the taps that have weights, in steps, ascending; nil without delay.
    public var delays: [Int]?
    /// Entries.
    public var weights: Int
    /// The share of entries that are zero.
    public var sparsity: Double
    /// Bits of a stored value.
    public var bits: Int
    /// Coding, layout and compression.
    public var form: String
    /// Bytes in the file.
    public var bytes: Int
    /// The entropy of the weights, zeros included, in bytes.
    public var entropyBytes: Double

    enum CodingKeys: String, CodingKey {
      case name, matrix, delays, weights, sparsity, bits, form, bytes
      case entropyBytes = "entropy_bytes"
    }
  }

  /// The model's name.
  public var model: String
  /// Accuracy before quantisation, a fraction; nil where it is unknown.
  public var floatAccuracy: Double?
  /// Accuracy of the integer model, a fraction; nil where it is unknown.
  public var integerAccuracy: Double?
  /// Bytes of the file.
  public var modelBytes: Int
  /// Bytes of all weights in it.
  public var weightBytes: Int
  /// The entropy of all weights, in bytes.
  public var entropyBytes: Double
  /// Bytes of state that the host engine needs on this host; a device needs what ``device`` says.
  public var stateBytes: Int
  /// Neurons removed from all populations.
  public var removedNeurons: Int
  /// The model's exit rule in words; nil: every inference runs all its steps.
  public var exit: String?
  /// What the exit margin brought on the samples it was chosen on; nil: it was not chosen now.
  public var exitChoice: ExitSummary?
  /// Per population, in order.
  public var populations: [Population]
  /// Per projection, in order.
  public var projections: [Projection]
  /// The device image, where one was made.
  public var device: DeviceReport?

  enum CodingKeys: String, CodingKey {
    case model, populations, projections, device
    case floatAccuracy = "float_accuracy"
    case integerAccuracy = "integer_accuracy"
    case modelBytes = "model_bytes"
    case weightBytes = "weight_bytes"
    case entropyBytes = "entropy_bytes"
    case stateBytes = "state_bytes"
    case removedNeurons = "removed_neurons"
    case exit
    case exitChoice = "exit_choice"
  }

  /// An exit margin on the validation samples it was chosen on.
  public struct ExitSummary: Equatable, Codable, Sendable {
    /// Mean steps taken.
    public var steps: Double
    /// The share answered rightly.
    public var accuracy: Double
    /// The share answered rightly after the last step.
    public var fullAccuracy: Double

    enum CodingKeys: String, CodingKey {
      case steps, accuracy
      case fullAccuracy = "full_accuracy"
    }

    /// What a margin brought.
    public init(steps: Double, accuracy: Double, fullAccuracy: Double) {
      self.steps = steps
      self.accuracy = accuracy
      self.fullAccuracy = fullAccuracy
    }
  }

  /// Accuracy lost, a fraction, negative where some was won; nil where one is unknown.
  public var drop: Double? {
    guard let floatAccuracy, let integerAccuracy else { return nil }
    return floatAccuracy - integerAccuracy
  }

  /// The report of a model that was encoded as `encoded`.
  ///
  /// `real`: per population, the parameters before export; where none are given, thresholds are
  /// taken from the model's units and leaks from its integers. `removed`: per population, the
  /// neurons removed. Throws ``ModelFormat/ModelError`` where the model is invalid.
  public init(
    of model: Model, encoded: ModelFile.Encoded, stateBytes: Int, real: [RealParameters] = [],
    removed: [Int] = []
  ) throws(ModelError) {
    let bounds = try model.validate()
    func accuracy(_ value: Float) -> Double? { value > 0 ? Double(value) : nil }
    self.model = model.name
    floatAccuracy = accuracy(model.task.floatAccuracy)
    integerAccuracy = accuracy(model.task.integerAccuracy)
    modelBytes = encoded.bytes.count
    self.stateBytes = stateBytes
    removedNeurons = removed.reduce(0, +)
    switch model.exit {
    case nil: break
    case .margin(let margin): exit = "margin \(margin)"
    case .firstSpike(let population):
      exit = "first spike of \(model.place(ofPopulation: population))"
    }
    populations = model.populations.indices.map { index in
      Population(
        index, of: model, bounds.populations[index],
        real: real.indices.contains(index) ? real[index] : nil,
        removed: removed.indices.contains(index) ? removed[index] : 0)
    }
    projections = zip(model.projections, encoded.weights).map { Projection($0, $1) }
    weightBytes = projections.reduce(0) { $0 + $1.bytes }
    entropyBytes = projections.reduce(0) { $0 + $1.entropyBytes }
  }

  /// The report as JSON, keys sorted. Throws where a number is not finite.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}

extension ExportReport.Population {
  fileprivate init(
    _ index: Int, of model: Model, _ bounds: ModelBounds.Population, real: RealParameters?,
    removed: Int
  ) {
    let population = model.populations[index]
    let neurons = 0..<population.shape.count
    let leakValues = neurons.map { Double(population.leak(of: $0)) }
    name = population.name
    shape = population.shape.description
    self.removed = removed
    bound = bounds.largest
    path = "\(bounds.path)"
    leaks = Spread(leakValues) ?? Spread(one: Double(ModelFormat.Population.noLeak))
    realLeaks =
      Spread((real?.leaks ?? []).map(Double.init)) ?? Spread(leakValues.map { $0 / 32768 })
    guard case .lif(let lif) = population.kind else { return }
    let values = neurons.map { lif.threshold.value(of: $0, in: population.shape, default: 0) }
    thresholds = Spread(values.map(Double.init))
    realThresholds = Spread((real?.thresholds ?? []).map(Double.init))
    if realThresholds == nil, model.task.units.indices.contains(index),
      let unit = model.task.units[index].first
    {
      let units = model.task.units[index]
      realThresholds = Spread(
        neurons.map { neuron in
          let scale = units.count == neurons.count ? units[neuron] : units[neuron % units.count]
          return Double(values[neuron]) * Double(units.count == 1 ? unit : scale)
        })
    }
  }
}

extension ExportReport.Projection {
  fileprivate init(_ projection: ModelFormat.Projection, _ encoding: WeightEncoding) {
    let matrix = projection.weights
    name = projection.name
    self.matrix = "\(matrix.rows)×\(matrix.columns)"
    delays = projection.reach > 0 ? projection.usedTaps.map { projection.delays[$0] } : nil
    weights = matrix.values.count
    sparsity = 1 - Double(encoding.nonZeroCount) / Double(max(weights, 1))
    form = encoding.chosen.description
    bytes = encoding.bytes
    entropyBytes = encoding.entropyBits / 8
    switch encoding.chosen.coding {
    case .int8: bits = 8
    case .int4: bits = 4
    case .ternary: bits = 2
    case .codebook:
      let stored =
        encoding.chosen.layout == .full ? matrix.values : matrix.values.filter { $0 != 0 }
      let levels = Set(stored).count
      bits = levels <= 2 ? 1 : levels <= 4 ? 2 : 4
    }
  }
}

extension Spread {
  /// The spread of one number.
  fileprivate init(one value: Double) { (minimum, mean, maximum) = (value, value, value) }
}
