import Foundation
import Learning

/// The one line that shows how far training is: rewritten in place on a terminal, silent elsewhere.
final class ProgressLine {
  private let isTerminal = isatty(STDERR_FILENO) != 0
  private var width = 0

  func show(_ progress: TrainingProgress) {
    guard isTerminal else { return }
    let rates = progress.rates.map { String(format: "%@ %.3f", $0.layer, $0.rate) }
    let text = String(
      format:
        "%@ epoch %d/%d batch %d/%d  loss %.4f  accuracy %.2f %%  rates %@  %.0f samples/s  %@ left",
      progress.stage, progress.epoch + 1, progress.epochs, progress.batch, progress.batches,
      progress.loss, progress.accuracy * 100, rates.joined(separator: " "),
      progress.samplesPerSecond, Self.duration(progress.secondsLeft))
    rewrite(text)
  }

  /// Removes the line, so that other output starts on a clean one.
  func clear() {
    if isTerminal && width > 0 { rewrite("") }
  }

  private func rewrite(_ text: String) {
    let padding = String(repeating: " ", count: max(0, width - text.count))
    FileHandle.standardError.write(Data("\r\(text)\(padding)\r\(text)".utf8))
    width = text.count
  }

  /// Seconds as h:mm:ss or m:ss.
  static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    return whole >= 3600
      ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
      : String(format: "%d:%02d", whole / 60, whole % 60)
  }
}
