import Testing
import Wiring

@testable import ModelFormat

@Suite struct SensorTests {
  private static func port(_ sensor: Sensor?, channels: Int = 2) -> InputPort {
    let (width, height) = sensor?.coarsened ?? (4, 3)
    return InputPort(
      name: "camera", shape: Shape(channels: channels, height: height, width: width),
      kind: .events(.once), sensor: sensor)
  }

  @Test func withoutASensorAddressesAreThePorts() {
    let port = Self.port(nil)
    #expect(port.index(x: 3, y: 2, polarity: 1) == 23)
    #expect(port.index(x: 4, y: 0, polarity: 0) == nil)
    #expect(port.index(x: 0, y: 0, polarity: 2) == nil)
  }

  @Test func aSensorIsCoarsened() {
    let port = Self.port(Sensor(width: 1280, height: 720, coarsening: 4))
    #expect(port.shape == Shape(channels: 2, height: 45, width: 80))
    #expect(port.index(x: 1279, y: 719, polarity: 1) == 45 * 80 * 2 - 1)
    #expect(port.index(x: 15, y: 15, polarity: 0) == 0)
    #expect(port.index(x: 1280, y: 0, polarity: 0) == nil)
    #expect(port.index(x: 0, y: 720, polarity: 0) == nil)
    #expect(port.index(x: 0, y: 0, polarity: 2) == nil)
  }

  @Test func polaritiesTakeTheirOrderOrOneChannel() {
    let turned = Sensor(width: 2, height: 1, polarity: .onOff)
    #expect(Self.port(turned).index(x: 1, y: 0, polarity: 1) == 2)
    #expect(Self.port(turned).index(x: 1, y: 0, polarity: 0) == 3)
    #expect(Self.port(turned, channels: 1).index(x: 1, y: 0, polarity: 0) == 1)
    #expect(Self.port(turned, channels: 1).index(x: 1, y: 0, polarity: 1) == 1)
  }
}
