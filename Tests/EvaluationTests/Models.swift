import ModelFormat
import Wiring

/// Models for tests: small, and with numbers that can be worked by hand.
enum Models {
  /// Events of 2 polarities on `side` × `side` pixels into a pooled convolution of 4 channels, a
  /// dense layer of 12 and 10 classes; `steps` steps of 1 ms.
  static func camera(side: Int, steps: Int, stepMicroseconds: Int = 1000) -> Model {
    let pooled = side / 2
    func weights(_ rows: Int, _ columns: Int, _ period: Int) -> WeightMatrix {
      WeightMatrix(
        rows: rows, columns: columns,
        values: (0..<rows * columns).map { Int8($0 * 7 % period - period / 3) })
    }
    return Model(
      name: "camera", stepMicroseconds: stepMicroseconds, steps: steps,
      inputs: [
        InputPort(
          name: "camera", shape: Shape(channels: 2, height: side, width: side),
          kind: .events(.once))
      ],
      populations: [
        Population(
          name: "conv", shape: Shape(channels: 4, height: side, width: side),
          kind: .lif(Population.LIF(threshold: 9)), leak: 30000),
        Population(
          name: "dense", shape: Shape(channels: 12),
          kind: .lif(Population.LIF(threshold: 60, floor: -200, ceiling: 200))),
        Population(name: "answer", shape: Shape(channels: 10), kind: .readout),
      ],
      projections: [
        Projection(
          name: "in-conv", from: .input(0), to: 0,
          topology: .convolution(Convolution(kernel: 3, padding: 1)), weights: weights(2, 36, 11)),
        Projection(
          name: "conv-dense", from: .population(0), to: 1, topology: .dense, pool: 2,
          weights: weights(4 * pooled * pooled, 12, 5)),
        Projection(
          name: "dense-answer", from: .population(1), to: 2, topology: .dense,
          weights: weights(12, 10, 9)),
      ], readout: 2)
  }

  /// One held frame of 4 values into 2 neurons, which feed 2 classes one to one; 3 steps.
  static let frame = Model(
    name: "frame", steps: 3,
    inputs: [
      InputPort(
        name: "image", shape: Shape(channels: 1, height: 2, width: 2),
        kind: .values(minimum: 0, maximum: 255, framePerStep: false))
    ],
    populations: [
      Population(
        name: "hidden", shape: Shape(channels: 2), kind: .lif(Population.LIF(threshold: 99))),
      Population(name: "answer", shape: Shape(channels: 2), kind: .readout),
    ],
    projections: [
      Projection(
        name: "image-hidden", from: .input(0), to: 0, topology: .dense,
        weights: WeightMatrix(rows: 4, columns: 2, values: [1, 0, 1, -1, 0, 2, 1, 0])),
      Projection(
        name: "hidden-answer", from: .population(0), to: 1, topology: .dense,
        weights: WeightMatrix(rows: 2, columns: 2, values: [1, 0, 0, 3])),
    ], readout: 1)

  /// An input for ``frame``: hidden neuron 0 receives 100 a step, neuron 1 receives −40.
  static let frameInput = InferenceInput(steps: 3, ports: [.held([50, 40, 0, 10])])
}
