import Tensors
import Testing
import Wiring

@testable import Spiking

@Suite struct ArchitectureTests {
  @Test func tokensBecomeStages() throws {
    let stages = try Architecture("16C3-P2-32C5s2p1-8C1p0-128-10").stages
    #expect(stages.map(\.pool) == [1, 2, 1, 1, 1])
    #expect(stages.map(\.token) == ["16C3", "32C5s2p1", "8C1p0", "128", "10"])
    #expect(
      stages.map(\.topology) == [
        .convolution(Convolution(kernel: 3, padding: 1)),
        .convolution(Convolution(kernel: 5, stride: 2, padding: 1)),
        .convolution(Convolution(kernel: 1)), .dense, .dense,
      ])
    #expect(stages.map(\.outputs) == [16, 32, 8, 128, 10])
  }

  @Test func paddingKeepsTheExtentUnlessGiven() throws {
    let architecture = try Architecture("4C5s2-10")
    #expect(
      architecture.stages[0].topology
        == .convolution(Convolution(kernel: 5, stride: 2, padding: 2)))
  }

  @Test(arguments: ["128-10", "P2-64-10", "1C1-1", "8C31s16p30-2", "65536-2", "16C3-P16-10"])
  func goodArchitecturesAreReadAndPrintedAsWritten(_ text: String) throws {
    #expect(try Architecture(text).description == text)
  }

  @Test(arguments: [
    ("", ""), ("-10", ""), ("16C3-", ""), ("16C-10", "16C"), ("C3-10", "C3"), ("16c3-10", "16c3"),
    ("0-10", "0"), ("65537-10", "65537"), ("16C0-10", "16C0"), ("16C32-10", "16C32"),
    ("16C3s-10", "16C3s"), ("16C3s0-10", "16C3s0"), ("16C3s17-10", "16C3s17"),
    ("16C3p31-10", "16C3p31"), ("16C3p1s2-10", "16C3p1s2"), ("16C3x-10", "16C3x"),
    ("16 -10", "16 "), ("P1-16-10", "P1"), ("P17-16-10", "P17"), ("P-16-10", "P"),
    ("16C3-P2-P2-10", "P2"), ("½-10", "½"), ("99999999999999999999-10", "99999999999999999999"),
  ])
  func aTokenThatIsNoLayerIsNamed(text: String, token: String) {
    #expect(throws: ArchitectureError.malformed(token: token, architecture: text)) {
      try Architecture(text)
    }
  }

  @Test func aSignIsNoPartOfAPool() {
    #expect(throws: ArchitectureError.malformed(token: "P+2", architecture: "P+2-16-10")) {
      try Architecture("P+2-16-10")
    }
  }

  @Test(arguments: ["10", "16C3", "16-10-P2", "16-8C3", "P2-10"])
  func anArchitectureWithoutReadoutIsRefused(_ text: String) {
    #expect(throws: ArchitectureError.noReadout(architecture: text)) { try Architecture(text) }
  }

  @Test func messagesNamePlaceAndRemedy() {
    #expect(
      ArchitectureError.malformed(token: "16X", architecture: "16X-10").description
        == "architecture 16X-10: '16X' is no layer; expected a convolution such as 16C3 or "
        + "16C3s2p1, a pool such as P2, or a number of neurons")
    #expect(
      ArchitectureError.noReadout(architecture: "10").description
        == "architecture 10: expected at least one spiking layer and a dense read-out at the end, "
        + "such as 16C3-P2-10")
    #expect(
      ArchitectureError.doesNotFit(
        token: "P4", source: Shape(channels: 2, height: 3, width: 3)
      )
      .description == "architecture: 'P4' does not fit an input of 2×3×3")
    #expect(
      ArchitectureError.classes(expected: 10, found: 4).description
        == "architecture: the read-out has 4 neurons, but the data set has 10 classes")
  }
}
