import Foundation
import Spiking
import Tensors

/// The training of a run at one moment: what is needed to go on as if it had never stopped.
public struct Checkpoint {
  /// Everything that is not a tensor.
  public var position: Position
  /// The network now.
  public var network: NetworkSnapshot
  /// The network of the best epoch of this stage so far; nil before the first eligible one.
  public var best: NetworkSnapshot?
  /// The optimizer's moments by `parameter.first`, `parameter.second`.
  public var moments: [String: Tensor]

  /// Where training stands.
  public struct Position: Hashable, Sendable, Codable {
    /// The stage's place in its recipe, from 0.
    public var stageIndex: Int
    /// The stage's name.
    public var stageName: String
    /// The run's seed.
    public var seed: UInt64
    /// The epoch under way, from 0; the number of epochs once the stage is finished.
    public var epoch: Int
    /// The next batch of that epoch, from 0.
    public var batch: Int
    /// Updates made in this stage, the optimizer's t.
    public var step: Int
    /// Whether the stage is over; the network is then that of its best epoch.
    public var isFinished: Bool
    /// The best epoch so far.
    public var best: EpochMetrics?
    /// The stage's epochs so far.
    public var epochs: [EpochMetrics]
    /// What the epoch under way saw.
    public var running: RunningMetrics
  }
}

/// A network's parameters and masks, and what observers keep beside them, by name.
public struct NetworkSnapshot {
  /// Parameters and statistics by name.
  public var values: [String: Tensor]
  /// The masks of parameters that are pruned, by name.
  public var masks: [String: Tensor]
  /// What observers keep, by their names.
  public var observers: [String: ObserverState]

  /// A copy of the network's present state. Tensors are values: nothing is copied until it changes.
  public init(
    _ network: Network, arithmetic: any Arithmetic = RealArithmetic(),
    observers: [any TrainingObserver] = []
  ) throws {
    values = [:]
    masks = [:]
    self.observers = [:]
    for parameter in Self.kept(of: network, arithmetic) {
      values[parameter.name] = parameter.value
      masks[parameter.name] = parameter.mask
    }
    for observer in observers { self.observers[observer.name] = try observer.state() }
  }

  /// Everything a checkpoint keeps: what is learned and what is measured.
  private static func kept(of network: Network, _ arithmetic: any Arithmetic) -> [Parameter] {
    network.parameters(with: arithmetic) + network.statistics
  }

  init(values: [String: Tensor], masks: [String: Tensor], observers: [String: ObserverState]) {
    self.values = values
    self.masks = masks
    self.observers = observers
  }

  /// Brings a network of the same parameters into this state.
  ///
  /// - Throws: ``LearningError/foreignCheckpoint(place:expected:found:)`` where a parameter or an
  ///   observer is missing or of another shape; nothing has changed then.
  public func restore(
    _ network: Network, arithmetic: any Arithmetic = RealArithmetic(),
    observers: [any TrainingObserver] = []
  ) throws {
    let parameters = Self.kept(of: network, arithmetic)
    let names = Set(parameters.map(\.name))
    if let extra = values.keys.filter({ !names.contains($0) }).min() {
      throw LearningError.foreignCheckpoint(
        place: extra, expected: "no such parameter", found: "one")
    }
    for parameter in parameters {
      let shape = parameter.value.shape
      guard let value = values[parameter.name], value.shape == shape else {
        throw LearningError.foreignCheckpoint(
          place: parameter.name, expected: "a tensor of shape \(shape)",
          found: values[parameter.name].map { "one of \($0.shape)" } ?? "none")
      }
      if let mask = masks[parameter.name], mask.count != value.count {
        throw LearningError.foreignCheckpoint(
          place: "mask of \(parameter.name)", expected: "\(value.count) elements",
          found: "\(mask.count)")
      }
    }
    for observer in observers where self.observers[observer.name] == nil {
      throw LearningError.foreignCheckpoint(
        place: "observer \(observer.name)", expected: "its state", found: "none")
    }
    for parameter in parameters {
      guard let value = values[parameter.name] else { continue }
      parameter.mask = nil
      parameter.value = value
      parameter.mask = masks[parameter.name]
    }
    for observer in observers {
      if let state = self.observers[observer.name] { try observer.restore(state) }
    }
  }
}

/// What an observer keeps in checkpoints.
public struct ObserverState: Equatable, Sendable {
  /// Tensors by name.
  public var tensors: [String: Tensor]
  /// Short texts, such as JSON.
  public var notes: [String: String]

  /// A state of the given tensors and notes.
  public init(tensors: [String: Tensor] = [:], notes: [String: String] = [:]) {
    self.tensors = tensors
    self.notes = notes
  }
}

// MARK: File

extension Checkpoint {
  /// Writes the checkpoint; the file that was there stays intact until the new one is complete.
  public func write(to url: URL) throws {
    var file = TensorFile()
    var header = Header(
      position: position, notes: [:], bestNotes: [:], observers: [], hasBest: false)
    Self.add(network, prefix: "network/", to: &file)
    header.notes = network.observers.mapValues(\.notes)
    header.observers = network.observers.keys.sorted()
    if let best {
      header.hasBest = true
      header.bestNotes = best.observers.mapValues(\.notes)
      Self.add(best, prefix: "best/", to: &file)
    }
    for (name, tensor) in moments.sorted(by: { $0.key < $1.key }) {
      file.tensors.append((name: "moments/" + name, tensor: tensor))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    file.metadata = try encoder.encode(header)
    try DurableFile.write(file.encoded(), to: url)
  }

  /// Reads a checkpoint; throws ``LearningError`` where the file is truncated, altered or another.
  public init(contentsOf url: URL) throws {
    try self.init(DurableFile.read(url), place: url.path)
  }

  /// Reads a checkpoint's bytes; `place` names them in errors.
  public init(_ bytes: Data, place: String) throws {
    let file = try TensorFile(bytes, place: place)
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let header = try? decoder.decode(Header.self, from: file.metadata) else {
      throw LearningError.damagedCheckpoint(
        place: place, expected: "a header with the position of training", found: "another")
    }
    position = header.position
    moments = file.tensors(below: "moments/")
    network = Self.snapshot(file, "network/", header.observers, header.notes)
    best = header.hasBest ? Self.snapshot(file, "best/", header.observers, header.bestNotes) : nil
  }

  private struct Header: Codable {
    var position: Position
    var notes: [String: [String: String]]
    var bestNotes: [String: [String: String]]
    var observers: [String]
    var hasBest: Bool
  }

  private static func add(_ snapshot: NetworkSnapshot, prefix: String, to file: inout TensorFile) {
    func add(_ tensors: [String: Tensor], _ folder: String) {
      for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
        file.tensors.append((name: prefix + folder + name, tensor: tensor))
      }
    }
    add(snapshot.values, "values/")
    add(snapshot.masks, "masks/")
    for (name, state) in snapshot.observers.sorted(by: { $0.key < $1.key }) {
      add(state.tensors, "observers/\(name)/")
    }
  }

  private static func snapshot(
    _ file: TensorFile, _ prefix: String, _ observers: [String], _ notes: [String: [String: String]]
  ) -> NetworkSnapshot {
    var states: [String: ObserverState] = [:]
    for name in observers {
      states[name] = ObserverState(
        tensors: file.tensors(below: "\(prefix)observers/\(name)/"), notes: notes[name] ?? [:])
    }
    return NetworkSnapshot(
      values: file.tensors(below: prefix + "values/"),
      masks: file.tensors(below: prefix + "masks/"),
      observers: states)
  }
}
