import Foundation
import Learning
import Spiking
import Synchronization
import Tensors
import Testing

@Suite struct TrainingLoopTests {
  private func loop(_ recipe: Recipe, _ source: ToyTask = ToyTask()) throws -> TrainingLoop {
    TrainingLoop(
      network: try ToyTask.network(recipe), stage: TrainingStage(recipe, index: 0), source: source)
  }

  @Test func learnsTheToyTask() throws {
    var loop = try loop(ToyTask.recipe("stages.0.epochs=6", "calibration.scale=0.3"))
    let reports = try ThresholdCalibration().run(
      loop.network, on: ToyTask().trainingBatch(epoch: 0, index: 0))
    #expect(reports.allSatisfy { !$0.isSilent })
    var progress: [TrainingProgress] = []
    loop.onProgress = { progress.append($0) }
    let result = try loop.run()
    let best = try #require(result.best)
    #expect(result.isFinished && result.epochs.count == 6)
    #expect(best.validation.accuracy > 0.95)
    #expect(best.validation.samples == 32 && best.step == (best.epoch + 1) * 8)
    #expect(best.validation.accuracy == result.epochs.map(\.validation.accuracy).max())
    // The network is the best epoch's.
    let again = Validation(loss: loop.stage.loss, shardSize: 4).run(loop.network, batches: 2) {
      ToyTask().validationBatch($0)
    }
    #expect(again == best.validation)
    #expect(progress.count >= 6 && progress.last?.batch == 8)
    #expect(progress.last?.rates.map(\.layer) == ["conv1", "dense2"])
    #expect(progress.last?.secondsLeft == 0 && (progress.last?.samplesPerSecond ?? 0) > 0)
  }

  @Test(arguments: ["adam", "adamW", "sgd"])
  func resultsDoNotDependOnThreads(_ kind: String) throws {
    let recipe = try ToyTask.recipe("stages.0.optimizer.kind=\(kind)", "stages.0.epochs=2")
    let bits = try [1, 2, 3].map { threads in
      var loop = try loop(recipe)
      loop.threads = threads
      _ = try loop.run()
      return loop.network.bits
    }
    #expect(bits[0] == bits[1] && bits[0] == bits[2])
  }

  /// Stopped after every possible step, at the ends of epochs and within them.
  @Test(arguments: ["adam", "sgd"])
  func continuationIsBitIdentical(_ kind: String) throws {
    let recipe = try ToyTask.recipe("stages.0.optimizer.kind=\(kind)")
    let source = ToyTask(trainingBatchCount: 4)
    var straight = try loop(recipe, source)
    let folder = try TemporaryFolder()
    straight.checkpoints = folder.plan
    let expected = try straight.run()
    let last = try Checkpoint(contentsOf: folder.plan.last)
    for stop in 1...16 {
      let folder = try TemporaryFolder()
      var first = try loop(recipe, source)
      first.checkpoints = folder.plan
      var steps = 0
      first.shouldStop = {
        steps += 1
        return steps == stop
      }
      #expect(try !first.run().isFinished)
      var second = try loop(recipe, source)
      second.checkpoints = folder.plan
      second.threads = 1 + stop % 2
      // A network that was touched in between is brought back in full.
      for parameter in second.network.parameters { parameter.value.apply { $0 + 1 } }
      let result = try second.run(resuming: Checkpoint(contentsOf: folder.plan.last))
      #expect(second.network.bits == straight.network.bits, "stopped after step \(stop)")
      #expect(result.best?.epoch == expected.best?.epoch)
      let end = try Checkpoint(contentsOf: folder.plan.last)
      #expect(end.moments == last.moments, "stopped after step \(stop)")
      #expect(end.position.isFinished && result.isFinished)
      #expect(end.position.epochs.map(\.trainingLoss) == last.position.epochs.map(\.trainingLoss))
    }
  }

  @Test func finishedStageIsNotTrainedAgain() throws {
    let recipe = try ToyTask.recipe("stages.0.epochs=1")
    let folder = try TemporaryFolder()
    var first = try loop(recipe)
    first.checkpoints = folder.plan
    let result = try first.run()
    var second = try loop(recipe)
    second.checkpoints = folder.plan
    second.shouldStop = {
      Issue.record("a step was made")
      return true
    }
    let again = try second.run(resuming: Checkpoint(contentsOf: folder.plan.last))
    #expect(again.best == result.best && second.network.bits == first.network.bits)
  }

