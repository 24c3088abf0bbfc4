import Spiking
import Wiring

/// Networks that are no chain, of all that models of the format can say.
///
/// Two populations of one shape, a vector and a read-out; each link beyond those that join them is there
/// by chance. Some hear several ports, some themselves, some each other.
extension RandomNetworks {
  mutating func graph(named name: String) throws -> Network {
    let source = Shape(
      channels: pick([1, 2, 4]), height: integer(1...6), width: integer(1...6))
    var plan = NetworkPlan(ports: [InputPort(name: "first", shape: source, kind: kind())])
    if !chance(3) {
      let shape = Shape(channels: pick([1, 2]), height: source.height, width: source.width)
      plan.ports.append(InputPort(name: "second", shape: shape, kind: kind()))
    }
    // Every port enters the first population in the same way.
    let geometry = geometry()
    var plane = geometry.outputShape(of: source, channels: pick([2, 4]))
    let isDense = chance(4) || plane.count == 0
    if isDense { plane = Shape(channels: integer(1...12)) }
    plan.populations = [
      population("a", plane), population("b", plane),
      population("c", Shape(channels: integer(1...9))),
      NetworkPlan.Population(
        name: "readout", shape: Shape(channels: integer(2...5)), neurons: nil,
        readoutLeak: chance(2) ? uniform(0.3...1) : nil),
    ]
    plan.readout = 3
    for (index, port) in plan.ports.enumerated() {
      var geometry = geometry
      geometry.groups = groups(from: port.shape, onto: plane)
      add(
        "\(port.name)_a", from: .input(index), to: 0,
        isDense ? .dense : .convolution(geometry), in: &plan)
    }
    let kernel = keeping(plane)
    add("a_b", from: .population(0), to: 1, chance(3) ? .dense : kernel, in: &plan)
    let pool = min(plane.height, plane.width) > 1 && chance(2) ? 2 : 1
    add("b_c", from: .population(1), to: 2, .dense, pool: pool, in: &plan)
    add("c_out", from: .population(2), to: 3, .dense, in: &plan)
    addLinks(plane, in: &plan)
    return try Network(name: name, plan: plan, steps: integer(1...6), random: random.split(2))
  }

  /// Residual sums, recurrence and shortcuts.
  private mutating func addLinks(_ plane: Shape, in plan: inout NetworkPlan) {
    if chance(2) {
      add("residual", from: .population(0), to: 1, .oneToOne, delay: integer(0...1), in: &plan)
    }
    if chance(4) {
      add("others", from: .population(0), to: 1, .lateral, delay: integer(0...1), in: &plan)
    }
    if chance(3) { add("b_a", from: .population(1), to: 0, keeping(plane), delay: 1, in: &plan) }
    if chance(4) { add("a_a", from: .population(0), to: 0, .dense, delay: 1, in: &plan) }
    if chance(4) { add("b_b", from: .population(1), to: 1, .lateral, delay: 1, in: &plan) }
    if chance(4) { add("c_c", from: .population(2), to: 2, .oneToOne, delay: 1, in: &plan) }
    if chance(4) { add("c_a", from: .population(2), to: 0, .dense, delay: 1, in: &plan) }
    if chance(3) {
      add("a_out", from: .population(0), to: 3, .dense, delay: integer(0...1), in: &plan)
    }
    if chance(4) { add("first_out", from: .input(0), to: 3, .dense, in: &plan) }
  }

  private mutating func add(
    _ name: String, from source: Source, to target: Int, _ topology: Topology, pool: Int = 1,
    delay: Int = 0, in plan: inout NetworkPlan
  ) {
    var isHeld = false
    if case .input(let port) = source { isHeld = plan.ports[port].isHeld }
    plan.projections.append(
      NetworkPlan.Projection(
        name: name, from: source, to: target, topology: topology, pool: pool,
        delay: isHeld ? 0 : delay + (chance(6) ? integer(1...3) : 0),
        taps: !isHeld && chance(5) ? integer(2...4) : 1, tapStep: 1,
        granularity: pick(Granularity.allCases)))
  }

  private mutating func kind() -> InputPort.Kind {
    switch integer(0...4) {
    case 0: .events(.once)
    case 1: .events(.every(maximumPerStep: integer(1...9)))
    case 2: .values(minimum: 0, maximum: 255, scale: 1 / 255, framePerStep: chance(2))
    default: .values(minimum: -999, maximum: 1000, scale: 1 / 512, framePerStep: !chance(4))
    }
  }

  private mutating func population(_ name: String, _ shape: Shape) -> NetworkPlan.Population {
    let reset = pick([Reset.subtract, .zero, .value])
    return NetworkPlan.Population(
      name: name, shape: shape,
      neurons: NeuronConfiguration(
        dynamics: LIFDynamics(
          reset: reset, compare: pick([.greater, .greaterOrEqual]),
          resetValue: reset == .value ? uniform(-0.4...0.2) : 0,
          refractorySteps: pick([0, 0, 1, 2])),
        thresholdGranularity: pick(Granularity.allCases),
        leakGranularity: pick(Granularity.allCases), threshold: uniform(0.3...1.5),
        leak: chance(4) ? 1 : uniform(0.2...1), currentLeak: chance(4) ? uniform(0.2...1) : nil,
        bias: chance(3),
        initial: chance(3) ? 0 : nil))
  }

  // MARK: Geometry

  /// A kernel of any sides, strides, paddings and dilations.
  private mutating func geometry() -> Convolution {
    Convolution(y: axis(), x: axis())
  }

  private mutating func axis() -> Convolution.Axis {
    Convolution.Axis(
      kernel: integer(1...3), stride: integer(1...2), paddingBefore: integer(0...2),
      paddingAfter: integer(0...2), dilation: integer(1...2))
  }

  /// A kernel that keeps the extents, in groups.
  private mutating func keeping(_ shape: Shape) -> Topology {
    .convolution(
      Convolution(
        y: keepingAxis(), x: keepingAxis(), groups: groups(from: shape, onto: shape)))
  }

  /// The padding lies on one side, on both, or is the whole past of a causal kernel.
  private mutating func keepingAxis() -> Convolution.Axis {
    let (kernel, dilation) = (pick([1, 2, 3]), integer(1...2))
    let padding = dilation * (kernel - 1)
    let before = pick([padding, padding / 2, integer(0...padding)])
    return Convolution.Axis(
      kernel: kernel, paddingBefore: before, paddingAfter: padding - before, dilation: dilation)
  }

  private mutating func groups(from source: Shape, onto target: Shape) -> Int {
    pick(
      (1...4).filter { source.channels.isMultiple(of: $0) && target.channels.isMultiple(of: $0) })
  }
}
