import Learning
import Spiking
import Tensors
import Testing

@Suite struct OptimizerTests {
  /// Two updates worked by hand: g = 0.5 then −1, η = 0.1.
  @Test func adamTakesTheStepsOfThePaper() {
    let weight = Parameter("w", role: .weight, value: Tensor([1], filledWith: 2))
    let optimizer = Optimizer(OptimizerConfiguration(), parameters: [weight])
    optimizer.step([Tensor([1], filledWith: 0.5)], learningRate: 0.1)
    // m̂ = 0.5, v̂ = 0.25: the first step is η against the gradient's sign.
    #expect(abs(weight.value[0] - 1.9) < 1e-6)
    optimizer.step([Tensor([1], filledWith: -1)], learningRate: 0.1)
    // m = 0.9·0.05 − 0.1 = −0.055, m̂ = −0.055/0.19; v = 0.999·0.00025 + 0.001, v̂ = v/0.001999.
    let mean = -0.055 / 0.19
    let square = (0.999 * 0.00025 + 0.001) / 0.001999
    #expect(abs(Double(weight.value[0]) - (1.9 - 0.1 * mean / square.squareRoot())) < 1e-6)
    #expect(abs(optimizer.moments[0].first[0] + 0.055) < 1e-7)
    #expect(optimizer.stepCount == 2)
  }

