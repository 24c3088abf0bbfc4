import ModelFormat
import Wiring

/// Small models whose trajectories can be worked by hand.
public enum TinyModels {
  /// One port onto one hidden population onto a read-out that copies it.
  ///
  /// The read-out has no leak, takes each hidden spike with weight 1, and so counts spikes.
  public static func chain(
    input: InputPort, hidden: Population, first: Projection, steps: Int = 8
  ) -> Model {
    let readout = Population(name: "readout", shape: hidden.shape, kind: .readout)
    let copy = Projection(
      name: "copy", from: .population(0), to: 1, topology: .oneToOne,
      weights: WeightMatrix(rows: 1, columns: 1, values: [1]))
    return Model(
      name: "chain", producer: "tests", steps: steps, inputs: [input],
      populations: [hidden, readout], projections: [first, copy], readout: 1)
  }

  /// One neuron behind one event address with weight `weight`, counting each event.
  ///
  /// A step with n events adds n · weight to the neuron, up to 8 events.
  public static func neuron(
    weight: Int8 = 1, lif: Population.LIF, leak: Parameter = .none, bias: Parameter = .none,
    initial: Parameter = .none, steps: Int = 8
  ) -> Model {
    chain(
      input: InputPort(
        name: "in", shape: Shape(channels: 1), kind: .events(.every(maximumPerStep: 8))),
      hidden: Population(
        name: "neuron", shape: Shape(channels: 1), kind: .lif(lif), leak: leak, bias: bias,
        initial: initial),
      first: Projection(
        name: "drive", from: .input(0), to: 0, topology: .dense,
        weights: WeightMatrix(rows: 1, columns: 1, values: [weight])),
      steps: steps)
  }
}
