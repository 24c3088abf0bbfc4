import ModelFixtures
import Testing
import Wiring

@testable import ModelFormat

/// Each limit of FORMAT.md, broken once: the error names the right place.
@Suite struct ValidationTests {
  /// A valid model: port 0 events, port 1 values; "conv" (2×4×4) feeds "loop" (with itself,
  /// delay 1) feeds "answer".
  static var valid: Model {
    let image = Shape(channels: 2, height: 4, width: 4)
    func matrix(_ rows: Int, _ columns: Int) -> WeightMatrix {
      WeightMatrix(rows: rows, columns: columns, values: .init(repeating: 1, count: rows * columns))
    }
    return Model(
      name: "valid", producer: "tests", steps: 4, maximumSteps: 10,
      inputs: [
        InputPort(name: "events", shape: image, kind: .events(.every(maximumPerStep: 9))),
        InputPort(
          name: "values", shape: image, kind: .values(minimum: -5, maximum: 7, framePerStep: true)),
      ],
      populations: [
        Population(name: "conv", shape: image, kind: .lif(.init(threshold: [3, 4]))),
        Population(
          name: "loop", shape: Shape(channels: 3),
          kind: .lif(.init(threshold: 3, reset: .value(-1), compare: .greaterEqual, floor: -9)),
          leak: 32000, bias: [1, 2, 3], initial: 5),
        Population(name: "answer", shape: Shape(channels: 2), kind: .readout, initial: 7),
      ],
      projections: [
        Projection(
          name: "in", from: .input(0), to: 0,
          topology: .convolution(Convolution(kernel: 3, padding: 1, groups: 2)),
          weights: matrix(2, 9)),
        Projection(
          name: "pooled", from: .input(1), to: 1, topology: .dense, pool: 2, shift: 3,
          weights: matrix(8, 3)),
        Projection(
          name: "down", from: .population(0), to: 1, topology: .dense, weights: matrix(32, 3)),
        Projection(
          name: "self", from: .population(1), to: 1, delay: 1, topology: .lateral,
          weights: matrix(1, 1)),
        Projection(
          name: "out", from: .population(1), to: 2, topology: .dense, weights: matrix(3, 2)),
      ],
      readout: 2)
  }

  @Test func theValidModelIsValid() throws { try Self.valid.validate() }

  private func place(breaking change: (inout Model) -> Void) -> String? {
    var model = Self.valid
    change(&model)
    do {
      try model.validate()
      return nil
    } catch {
      #expect(!error.description.contains("\n"))
      return error.place
    }
  }

  private func lif(
    _ model: inout Model, _ index: Int, _ change: (inout Population.LIF) -> Void
  ) {
    guard case .lif(var lif) = model.populations[index].kind else { return }
    change(&lif)
    model.populations[index].kind = .lif(lif)
  }

  private func convolution(_ model: inout Model, _ change: (inout Convolution) -> Void) {
    guard case .convolution(var geometry) = model.projections[0].topology else { return }
    change(&geometry)
    model.projections[0].topology = .convolution(geometry)
  }

