import Foundation
import Testing

@testable import Datasets

@Suite struct AugmentationTests {
  private func decode(_ text: String) throws -> Augmentation {
    try JSONDecoder().decode(Augmentation.self, from: Data(text.utf8))
  }

  @Test func absentFieldsKeepTheirDefaults() throws {
    #expect(try decode("{}") == Augmentation())
    #expect(try decode("{}").isIdentity)
    var shifted = Augmentation()
    shifted.shiftPixels = 3
    #expect(try decode(#"{"shiftPixels": 3}"#) == shifted)
  }

  @Test func encodingIsReadBack() throws {
    var augmentation = Augmentation()
    augmentation.shiftPixels = 2
    augmentation.cutOutSide = 5
    augmentation.eventDropProbability = 0.25
    let bytes = try JSONEncoder().encode(augmentation)
    #expect(try JSONDecoder().decode(Augmentation.self, from: bytes) == augmentation)
  }

  @Test func unknownKeysAndValuesOutOfRangeAreRefused() {
    for text in [
      #"{"shift": 3}"#, #"{"shiftPixels": -1}"#, #"{"shiftPixels": 65}"#, #"{"cutOutSide": -2}"#,
      #"{"horizontalFlipProbability": 1.5}"#, #"{"eventDropProbability": -0.1}"#,
      #"{"timeJitterSteps": 100}"#,
    ] {
      #expect(throws: DatasetError.self, "\(text)") { try decode(text) }
    }
  }
}
