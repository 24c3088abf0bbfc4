import Foundation
import Wiring

/// The writer: this module's types to the schema's messages. Precondition everywhere: the model is
/// valid, so that every number fits its field.
extension PBModel {
  /// The message of a valid model, its projections' weights still missing.
  init(_ model: Model) {
    self.init()
    formatMajor = UInt32(Model.formatVersion.major)
    formatMinor = UInt32(Model.formatVersion.minor)
    name = model.name
    producer = model.producer
    stepMicroseconds = UInt32(model.stepMicroseconds)
    steps = UInt32(model.steps)
    maxSteps = UInt32(model.maximumSteps)
    inputs = model.inputs.map(PBInputPort.init)
    populations = model.populations.map(PBPopulation.init)
    projections = model.projections.map(PBProjection.init)
    readout = UInt32(model.readout)
    switch model.exit {
    case .margin(let margin): exit.margin = UInt32(margin)
    case .firstSpike(let population): exit.firstSpike = UInt32(population)
    case nil: break
    }
    if model.task != Model.Task() { task = PBTask(model.task) }
    if let digest = model.goldenDigest {
      goldenDigest = Data((0..<4).map { UInt8(truncatingIfNeeded: digest >> (8 * $0)) })
    }
  }
}

extension PBModel {
  /// The bytes of a file of this message: its own, and their checksum in place of any it has.
  func fileBytes() throws -> [UInt8] {
    var message = self
    message.checksum = 0
    let bytes: [UInt8] = try message.serializedBytes()
    return bytes + Checksum.field(of: bytes)
  }
}

extension PBShape {
  fileprivate init(_ shape: Shape) {
    self.init()
    channels = UInt32(shape.channels)
    height = UInt32(shape.height)
    width = UInt32(shape.width)
  }
}

extension PBInputPort {
  fileprivate init(_ port: InputPort) {
    self.init()
    name = port.name
    shape = PBShape(port.shape)
    origin = port.origin
    if let encoder = port.encoder { self.encoder.poisson.gain = UInt32(encoder.gain) }
    if let sensor = port.sensor {
      self.sensor.width = UInt32(sensor.width)
      self.sensor.height = UInt32(sensor.height)
      self.sensor.coarsening = UInt32(sensor.coarsening)
      self.sensor.polarity = sensor.polarity == .offOn ? .offOn : .onOff
    }
    switch port.kind {
    case .events(.once): kind = .events
    case .events(.every(let maximum)):
      kind = .events
      multiplicity = .every
      maxEventsPerStep = UInt32(maximum)
    case .values(let minimum, let maximum, let framePerStep):
      kind = .values
      minValue = Int32(minimum)
      maxValue = Int32(maximum)
      self.framePerStep = framePerStep
    }
  }
}

extension PBPopulation {
  fileprivate init(_ population: Population) {
    self.init()
    name = population.name
    shape = PBShape(population.shape)
    leak = population.leak.values.map(UInt32.init)
    bias = population.bias.values.map(Int32.init)
    initial = population.initial.values.map(Int32.init)
    switch population.kind {
    case .readout: kind = .readout
    case .lif(let lif):
      kind = .lif
      threshold = lif.threshold.values.map(Int32.init)
      switch lif.reset {
      case .subtract: reset = .subtract
      case .zero: reset = .zero
      case .value(let value):
        reset = .value
        resetValue = Int32(value)
      }
      compare = lif.compare == .greater ? .greater : .greaterEqual
      refractorySteps = UInt32(lif.refractorySteps)
      floor = Int32(lif.floor)
      ceiling = Int32(lif.ceiling)
      currentLeak = lif.currentLeak.values.map(UInt32.init)
    }
  }
}

extension PBProjection {
  fileprivate init(_ projection: Projection) {
    self.init()
    name = projection.name
    switch projection.source {
    case .input(let port): source = .input(UInt32(port))
    case .population(let population): source = .population(UInt32(population))
    }
    target = UInt32(projection.target)
    delay = UInt32(projection.delay)
    if projection.taps > 1 {
      taps = UInt32(projection.taps)
      tapStep = UInt32(projection.tapStep)
    }
    switch projection.topology {
    case .dense: topology = .dense
    case .oneToOne: topology = .oneToOne
    case .lateral: topology = .lateral
    case .convolution(let geometry):
      topology = .conv
      convolution = PBConvolution(geometry)
    }
    pool = projection.pool == 1 ? 0 : UInt32(projection.pool)
    shift = UInt32(projection.shift)
  }
}

extension PBConvolution {
  fileprivate init(_ geometry: Convolution) {
    self.init()
    kernelHeight = UInt32(geometry.y.kernel)
    kernelWidth = UInt32(geometry.x.kernel)
    strideY = UInt32(geometry.y.stride)
    strideX = UInt32(geometry.x.stride)
    paddingTop = UInt32(geometry.y.paddingBefore)
    paddingLeft = UInt32(geometry.x.paddingBefore)
    paddingBottom = UInt32(geometry.y.paddingAfter)
    paddingRight = UInt32(geometry.x.paddingAfter)
    dilationY = UInt32(geometry.y.dilation)
    dilationX = UInt32(geometry.x.dilation)
    groups = UInt32(geometry.groups)
  }
}

extension PBTask {
  fileprivate init(_ task: Model.Task) {
    self.init()
    classNames = task.classNames
    dataset = task.dataset
    recipe = task.recipe
    floatAccuracy = task.floatAccuracy
    integerAccuracy = task.integerAccuracy
    units = task.units.map { values in
      var units = PBUnits()
      units.values = values
      return units
    }
  }
}
