import ModelFixtures
import ModelFormat
import Testing

@testable import ModelExport

/// How far membranes go, and that none is clamped where none can be.
@Suite struct MembraneReachTests {
  private func reach(
    _ lower: Int, _ upper: Int, leak: Int = 32768, threshold: Int = 10, initial: Int = 0,
    lif: Population.LIF = Population.LIF(threshold: 10), steps: Int = 100
  ) -> MembraneReach {
    MembraneReach(
      of: [.init(lower: lower, upper: upper, leak: leak, threshold: threshold, initial: initial)],
      as: lif, steps: steps)
  }

  @Test func subtractionKeepsMembranesLow() {
    // 10 does not fire (GREATER), then 10 + 7 does.
    let reach = reach(0, 7)
    #expect(reach.greatest == 17 && reach.least == 0)
  }

  @Test func sumsAboveTheThresholdPileUp() {
    // 12 fires and leaves 10 = f - 1 or 2; 10 + 12 leaves 12, 24 leaves 14, and so on.
    #expect(reach(0, 12, steps: 1).greatest == 12)
    #expect(reach(0, 12, steps: 2).greatest == 22)
    #expect(reach(0, 12, steps: 4).greatest == 26)
  }

  @Test func inhibitionAddsUpWithoutALeak() {
    #expect(reach(-5, 0, steps: 100).least == -500)
    // Half is lost each step: v = trunc(v / 2) - 5 rests at -9, since trunc(-9 / 2) = -4.
    #expect(reach(-5, 0, leak: 16384).least == -9)
  }

  @Test func initialMembranesCount() {
    #expect(reach(0, 1, initial: 500, steps: 1).greatest == 501)
    #expect(reach(0, 1, initial: 500, steps: 9).greatest == 501)
  }

  @Test func whatCannotFireIsNotReset() {
    let lif = Population.LIF(threshold: 1000, floor: 0)
    #expect(reach(-100, -100, threshold: 1000, initial: 500, lif: lif, steps: 3).least == 200)
  }

  @Test func clampingEndsTheReach() {
    let lif = Population.LIF(threshold: 10, floor: -20, ceiling: 15)
    let reach = reach(-7, 7, lif: lif)
    #expect(reach.greatest == 17 && reach.least == -27)
    #expect(!reach.stays(within: lif) && reach.canClampFast)
  }

  @Test func neuronsThatNeverFireBlockTheFastKernelOnlyAtTheCeiling() {
    let lif = Population.LIF(threshold: 100, floor: -100, ceiling: 50)
    #expect(!reach(0, 60, threshold: 100, lif: lif, steps: 1).canClampFast)
    #expect(reach(-200, 50, threshold: 100, lif: lif, steps: 1).canClampFast)
    let full = Population.LIF(threshold: 32767)
    #expect(reach(0, 32766, threshold: 32767, lif: full, steps: 1).canClampFast)
    #expect(!reach(0, 32767, threshold: 32767, lif: full, steps: 1).canClampFast)
  }

  @Test func everyInputOfASmallNeuronStaysWithinReach() {
    for lower in -3...1 {
      for upper in lower...4 {
        for leak in [0, 20000, 32767, 32768] {
          for threshold in 1...3 {
            let reach = reach(lower, upper, leak: leak, threshold: threshold, steps: 5)
            var membranes: Set<Int> = [0]
            var (least, greatest) = (Int.max, Int.min)
            for _ in 0..<5 {
              var next: Set<Int> = []
              for v in membranes {
                for d in lower...upper {
                  let u = v * leak / 32768 + d
                  (least, greatest) = (min(least, u), max(greatest, u))
                  next.insert(u > threshold ? u - threshold : u)
                }
              }
              membranes = next
            }
            #expect(reach.least <= least && reach.greatest >= greatest)
            #expect(reach.greatest == greatest, "\(lower) \(upper) \(leak) \(threshold)")
          }
        }
      }
    }
  }

  @Test func modelsSaidToStayNeverSaturate() throws {
    var layers = 0
    for seed in 0..<600 as Range<UInt64> {
      var model = RandomModels.model(seed: seed)
      for index in model.inputs.indices {
        if case .events = model.inputs[index].kind { model.inputs[index].kind = .events(.once) }
      }
      model.maximumSteps = min(model.maximumSteps, 12)
      guard (try? model.validate()) != nil, let graph = try? DeviceGraph(model) else { continue }
      let quiet = graph.layers.filter { layer in
        guard case .lif(let lif) = model.populations[layer.population].kind,
          lif.reset == .subtract, lif.refractorySteps == 0
        else { return false }
        let neurons = layer.neurons(of: model.populations[layer.population], lif)
        return MembraneReach(of: neurons, as: lif, steps: model.maximumSteps).stays(within: lif)
      }
      if quiet.isEmpty { continue }
      layers += quiet.count
      var simulator = try ReferenceSimulator(model)
      for sample in 0..<3 as Range<UInt64> {
        let inference = try simulator.run(RandomModels.input(for: model, seed: 3 * seed + sample))
        for layer in quiet {
          #expect(
            inference.counters.populations[layer.population].saturations == 0, "seed \(seed)")
        }
      }
    }
    #expect(layers > 50, "\(layers)")
  }
}