  @Test func headerLimits() {
    #expect(place { $0.name = String(repeating: "é", count: 33) } == "name (bytes)")
    #expect(
      place { $0.producer = String(repeating: "p", count: 257) } == "producer (bytes)")
    #expect(place { $0.stepMicroseconds = 1 << 31 } == "step_microseconds")
    #expect(place { $0.steps = 0 } == "steps")
    #expect(place { $0.steps = 11 } == "steps")
    #expect(place { $0.maximumSteps = 65536 } == "max_steps")
    #expect(place { $0.maximumSteps = 0 } == "max_steps")
    #expect(place { $0.inputs = [] } == "inputs (count)")
    #expect(
      place { $0.inputs = .init(repeating: $0.inputs[0], count: 17) } == "inputs (count)")
    #expect(place { $0.populations = [] } == "populations (count)")
    #expect(
      place { $0.populations = .init(repeating: $0.populations[0], count: 257) }
        == "populations (count)")
    #expect(place { $0.projections = [] } == "projections (count)")
    #expect(
      place { $0.projections = .init(repeating: $0.projections[0], count: 1025) }
        == "projections (count)")
    #expect(place { $0.readout = 3 } == "readout")
    #expect(place { $0.readout = 1 } == "readout")
  }

  @Test func taskLimits() {
    #expect(place { $0.task.classNames = ["one"] } == "task.class_names")
    #expect(place { $0.task.floatAccuracy = 1.5 } == "task.float_accuracy")
    #expect(place { $0.task.integerAccuracy = .nan } == "task.integer_accuracy")
    #expect(place { $0.task.units = [[1]] } == "task.units")
    #expect(place { $0.task.units = [[1], [1, 2], [1]] } == "task.units[1]")
    #expect(place { $0.task.units = [[1], [.infinity], [1]] } == "task.units[1]")
  }

  @Test func portLimits() {
    let (events, values) = ("inputs[0] \"events\"", "inputs[1] \"values\"")
    #expect(place { $0.inputs[0].shape.channels = 0 } == events + ".shape.channels")
    #expect(place { $0.inputs[0].shape.height = 1 << 21 } == events + ".shape.height")
    #expect(place { $0.inputs[0].shape.width = -1 } == events + ".shape.width")
    #expect(
      place { $0.inputs[0].shape = Shape(channels: 1 << 20, height: 2) }
        == events + ".shape (neurons)")
    for maximum in [0, 65536] {
      #expect(
        place { $0.inputs[0].kind = .events(.every(maximumPerStep: maximum)) }
          == events + ".max_events_per_step")
    }
    for (minimum, maximum, field) in [
      (-32769, 0, "min_value"), (0, 32768, "max_value"), (3, 2, "max_value"),
    ] {
      #expect(
        place {
          $0.inputs[1].kind = .values(minimum: minimum, maximum: maximum, framePerStep: false)
        } == values + "." + field)
    }
  }

  @Test func populationLimits() {
    let (conv, loop, answer) = (
      "populations[0] \"conv\"", "populations[1] \"loop\"", "populations[2] \"answer\""
    )
    #expect(place { $0.populations[1].shape.width = 0 } == loop + ".shape.width")
    #expect(place { lif(&$0, 0) { $0.threshold = .none } } == conv + ".threshold")
    #expect(place { lif(&$0, 0) { $0.threshold = [1, 2, 3] } } == conv + ".threshold")
    #expect(place { lif(&$0, 0) { $0.threshold = [0, -1] } } == conv + ".threshold[1]")
    #expect(place { lif(&$0, 0) { $0.threshold = [0, 32768] } } == conv + ".threshold[1]")
    #expect(place { lif(&$0, 1) { $0.threshold = 0 } } == loop + ".threshold[0]")
    #expect(place { $0.populations[1].leak = 32769 } == loop + ".leak[0]")
    #expect(place { $0.populations[1].leak = -1 } == loop + ".leak[0]")
    #expect(place { $0.populations[1].leak = [1, 2] } == loop + ".leak")
    #expect(place { $0.populations[1].bias = [1, 2, 1 << 24] } == loop + ".bias[2]")
    #expect(place { $0.populations[1].bias = [1, 2, -(1 << 24)] } == loop + ".bias[2]")
    #expect(place { $0.populations[1].initial = -10 } == loop + ".initial[0]")
    #expect(place { $0.populations[2].initial = [0, 1 << 31] } == answer + ".initial[1]")
    #expect(place { lif(&$0, 1) { $0.reset = .value(-10) } } == loop + ".reset_value")
    #expect(place { lif(&$0, 1) { $0.refractorySteps = 256 } } == loop + ".refractory_steps")
    #expect(place { lif(&$0, 1) { $0.currentLeak = 32769 } } == loop + ".current_leak[0]")
    #expect(place { lif(&$0, 1) { $0.currentLeak = [1, 2] } } == loop + ".current_leak")
    #expect(place { lif(&$0, 1) { $0.floor = 1 } } == loop + ".floor")
    #expect(place { lif(&$0, 1) { $0.floor = -32769 } } == loop + ".floor")
    #expect(place { lif(&$0, 1) { $0.ceiling = -1 } } == loop + ".ceiling")
    #expect(place { lif(&$0, 1) { $0.ceiling = 32768 } } == loop + ".ceiling")
  }

  @Test func projectionLimits() {
    let (input, pooled, down, own) = (
      "projections[0] \"in\"", "projections[1] \"pooled\"", "projections[2] \"down\"",
      "projections[3] \"self\""
    )
    #expect(place { $0.projections[0].source = .input(2) } == input + ".input")
    #expect(place { $0.projections[2].source = .population(3) } == down + ".population")
    #expect(place { $0.projections[2].source = .population(2) } == down + ".population")
    #expect(place { $0.projections[2].target = 3 } == down + ".target")
    func held(_ model: inout Model) {
      model.inputs[1].kind = .values(minimum: 0, maximum: 1, framePerStep: false)
    }
    #expect(
      place {
        held(&$0)
        $0.projections[1].delay = 1
      } == pooled + ".delay (from a held frame)")
    #expect(
      place {
        held(&$0)
        $0.projections[1].taps = 2
      } == pooled + ".taps (from a held frame)")
    #expect(place { $0.projections[0].delay = -1 } == input + ".delay")
    #expect(place { $0.projections[2].delay = 256 } == down + ".delay")
    #expect(place { $0.projections[2].taps = 0 } == down + ".taps")
    #expect(place { $0.projections[2].taps = 33 } == down + ".taps")
    #expect(place { $0.projections[2].tapStep = 2 } == down + ".tap_step")
    #expect(
      place { ($0.projections[2].taps, $0.projections[2].tapStep) = (2, 17) } == down + ".tap_step")
    #expect(place { $0.projections[2].taps = 2 } == down + ".weights.rows")
    #expect(place { $0.projections[1].pool = 17 } == pooled + ".pool")
    #expect(place { $0.projections[1].pool = 5 } == pooled + ".pool")
    #expect(place { $0.projections[1].shift = 32 } == pooled + ".shift")
    #expect(place { $0.projections[2].shift = 16 } == down + ".shift")
    #expect(place { $0.projections[2].shift = -1 } == down + ".shift")
    #expect(place { $0.projections[1].pool = 1 } == pooled + ".weights.rows")
    #expect(place { $0.projections[4].target = 1 } == "projections[4] \"out\".weights.columns")
    #expect(place { $0.projections[3].source = .population(0) } == own)
    #expect(
      place {
        $0.projections[3].topology = .oneToOne
        $0.projections[3].weights = WeightMatrix(rows: 1, columns: 2, values: [1, 1])
      } == own + ".weights.columns")
  }

  @Test func convolutionLimits() {
    let here = "projections[0] \"in\".convolution"
    #expect(place { convolution(&$0) { $0.y.kernel = 32 } } == here + ".kernel_height")
    #expect(place { convolution(&$0) { $0.x.kernel = 0 } } == here + ".kernel_width")
    #expect(place { convolution(&$0) { $0.y.stride = 0 } } == here + ".stride_y")
    #expect(place { convolution(&$0) { $0.x.stride = 17 } } == here + ".stride_x")
    #expect(place { convolution(&$0) { $0.y.paddingBefore = 31 } } == here + ".padding_top")
    #expect(place { convolution(&$0) { $0.y.paddingAfter = 31 } } == here + ".padding_bottom")
    #expect(place { convolution(&$0) { $0.x.paddingBefore = -1 } } == here + ".padding_left")
    #expect(place { convolution(&$0) { $0.x.paddingAfter = -1 } } == here + ".padding_right")
    #expect(place { convolution(&$0) { $0.y.dilation = 17 } } == here + ".dilation_y")
    #expect(place { convolution(&$0) { $0.x.dilation = 0 } } == here + ".dilation_x")
    #expect(place { convolution(&$0) { $0.groups = 0 } } == here + ".groups")
    #expect(place { convolution(&$0) { $0.groups = 3 } } == here + ".groups")
    #expect(place { convolution(&$0) { $0.y.paddingBefore = 0 } } == here)
    #expect(place { convolution(&$0) { $0.x.stride = 2 } } == here)
    #expect(place { convolution(&$0) { $0.y.kernel = 31 } } == here)
    let taps = "projections[0] \"in\".weights.columns"
    #expect(place { convolution(&$0) { $0.groups = 1 } } == taps)
  }

  @Test func cyclesAreNamed() {
    var model = Self.valid
    model.projections[3].delay = 0
    #expect(
      throws: ModelError.cycle(
        place: "projections", expected: "no cycle of delay-0 projections",
        found: "populations[1] \"loop\" → populations[1] \"loop\"")
    ) { try model.validate() }

    model = Self.valid
    model.projections.append(
      Projection(
        name: "back", from: .population(1), to: 0, topology: .dense,
        weights: WeightMatrix(rows: 3, columns: 32, values: .init(repeating: 0, count: 96))))
    #expect(
      throws: ModelError.cycle(
        place: "projections", expected: "no cycle of delay-0 projections",
        found: "populations[0] \"conv\" → populations[1] \"loop\" → populations[0] \"conv\"")
    ) { try model.validate() }
    model.projections[5].delay = 1
    #expect(throws: Never.self) { try model.validate() }
  }

  // MARK: Bounds, FORMAT.md §5

  @Test func boundsAreTheWorkedOnes() throws {
    let bounds = try Self.valid.validate().populations
    // EVERY: 9 events times the heaviest synapse 1.
    #expect(bounds[0] == .init(largest: 9, neuron: 0, path: .accumulator16))
    // Values: (8·1·4·7 + 4) >> 3 = 28; 32 spikes; the 2 others; bias 3 of neuron 2.
    #expect(bounds[1] == .init(largest: 28 + 32 + 2 + 3, neuron: 2, path: .accumulator16))
    #expect(bounds[2] == .init(largest: 3, neuron: 0, path: .membrane32))

    var narrow = Self.valid
    lif(&narrow, 0) {
      $0.ceiling = 32758
      $0.floor = -32758
    }
    #expect(try narrow.validate().populations[0].path == .membrane16)
    lif(&narrow, 0) { $0.ceiling = 32759 }
    #expect(try narrow.validate().populations[0].path == .accumulator16)
    narrow.projections[0].shift = 12
    #expect(try narrow.validate().populations[0].path == .accumulator32)
  }

  @Test func refractoryMembranesTakeNoWeightsDirectly() throws {
    var model = Self.valid
    lif(&model, 0) {
      $0.ceiling = 100
      $0.floor = -100
    }
    #expect(try model.validate().populations[0].path == .membrane16)
    lif(&model, 0) { $0.refractorySteps = 1 }
    #expect(try model.validate().populations[0].path == .accumulator16)
  }

  @Test func lifBoundIsExact() {
    // B + 32768 < 2^24 with B = bias + 28 + 32 + 2.
    let largest = (1 << 24) - 32768 - 1 - 62
    #expect(place { $0.populations[1].bias = [0, largest, 0] } == nil)
    #expect(
      place { $0.populations[1].bias = [0, largest + 1, 0] } == "populations[1] \"loop\"")
  }

  @Test func valueBoundIsExact() {
    // 8 cells of 4 values times 127 is 4064 times the largest value:
    // 4064·2064 + 2^23 = 2^24 − 512, and 4064·2065 + 2^23 = 2^24 + 3552.
    func largest(_ value: Int) -> (inout Model) -> Void {
      {
        $0.inputs[1].kind = .values(minimum: -5, maximum: value, framePerStep: true)
        $0.projections[1].weights.values = [Int8](repeating: 127, count: 24)
        $0.projections[1].shift = 24
      }
    }
    #expect(place(breaking: largest(2064)) == nil)
    #expect(place(breaking: largest(2065)) == "projections[1] \"pooled\"")
  }

  @Test func theBoundOfACurrentIsItsGeometricSum() throws {
    // 9 events at most, each of weight 1, arrive at a neuron of "conv" in a step.
    func largest(_ leak: Int, steps: Int = 10) throws -> Int {
      var model = Self.valid
      (model.steps, model.maximumSteps) = (steps, steps)
      lif(&model, 0) { $0.currentLeak = Parameter([leak]) }
      return try model.validate().populations[0].largest
    }
    #expect(try largest(0) == 9)
    #expect(try largest(16384) == 18)
    #expect(try largest(16384, steps: 1) == 9)
    #expect(try largest(32767, steps: 7) == 63)
    #expect(try largest(32768, steps: 7) == 63)
  }

  @Test func valuesAreShiftedByAtMost24AndSpikesBy15() {
    #expect(place { $0.projections[1].shift = 24 } == nil)
    #expect(place { $0.projections[1].shift = 25 } == "projections[1] \"pooled\".shift")
    #expect(place { $0.projections[4].shift = 15 } == nil)
    #expect(place { $0.projections[4].shift = 16 } == "projections[4] \"out\".shift")
  }

  @Test func readoutBoundIsExact() {
    // |initial| + 10·3 < 2^31.
    #expect(place { $0.populations[2].initial = [0, (1 << 31) - 31] } == nil)
    #expect(
      place { $0.populations[2].initial = [0, (1 << 31) - 30] } == "populations[2] \"answer\"")
    #expect(place { $0.populations[2].initial = [-(1 << 31), 0] } == "populations[2] \"answer\"")
  }
}