  @Test func decoupledDecayShrinksWeightsBesideTheStep() {
    func stepped(decoupled: Bool) -> Float {
      let weight = Parameter("w", role: .weight, value: Tensor([1], filledWith: 2))
      var configuration = OptimizerConfiguration(
        .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decoupledDecay: decoupled))
      configuration.weightDecay = 0.5
      let optimizer = Optimizer(configuration, parameters: [weight])
      optimizer.step([Tensor([1], filledWith: 0.5)], learningRate: 0.1)
      return weight.value[0]
    }
    // Coupled decay is lost in Adam's normalisation; decoupled takes 0.1·0.5·2 = 0.1 more.
    #expect(abs(stepped(decoupled: false) - 1.9) < 1e-6)
    #expect(abs(stepped(decoupled: true) - 1.8) < 1e-6)
  }

  @Test func momentumAccumulatesAndNesterovLooksAhead() {
    func steps(nesterov: Bool) -> [Float] {
      let weight = Parameter("w", role: .weight, value: Tensor([1], filledWith: 1))
      let optimizer = Optimizer(
        OptimizerConfiguration(.sgd(momentum: 0.5, nesterov: nesterov)), parameters: [weight])
      return (0..<2).map { _ in
        optimizer.step([Tensor([1], filledWith: 1)], learningRate: 0.25)
        return weight.value[0]
      }
    }
    // v = 1, 1.5. Nesterov moves along g + v/2 = 1.5, 1.75. All exact in binary.
    #expect(steps(nesterov: false) == [0.75, 0.375])
    #expect(steps(nesterov: true) == [0.625, 0.1875])
  }

  @Test(arguments: [Parameter.Role.weight, .threshold, .leak, .bias, .step])
  func onlyWeightsDecayAndRatesFollowTheRole(_ role: Parameter.Role) {
    var configuration = OptimizerConfiguration(.sgd(momentum: 0, nesterov: false))
    configuration.weightDecay = 0.5
    configuration.thresholdRate = 2
    configuration.leakRate = 4
    configuration.stepRate = 8
    func stepped(gradient: Float) -> Float {
      let parameter = Parameter("p", role: role, value: Tensor([1], filledWith: 1))
      Optimizer(configuration, parameters: [parameter])
        .step([Tensor([1], filledWith: gradient)], learningRate: 0.125)
      return parameter.value[0]
    }
    let rates: [Parameter.Role: Float] = [.threshold: 2, .leak: 4, .step: 8]
    #expect(stepped(gradient: 0) == (role == .weight ? 1 - 0.0625 : 1))
    let decay: Float = role == .weight ? 0.0625 : 0
    #expect(stepped(gradient: 0.5) == 1 - 0.0625 * (rates[role] ?? 1) - decay)
  }

  @Test func clippingLimitsTheJointNorm() {
    let parameters = [3, 4].map {
      Parameter("p\($0)", role: .weight, value: Tensor([1]))
    }
    var configuration = OptimizerConfiguration(.sgd(momentum: 0, nesterov: false))
    configuration.clipNorm = 2.5
    let optimizer = Optimizer(configuration, parameters: parameters)
    let norm = optimizer.step(
      [Tensor([1], filledWith: 3), Tensor([1], filledWith: 4)], learningRate: 1)
    #expect(norm == 5)
    #expect(parameters.map { $0.value[0] } == [-1.5, -2])
  }

  @Test func constraintsHoldAfterTheStep() {
    let leak = Parameter("l", role: .leak, value: Tensor([2], [0.9, 0.1]), range: 0...1)
    let weight = Parameter("w", role: .weight, value: Tensor([2], [1, 1]))
    weight.mask = Tensor([2], [1, 0])
    Optimizer(
      OptimizerConfiguration(.sgd(momentum: 0, nesterov: false)), parameters: [leak, weight]
    )
    .step([Tensor([2], [-1, 1]), Tensor([2], [-1, -1])], learningRate: 1)
    #expect(leak.value.elements == [1, 0])
    #expect(weight.value.elements == [2, 0])
  }

  /// A gradient passes through a pruned weight as through any other.
  @Test(arguments: [
    OptimizerConfiguration.Method.adam(
      beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decoupledDecay: false),
    .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decoupledDecay: true),
    .sgd(momentum: 0.9, nesterov: true),
  ])
  func momentsDoNotRevivePrunedWeights(method: OptimizerConfiguration.Method) {
    var random = RandomSource(seed: 4)
    let weight = Parameter("w", role: .weight, value: Tensor([19], filledWith: 1))
    var configuration = OptimizerConfiguration(method)
    configuration.weightDecay = 0.01
    let optimizer = Optimizer(configuration, parameters: [weight])
    func step() {
      let gradient = Tensor([19], (0..<19).map { _ in Float(random.uniform(0.1...1)) })
      optimizer.step([gradient], learningRate: 0.01)
    }
    for _ in 0..<5 { step() }
    let pruned = stride(from: 0, to: 19, by: 3)
    weight.mask = Tensor([19], (0..<19).map { $0 % 3 == 0 ? 0 : 1 })
    for update in 0..<100 {
      step()
      let moments = optimizer.moments[0]
      for index in pruned {
        #expect(weight.value[index] == 0, "step \(update)")
        #expect(moments.first[index] == 0, "step \(update)")
        #expect((moments.second?[index] ?? 0) == 0, "step \(update)")
      }
    }
    let moments = optimizer.moments[0]
    for index in 0..<19 where index % 3 != 0 {
      #expect(weight.value[index] != 0 && moments.first[index] != 0)
    }
    // Without the mask they start as if they had never been.
    weight.mask = nil
    optimizer.step([Tensor([19])], learningRate: 0.01)
    #expect(pruned.allSatisfy { weight.value[$0] == 0 })
  }

  /// A pruned weight's gradient is no part of the norm that is clipped.
  @Test func prunedWeightsDoNotClipTheOthers() {
    let weight = Parameter("w", role: .weight, value: Tensor([2], [1, 1]))
    weight.mask = Tensor([2], [1, 0])
    var configuration = OptimizerConfiguration(.sgd(momentum: 0, nesterov: false))
    configuration.clipNorm = 1
    let norm = Optimizer(configuration, parameters: [weight])
      .step([Tensor([2], [0.5, 100])], learningRate: 1)
    #expect(norm == 0.5 && weight.value.elements == [0.5, 0])
  }

  @Test func nothingMovesWhereAGradientIsNotFinite() {
    let weight = Parameter("w", role: .weight, value: Tensor([9], filledWith: 1))
    var gradient = Tensor([9])
    gradient[8] = .nan
    let optimizer = Optimizer(OptimizerConfiguration(), parameters: [weight])
    #expect(!optimizer.step([gradient], learningRate: 1).isFinite)
    #expect(weight.value.elements == [Float](repeating: 1, count: 9))
    #expect(optimizer.stepCount == 0)
  }

  /// Lanes, chunks and threads do not change a bit.
  @Test func resultsDoNotDependOnThreads() {
    func trained(threads: Int) -> [[Float]] {
      var random = RandomSource(seed: 5)
      let parameters = [70_003, 13, 1].enumerated().map { index, count in
        Parameter(
          "p\(index)", role: .weight,
          value: Tensor([count], (0..<count).map { _ in Float(random.uniform()) }))
      }
      var configuration = OptimizerConfiguration()
      configuration.clipNorm = 0.5
      let optimizer = Optimizer(configuration, parameters: parameters, threads: threads)
      for _ in 0..<2 {
        optimizer.step(parameters.map { $0.value.map { $0 - 0.5 } }, learningRate: 0.01)
      }
      return parameters.map(\.value.elements)
    }
    #expect(trained(threads: 1) == trained(threads: 3))
  }
}
