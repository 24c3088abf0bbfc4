import Spiking
import Tensors
import Wiring

/// The integers of the device as an arithmetic of training (models/FORMAT.md, section 4).
///
/// Weights become codes with learned steps Δ, thresholds and biases integers in the membrane's unit,
/// leaks multiples of 1/256. All projections into a population share its unit, so the learned step
/// belongs to the population and each projection has an integer shift. A population has a step per
/// channel; one in all has a read-out, whose neurons are compared with each other, a population that
/// resets to a value, and one where a single weight ends at several channels.
///
/// ```
/// unit_c = Δ_c / 2^shift          Δ_c and shift those of the population's first projection, from spikes
/// unit_c = Δ_c · scale · 2^shift  … from values
/// Δ_p,c  = unit_c · 2^shift_p     of every other projection p from spikes
/// Δ_p,c  = unit_c / (scale_p · 2^shift_p)   … from values
/// ```
/// Shifts and membrane ranges are fixed when the arithmetic is made (``GridChoice``) and do not learn.
public final class QuantizedArithmetic: Arithmetic {
  /// The smallest step training may reach.
  static let leastStep: Float = 1e-6

  /// The width of each projection's weights.
  public let bits: [WeightBits]
  /// Δ of each population's first projection.
  public let steps: [Parameter]
  /// The shifts and membrane range of each population.
  public private(set) var choices: [GridChoice]

  private let network: Network

  /// The arithmetic of a network as it stands: steps from its weights, shifts and ranges from the bounds
  /// they imply. `bits` is asked by projection.
  ///
  /// Throws ``CompressionError`` where a population hears nothing, or its projections' units cannot meet.
  public init(_ network: Network, bits: (Projection) -> WeightBits) throws(CompressionError) {
    self.network = network
    let widths = network.projections.map(bits)
    self.bits = widths
    var steps: [Parameter] = []
    var choices: [GridChoice] = []
    for (index, population) in network.populations.enumerated() {
      guard let first = network.incoming[index].first else {
        throw .silent(population: population.name)
      }
      let units = network.hasOneUnit(index) ? 1 : population.shape.channels
      let values = network.stepsToBegin(
        network.incoming[index].map { ($0, widths[$0]) }, first: first, units: units)
      steps.append(
        Parameter(
          "\(population.name).step", role: .step, value: values,
          range: Self.leastStep...Float.greatestFiniteMagnitude))
      choices.append(try GridChoice(for: index, of: network, bits: widths, steps: values))
    }
    self.steps = steps
    self.choices = choices
  }

  /// The population's step.
  public func parameters(of population: Int) -> [Parameter] { [steps[population]] }

  /// The grid of every population by name, for checkpoints: weights, thresholds and steps are
  /// parameters.
  public var namedChoices: [String: GridChoice] {
    Dictionary(uniqueKeysWithValues: zip(network.populations.map(\.name), choices))
  }

  /// Takes the grid that a checkpoint remembers. Throws where it has none for a population, or none of
  /// its projections' shifts.
  public func restore(_ saved: [String: GridChoice]) throws(CompressionError) {
    var restored: [GridChoice] = []
    for (index, population) in network.populations.enumerated() {
      let others = network.incoming[index].dropFirst().map { network.projections[$0].name }
      guard let choice = saved[population.name],
        Set(choice.others.map { Array($0.keys) } ?? []) == Set(others)
      else { throw .noGrid(layer: population.name) }
      restored.append(choice)
    }
    choices = restored
  }

  /// The real value of one membrane unit of a population, by channel, or one in all.
  public func unit(of population: Int) -> [Float] {
    let first = network.projections[network.incoming[population][0]]
    return steps[population].value.elements.map {
      choices[population].unit(step: $0, inputScale: network.port(of: first)?.scale)
    }
  }

  /// Codes, thresholds, leaks and biases of the network as it stands, straight-through.
  public func numbers(
    of network: Network, on tape: Tape, variable: (Parameter) -> Variable
  ) -> Numbers {
    var projections: [ProjectionNumbers?] = network.projections.map { _ in nil }
    var populations: [PopulationNumbers] = []
    for index in network.populations.indices {
      let step = variable(steps[index])
      for (place, projection) in network.incoming[index].enumerated() {
        let part = network.projections[projection]
        let factor = choices[index].stepFactor(of: part, in: network)
        let own = place == 0 ? step : weightedSum([(factor, step)], on: tape)
        projections[projection] = ProjectionNumbers(
          weight: quantize(
            variable(part.weight), step: own,
            layout: part.channelLayout(channels: step.value.count), bits: bits[projection],
            on: tape),
          shift: choices[index].shift(of: part))
      }
      populations.append(neurons(of: index, on: tape, variable))
    }
    return Numbers(
      populations: populations, projections: projections.compactMap { $0 }, isOnGrid: true)
  }

