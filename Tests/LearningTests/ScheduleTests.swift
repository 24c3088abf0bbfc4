import Learning
import Testing

@Suite struct ScheduleTests {
  @Test func cosineStartsAtThePeakAndEndsAtTheFraction() {
    let schedule = Schedule(.cosine(finalFraction: 0.1), peak: 2, totalSteps: 5)
    let rates = (0..<7).map { schedule.learningRate(at: $0) }
    // (1 + cos(k·π/4))/2 = 1, 0.853553, 0.5, 0.146447, 0; times 1.8, plus 0.2.
    let expected: [Float] = [2, 1.7363961, 1.1, 0.4636039, 0.2, 0.2, 0.2]
    for (rate, value) in zip(rates, expected) { #expect(abs(rate - value) < 1e-6) }
  }

  @Test func warmUpRisesLinearly() {
    let schedule = Schedule(.constant, peak: 1, warmupSteps: 4, totalSteps: 10)
    #expect((0..<6).map { schedule.learningRate(at: $0) } == [0.25, 0.5, 0.75, 1, 1, 1])
  }

  @Test func rateNeverRisesAfterWarmUp() {
    var stage = StageRecipe(name: "a")
    stage.epochs = 7
    stage.schedule.warmupEpochs = 1.5
    let schedule = Schedule(stage, stepsPerEpoch: 10)
    #expect(schedule.totalSteps == 70 && schedule.warmupSteps == 15)
    let rates = (0..<80).map { schedule.learningRate(at: $0) }
    for step in 15..<79 { #expect(rates[step + 1] <= rates[step]) }
    #expect(abs(rates[69] - 1e-5) < 1e-9)
  }

  @Test func scheduleOfWarmUpAloneStaysAtItsEnd() {
    let schedule = Schedule(
      .cosine(finalFraction: 0.5), peak: 1, warmupSteps: 3, totalSteps: 3)
    #expect(schedule.learningRate(at: 2) == 1)
  }
}