  @Test func checkpointsOfOtherRunsAreRefused() throws {
    let recipe = try ToyTask.recipe("stages.0.epochs=1")
    let folder = try TemporaryFolder()
    var first = try loop(recipe)
    first.checkpoints = folder.plan
    _ = try first.run()
    let checkpoint = try Checkpoint(contentsOf: folder.plan.last)
    for override in [
      "seed=2", "stages.0.name=other", "network.architecture=8-2", "network.threshold=layer",
      "stages.0.optimizer.kind=sgd",
    ] {
      let other = try loop(ToyTask.recipe("stages.0.epochs=1", override))
      #expect(throws: LearningError.self, "\(override)") {
        _ = try other.run(resuming: checkpoint)
      }
    }
  }

  // MARK: Observers

  private final class Pruner: TrainingObserver {
    let name = "pruner"
    var steps: [Int] = []
    var total = 0
    var restored: ObserverState?
    /// Epochs before this one are not eligible.
    var firstEligible = 0

    func willBeginStage(_ network: Network, steps: Int, stepsPerEpoch: Int) { total = steps }

    func didStep(_ step: Int, of total: Int, _ network: Network) {
      steps.append(step)
      guard step == 3, let weight = network.parameters.first(where: { $0.role == .weight }) else {
        return
      }
      weight.mask = Tensor(
        weight.value.shape, (0..<weight.value.count).map { $0 % 2 == 0 ? 1 : 0 })
    }

    func isEligible(epoch: Int) -> Bool { epoch >= firstEligible }

    func state() -> ObserverState {
      ObserverState(
        tensors: ["level": Tensor([1], filledWith: Float(steps.count))], notes: ["kind": "test"])
    }

    func restore(_ state: ObserverState) { restored = state }
  }

  @Test func observersSeeEveryStepAndDecideEligibility() throws {
    var loop = try loop(ToyTask.recipe())
    let pruner = Pruner()
    pruner.firstEligible = 3
    loop.observers = [pruner]
    let folder = try TemporaryFolder()
    loop.checkpoints = folder.plan
    let result = try loop.run()
    #expect(pruner.steps == Array(1...32) && pruner.total == 32)
    #expect(result.best?.epoch == 3)
    #expect(result.epochs.map(\.isEligible) == [false, false, false, true])
    let pruned = loop.network.projections[0].weight
    #expect(pruned.value.elements.enumerated().allSatisfy { $0.offset % 2 == 0 || $0.element == 0 })
    #expect(abs(loop.network.sparsity - (result.best?.sparsity ?? 0)) < 1e-12)
    #expect(loop.network.sparsity > 0)
    // Masks and the observer's state are in the checkpoint.
    let other = try self.loop(ToyTask.recipe())
    var continued = other
    let fresh = Pruner()
    continued.observers = [fresh]
    _ = try continued.run(
      resuming: Checkpoint(
        contentsOf: folder.plan.best.deletingLastPathComponent().appendingPathComponent("last.ckpt")
      ))
    #expect(fresh.restored?.notes == ["kind": "test"])
    #expect(fresh.restored?.tensors["level"]?.elements == [32])
    #expect(continued.network.projections[0].weight.mask == pruned.mask)
  }

  @Test func errorsOfTheSourceEndTraining() throws {
    struct Broken: BatchSource {
      struct Failure: Error {}
      var trainingBatchCount = 3
      var validationBatchCount = 0
      func trainingBatch(epoch: Int, index: Int) throws -> TrainingBatch {
        if index == 2 { throw Failure() }
        return ToyTask().trainingBatch(epoch: epoch, index: index)
      }
      func validationBatch(_ index: Int) throws -> TrainingBatch { throw Failure() }
    }
    let recipe = try ToyTask.recipe()
    let loop = TrainingLoop(
      network: try ToyTask.network(recipe), stage: TrainingStage(recipe, index: 0),
      source: Broken())
    #expect(throws: Broken.Failure.self) { _ = try loop.run() }
  }

  // MARK: Divergence

  @Test func infiniteCurrentsStopTrainingAndNameTheLayer() throws {
    let recipe = try ToyTask.recipe()
    let folder = try TemporaryFolder()
    var loop = try loop(recipe)
    loop.checkpoints = folder.plan
    final class Breaker: TrainingObserver {
      let name = "breaker"
      func didStep(_ step: Int, of total: Int, _ network: Network) {
        // Half the largest number: finite, but two of them are not.
        if step == 12 { network.projections[1].weight.value.apply { _ in 2e38 } }
        if step == 12 { network.populations[1].threshold?.value.apply { _ in 0.01 } }
        if step == 12 { network.populations[0].threshold?.value.apply { _ in 0.01 } }
        if step == 12 { network.projections[0].weight.value.apply { abs($0) + 1 } }
      }
    }
    loop.observers = [Breaker()]
    do {
      _ = try loop.run()
      Issue.record("training went on")
    } catch LearningError.diverged(let place, let quantity, let stage, let epoch, let batch) {
      #expect(place == "dense2" && quantity == "input current" && stage == "float")
      #expect(epoch == 2 && batch == 5)
    }
    let kept = try Checkpoint(contentsOf: folder.plan.last)
    #expect(kept.position.epoch == 1 && kept.position.step == 8)
    #expect(kept.network.values.values.allSatisfy { $0.isFinite })
  }

  @Test func parametersThatAreNotNumbersAreNamed() throws {
    let loop = try loop(ToyTask.recipe())
    loop.network.populations[1].threshold?.value[0] = .nan
    loop.network.projections[1].weight.value.apply { _ in .nan }
    #expect {
      _ = try loop.run()
    } throws: { error in
      "\(error)".contains("dense2.weight") && "\(error)".contains("epoch 1, batch 1")
    }
  }

  @Test func unknownLayersOfActivityAreRefused() throws {
    let loop = try loop(ToyTask.recipe("stages.0.activity.layers.conv9=0.1"))
    #expect {
      _ = try loop.run()
    } throws: { "\($0)".contains("conv1, dense2") }
  }
}