  private func neurons(
    of index: Int, on tape: Tape, _ variable: (Parameter) -> Variable
  ) -> PopulationNumbers {
    let population = network.populations[index]
    let choice = choices[index]
    let unit = unit(of: index)
    let range = Float(choice.floor)...Float(choice.ceiling)
    var resetValue: Float = 0
    if case .lif(let dynamics) = population.neuron, dynamics.reset == .value {
      resetValue = (dynamics.resetValue / unit[0]).rounded(.toNearestOrEven)
      resetValue = min(max(resetValue, range.lowerBound), range.upperBound)
    }
    return PopulationNumbers(
      threshold: population.threshold.map {
        inUnits(variable($0), unit: unit, range: 1...32767, on: tape)
      },
      leak: population.leak.map { onLeakGrid(variable($0), on: tape) },
      currentLeak: population.currentLeak.map { onLeakGrid(variable($0), on: tape) },
      bias: population.bias.map {
        inUnits(variable($0), unit: unit, range: -32767...32767, on: tape)
      },
      initial: population.initial.map {
        inUnits(
          variable($0), unit: unit, range: population.isReadout ? -32767...32767 : range, on: tape)
      },
      resetValue: resetValue, range: population.isReadout ? nil : range, unit: unit)
  }
}

extension Network {
  /// The first step of a population's first projection: from its own weights, or where it has none from
  /// those of the first projection beside it that has.
  fileprivate func stepsToBegin(
    _ incoming: [(index: Int, bits: WeightBits)], first: Int, units: Int
  ) -> Tensor {
    let speaking =
      incoming.first { projections[$0.index].weight.value.elements.contains { $0 != 0 } }
      ?? incoming[0]
    let projection = projections[speaking.index]
    let steps = initialSteps(
      projection.weight.value, layout: projection.channelLayout(channels: units), count: units,
      bits: speaking.bits)
    guard speaking.index != first else { return steps }
    let scale = (port(of: projection)?.scale ?? 1) / (port(of: projections[first])?.scale ?? 1)
    return steps.map { $0 * scale }
  }

  /// Whether all channels of a population share one membrane unit.
  func hasOneUnit(_ index: Int) -> Bool {
    guard case .lif(let dynamics) = populations[index].neuron, dynamics.reset != .value else {
      return true
    }
    let channels = populations[index].shape.channels
    return incoming[index].contains { projections[$0].sharesWeights(among: channels) }
  }
}

/// Why a network cannot be compressed as asked.
public enum CompressionError: Error, Equatable, CustomStringConvertible {
  /// A checkpoint lacks the grid of a population, or of the projections into it.
  case noGrid(layer: String)
  /// A width outside 2…8.
  case bits(layer: String, found: Int)
  /// A name that is no projection's.
  case unknownLayer(name: String, known: [String])
  /// A sparsity outside 0..<1.
  case impossibleSparsity(layer: String, found: Double)
  /// A projection of one tap where taps are to be pruned; `known`: those with several.
  case noTaps(layer: String, known: [String])
  /// A population into which no projection leads.
  case silent(population: String)
  /// The weights of a projection are so unlike those beside it that no shift brings both to one membrane
  /// unit.
  case unitsCannotMeet(projection: String, population: String, expected: String, found: Int)

  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .noGrid(let layer):
      "quantisation of \(layer): expected its shift and range in the checkpoint, found none"
    case .bits(let layer, let found):
      "quantisation of \(layer): expected 2 to 8 bits, found \(found)"
    case .unknownLayer(let name, let known):
      "compression: no layer '\(name)'; the network has \(known.joined(separator: ", "))"
    case .impossibleSparsity(let layer, let found):
      "pruning of \(layer): expected a sparsity in 0..<1, found \(found)"
    case .noTaps(let layer, let known):
      "pruning of \(layer): expected several taps, found one; several have: "
        + (known.isEmpty ? "none" : known.joined(separator: ", "))
    case .silent(let population):
      "quantisation of \(population): expected at least one projection into it, found none"
    case .unitsCannotMeet(let projection, let population, let expected, let found):
      "quantisation of \(projection): expected weights that share the membrane unit of "
        + "\(population) by a shift of \(expected), found \(found)"
    }
  }
}
