import Foundation
import TestMathematics
import Testing

@testable import Spiking

@Suite struct SurrogateTests {
  @Test func slopesAtTheThreshold() {
    #expect(Surrogate.triangular(scale: 0.3).slope(at: 0) == 0.3)
    #expect(Surrogate.arctan(sharpness: 2).slope(at: 0) == 1)
    #expect(Surrogate.fastSigmoid(sharpness: 25).slope(at: 0) == 1)
    #expect(Surrogate.rectangular(scale: 0.5, halfWidth: 1).slope(at: 0) == 0.5)
  }

  @Test func slopesByHand() {
    #expect(Surrogate.triangular(scale: 2).slope(at: -0.25) == 1.5)
    #expect(Surrogate.triangular(scale: 2).slope(at: 1.5) == 0)
    #expect(Surrogate.fastSigmoid(sharpness: 2).slope(at: 0.5) == 0.25)
    // (α/2) / (1 + (π/2·α·z)²) at z = 2/(π·α) is α/4; the argument rounds.
    #expect(abs(Surrogate.arctan(sharpness: 3).slope(at: 2 / (3 * Float.pi)) - 0.75) < 1e-6)
    #expect(Surrogate.rectangular(scale: 4, halfWidth: 0.5).slope(at: 0.5) == 0)
    #expect(Surrogate.rectangular(scale: 4, halfWidth: 0.5).slope(at: -0.49) == 4)
  }

  @Test(arguments: LIFBackwardTests.surrogates)
  func slopesAreSymmetricAndNeverNegative(_ surrogate: Surrogate) {
    for index in 0...300 {
      let z = Float(index) / 100
      let slope = surrogate.slope(at: z, elapsed: 2)
      #expect(slope >= 0 && slope == surrogate.slope(at: -z, elapsed: 2), "z = \(z)")
    }
  }

  @Test(arguments: LIFBackwardTests.surrogates)
  func slopesFollowTheirEquation(_ surrogate: Surrogate) {
    let points = (-40...40).map { Float($0) / 16 }
    let found = points.map { surrogate.slope(at: $0, elapsed: 3) }
    let expected = points.map { LIFReference.slope(surrogate, Double($0), elapsed: 3) }
    // A handful of roundings of 6e-8.
    #expect(relativeDifference(found, expected) < 1e-6)
  }

  @Test func spikeTimeDecaysWithTheStepsSinceTheSpike() {
    let surrogate = Surrogate.spikeTime(scale: 0.3, decay: 0.01)
    #expect(surrogate.slope(at: 0, elapsed: nil) == 0)
    #expect(surrogate.slope(at: 7, elapsed: 0) == 0.3)
    #expect(abs(surrogate.slope(at: 0, elapsed: 100) - 0.3 * exp(-1)) < 1e-7)
  }
}
