import Learning
import ModelCompression
import Spiking
import Tensors

/// How fast one network trains.
struct TrainingResult: Codable {
  var network: String
  var isQuantized: Bool
  var threads: Int
  var shardSize: Int
  /// Of the fastest step, and of the middle one.
  var samplesPerSecond: Double
  var medianSamplesPerSecond: Double
  /// Operations a second of the matrix product measured between the steps.
  var matrixProductRate: Double
  /// ``samplesPerSecond`` over what that rate allows.
  var fractionOfBound: Double
  var bar: Double
  /// Processor time over elapsed time and threads: below 1 the machine was shared, or threads waited.
  var processorShare: Double
  /// Mean spikes per neuron and step, by spiking layer.
  var rates: [Double]

  /// Whether a float network reaches its bar; the quantised one is held against the float one.
  var meetsBar: Bool? { isQuantized ? nil : fractionOfBound >= bar }
}

/// Measures forward pass, backward pass and Adam on one fixed batch.
///
/// Configurations take turns, with a matrix product in between, so that a machine that slows down
/// slows all of them down.
struct TrainingBench {
  var rounds: Int
  /// Elapsed seconds a configuration is measured for in a round, at least one step.
  var roundSeconds: Double
  /// Nil: the rule's.
  var shardSize: Int?

  private final class Contender {
    let network: Network
    let isQuantized: Bool
    let threads: Int
    let shardSize: Int
    let step: GradientStep
    let optimizer: Optimizer
    var timings = Timings()
    var elapsed = 0.0
    var computing = 0.0
    var matrixProductRate = 0.0
    var rates: [Double] = []

    init(_ network: Network, _ quantized: QuantizedArithmetic?, threads: Int, shardSize: Int) {
      self.network = network
      isQuantized = quantized != nil
      let arithmetic: any Arithmetic = quantized ?? RealArithmetic()
      self.threads = threads
      self.shardSize = shardSize
      step = GradientStep(
        loss: Loss(), arithmetic: arithmetic, shardSize: shardSize, threads: threads)
      optimizer = Optimizer(
        OptimizerConfiguration(), parameters: network.parameters(with: arithmetic),
        threads: threads)
    }

    func train(_ batch: TrainingBatch) {
      let clock = Stopwatch()
      let (gradients, report) = step.gradients(network, batch)
      // So small a rate leaves activity as it is, which the times depend on a little.
      optimizer.step(gradients, learningRate: 1e-6)
      timings.add(clock.duration(threads: threads))
      elapsed += clock.elapsed
      computing += clock.computing
      rates = report.rates
    }

    func forgetTimings() {
      timings = Timings()
      elapsed = 0
      computing = 0
    }
  }

  func run(_ subject: BenchNetwork) throws -> [TrainingResult] {
    let batch = subject.batch(of: subject.batchSize)
    var contenders: [Contender] = []
    for threads in [1, 2] {
      for isQuantized in [false, true] {
        let network = try subject.network()
        contenders.append(
          Contender(
            network, isQuantized ? try subject.quantized(network) : nil, threads: threads,
            shardSize: shardSize ?? network.shardSize(batchSize: subject.batchSize)))
      }
    }
    for contender in contenders {
      for _ in 0..<2 { contender.train(batch) }
      contender.forgetTimings()
    }
    for _ in 0..<rounds {
      for contender in contenders {
        let rate = MachineLimits.matrixProductRate(threads: contender.threads)
        contender.matrixProductRate = max(contender.matrixProductRate, rate)
        let clock = Stopwatch()
        repeat { contender.train(batch) } while clock.elapsed < roundSeconds
      }
    }
    return contenders.map { result(of: $0, subject) }
  }

  private func result(of contender: Contender, _ subject: BenchNetwork) -> TrainingResult {
    let samples = Double(subject.batchSize)
    let operations = 2 * Double(contender.network.trainingMultiplyAdds)
    let best = samples / contender.timings.best
    return TrainingResult(
      network: subject.name, isQuantized: contender.isQuantized, threads: contender.threads,
      shardSize: contender.shardSize, samplesPerSecond: best,
      medianSamplesPerSecond: samples / contender.timings.median,
      matrixProductRate: contender.matrixProductRate,
      fractionOfBound: best * operations / contender.matrixProductRate,
      bar: subject.trainingBar,
      processorShare: contender.computing / (contender.elapsed * Double(contender.threads)),
      rates: contender.rates)
  }
}
