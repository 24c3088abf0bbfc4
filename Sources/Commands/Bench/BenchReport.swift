import Foundation

/// Everything that was measured, in the order in which it is printed.
struct BenchReport: Codable {
  var date = Date()
  var processorCount: Int
  /// Operations a second of the matrix product on one and on two threads.
  var matrixProductRates: [Double] = []
  var training: [TrainingResult] = []
  var inference: [InferenceResult] = []
  var models: [ModelSize] = []
  var runner: RunnerMemory?

  /// The float network's speed over the quantised one's, on the same number of threads.
  func quantizedRatio(_ network: String, threads: Int) -> Double? {
    func speed(_ isQuantized: Bool) -> Double? {
      training.first {
        $0.network == network && $0.threads == threads && $0.isQuantized == isQuantized
      }?.samplesPerSecond
    }
    guard let float = speed(false), let quantized = speed(true) else { return nil }
    return float / quantized
  }

  func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return try encoder.encode(self)
  }
}
