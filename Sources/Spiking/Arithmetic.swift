import Tensors

/// With which numbers a network computes: its parameters as they are, or what quantisation makes of
/// them.
public protocol Arithmetic: AnyObject {
  /// What the arithmetic itself learns of a population, such as quantiser steps.
  func parameters(of population: Int) -> [Parameter]
  /// The numbers of one pass, recorded on `tape`. `variable` gives the variable of a parameter of the
  /// network or of this arithmetic.
  func numbers(
    of network: Network, on tape: Tape, variable: (Parameter) -> Variable
  ) -> Numbers
}

/// Everything a pass computes with.
public struct Numbers {
  /// By population.
  public var populations: [PopulationNumbers]
  /// By projection.
  public var projections: [ProjectionNumbers]
  /// Whether all of them are integers of a device (models/FORMAT.md, section 4) rather than real
  /// numbers.
  public var isOnGrid: Bool

  /// The numbers of all populations and projections.
  public init(
    populations: [PopulationNumbers], projections: [ProjectionNumbers], isOnGrid: Bool
  ) {
    self.populations = populations
    self.projections = projections
    self.isOnGrid = isOnGrid
  }

  /// All variables, in a fixed order.
  var variables: [Variable] {
    projections.map(\.weight)
      + populations.flatMap {
        [$0.threshold, $0.leak, $0.currentLeak, $0.bias, $0.initial, $0.normalizationScale]
          .compactMap { $0 }
      }
  }

  /// The same numbers, every variable replaced.
  func mapVariables(_ transform: (Variable) -> Variable) -> Numbers {
    var result = self
    for index in projections.indices {
      result.projections[index].weight = transform(projections[index].weight)
    }
    for index in populations.indices {
      let numbers = populations[index]
      result.populations[index].threshold = numbers.threshold.map(transform)
      result.populations[index].leak = numbers.leak.map(transform)
      result.populations[index].currentLeak = numbers.currentLeak.map(transform)
      result.populations[index].bias = numbers.bias.map(transform)
      result.populations[index].initial = numbers.initial.map(transform)
      result.populations[index].normalizationScale = numbers.normalizationScale.map(transform)
    }
    return result
  }
}

/// What a population computes with in one pass, in membrane units. Each variable has 1, C or N values.
public struct PopulationNumbers {
  /// nil for a read-out.
  public var threshold: Variable?
  /// λ, the same in both worlds; nil: 1.
  public var leak: Variable?
  /// μ, the same in both worlds; nil: what arrives acts once.
  public var currentLeak: Variable?
  /// nil: 0.
  public var bias: Variable?
  /// nil: 0.
  public var initial: Variable?
  /// The membrane after a spike where the reset is to a value.
  public var resetValue: Float
  /// The factor of the normalised current; nil: it is not normalised.
  public var normalizationScale: Variable?
  /// The membrane's floor and ceiling; nil: real numbers, or a read-out.
  public var range: ClosedRange<Float>?
  /// The real value of one membrane unit: one, or one per channel.
  public var unit: [Float]

  /// The numbers of one population.
  public init(
    threshold: Variable?, leak: Variable?, currentLeak: Variable? = nil, bias: Variable?,
    initial: Variable?, resetValue: Float = 0, normalizationScale: Variable? = nil,
    range: ClosedRange<Float>? = nil,
    unit: [Float] = [1]
  ) {
    self.threshold = threshold
    self.leak = leak
    self.currentLeak = currentLeak
    self.bias = bias
    self.initial = initial
    self.resetValue = resetValue
    self.normalizationScale = normalizationScale
    self.range = range
    self.unit = unit
  }
}

/// What a projection computes with in one pass.
public struct ProjectionNumbers {
  /// In the shape of the projection's weight; integers on the grid.
  public var weight: Variable
  /// Left for spikes, right (rounding) for values (models/FORMAT.md, section 4); 0 in real numbers.
  public var shift: Int

  /// The numbers of one projection.
  public init(weight: Variable, shift: Int = 0) {
    self.weight = weight
    self.shift = shift
  }
}

/// A network's parameters as they are.
public final class RealArithmetic: Arithmetic {
  /// The arithmetic of real numbers.
  public init() {}

  /// None: real numbers learn nothing of their own.
  public func parameters(of population: Int) -> [Parameter] { [] }

  /// The variables of the network's parameters.
  public func numbers(
    of network: Network, on tape: Tape, variable: (Parameter) -> Variable
  ) -> Numbers {
    Numbers(
      populations: network.populations.map { population in
        var resetValue: Float = 0
        if case .lif(let dynamics) = population.neuron { resetValue = dynamics.resetValue }
        return PopulationNumbers(
          threshold: population.threshold.map(variable), leak: population.leak.map(variable),
          currentLeak: population.currentLeak.map(variable),
          bias: population.bias.map(variable), initial: population.initial.map(variable),
          resetValue: resetValue,
          normalizationScale: population.normalization.map { variable($0.scale) })
      },
      projections: network.projections.map { ProjectionNumbers(weight: variable($0.weight)) },
      isOnGrid: false)
  }
}

extension Network {
  /// What the network and an arithmetic learn together, population by population.
  public func parameters(with arithmetic: any Arithmetic) -> [Parameter] {
    populations.indices.flatMap { parameters(of: $0) + arithmetic.parameters(of: $0) }
  }
}
