import Foundation
import Tensors

/// A shape whose edge is known by its signed distance, in units of its radius.
enum ShapeOutline: CaseIterable {
  case square, triangle, bar, cross, star, disc, ring

  /// The outlines that look different when turned.
  static let turning: [ShapeOutline] = [.square, .triangle, .bar, .cross, .star]

  /// The radius, relative to the nominal one, of a circle that holds the whole shape.
  static let reach: Float = 1.15

  /// A distance to the edge of the shape of nominal `radius`, negative inside; (u, v) in the
  /// shape's own axes. Exact at flat edges, a lower bound outside corners.
  @inline(__always)
  func distance(u: Float, v: Float, radius: Float) -> Float {
    switch self {
    case .square: return max(abs(u), abs(v)) - 0.8 * radius
    case .triangle: return Self.triangle(u, v) - 0.55 * radius
    case .bar: return max(abs(u) - radius, abs(v) - 0.3 * radius)
    case .cross:
      let flat = max(abs(u) - radius, abs(v) - 0.3 * radius)
      let upright = max(abs(v) - radius, abs(u) - 0.3 * radius)
      return min(flat, upright)
    case .star: return min(Self.triangle(u, v), Self.triangle(-u, -v)) - 0.55 * radius
    case .disc: return (u * u + v * v).squareRoot() - radius
    case .ring: return abs((u * u + v * v).squareRoot() - 0.75 * radius) - 0.25 * radius
    }
  }

  /// The largest of the distances along the three normals of an equilateral triangle.
  @inline(__always)
  private static func triangle(_ u: Float, _ v: Float) -> Float {
    max(v, abs(u) * 0.8660254 - v * 0.5)
  }
}

/// One shape that moves, turns or grows at a constant rate, seen on a uniform ground.
///
/// The state at time t is the middle state plus the rate times (t - half the duration). Negating
/// every rate therefore plays the scene backwards, and negating the contrast as well turns every ON
/// event of the reversed scene into the OFF event of the original: opposite motions leave the same
/// image once time is summed away.
struct MotionScene: LuminanceScene {
  /// Position, angle and radius, or their rates per duration.
  struct Placement {
    var x: Float = 0
    var y: Float = 0
    var angle: Float = 0
    var radius: Float = 0
  }

  let width: Int
  let height: Int
  let durationMicroseconds: Int
  var outline: ShapeOutline
  var middle: Placement
  var change: Placement
  /// Log luminance of the shape minus that of the ground.
  var logContrast: Float
  private var covered = PixelRegion(columns: 0..<0, rows: 0..<0)

  init(
    width: Int, height: Int, durationMicroseconds: Int, outline: ShapeOutline, middle: Placement,
    change: Placement, logContrast: Float
  ) {
    self.width = width
    self.height = height
    self.durationMicroseconds = durationMicroseconds
    self.outline = outline
    self.middle = middle
    self.change = change
    self.logContrast = logContrast
  }

  /// Renders by coverage: an edge pixel's log luminance is the mean of ground and shape weighted by
  /// the part of the pixel's width that the shape covers. Mixing logarithms rather than luminance
  /// keeps bright and dark shapes exact mirror images of each other.
  mutating func render(atMicroseconds microseconds: Int, into image: inout [Float]) -> PixelRegion {
    let phase = Float(microseconds) / Float(durationMicroseconds) - 0.5
    let x0 = middle.x + change.x * phase
    let y0 = middle.y + change.y * phase
    let radius = middle.radius + change.radius * phase
    let angle = Double(middle.angle + change.angle * phase)
    let cosine = Float(cos(angle))
    let sine = Float(sin(angle))
    let region = pixels(aroundX: x0, y: y0, reach: ShapeOutline.reach * radius + 1)
    let changed = union(region, covered)
    covered = region
    for y in changed.rows {
      let dy = Float(y) - y0
      for x in changed.columns {
        let dx = Float(x) - x0
        let distance = outline.distance(
          u: cosine * dx + sine * dy, v: cosine * dy - sine * dx, radius: radius)
        image[y * width + x] = logContrast * min(max(0.5 - distance, 0), 1)
      }
    }
    return changed
  }

  private func pixels(aroundX x: Float, y: Float, reach: Float) -> PixelRegion {
    func clip(_ centre: Float, _ side: Int) -> Range<Int> {
      let low = min(max(Int((centre - reach).rounded(.down)), 0), side)
      let high = min(max(Int((centre + reach).rounded(.up)) + 1, 0), side)
      return low..<max(low, high)
    }
    return PixelRegion(columns: clip(x, width), rows: clip(y, height))
  }

  private func union(_ a: PixelRegion, _ b: PixelRegion) -> PixelRegion {
    guard !b.columns.isEmpty && !b.rows.isEmpty else { return a }
    guard !a.columns.isEmpty && !a.rows.isEmpty else { return b }
    return PixelRegion(
      columns: min(
        a.columns.lowerBound, b.columns.lowerBound)..<max(
          a.columns.upperBound, b.columns.upperBound),
      rows: min(a.rows.lowerBound, b.rows.lowerBound)..<max(a.rows.upperBound, b.rows.upperBound))
  }
}
