import Foundation
import ModelFixtures
import ModelFormat
import Testing

@Suite struct ModelFileTests {
  @Test func readingWhatWasWrittenGivesTheModel() throws {
    for seed in 0..<500 as Range<UInt64> {
      let model = RandomModels.model(seed: seed)
      let encoded = try ModelFile.encode(model)
      #expect(try ModelFile.decode(encoded.bytes) == model, "seed \(seed)")
    }
  }
}
