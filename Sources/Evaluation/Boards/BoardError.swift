/// Why a firmware could not be asked.
public enum BoardError: Error, Equatable, CustomStringConvertible {
  /// `targets/run` is not where the program was started nor above it.
  case noTargets(searched: String)
  /// There is no such board.
  case unknownBoard(String, known: [String])
  /// The firmware could not be built, or did not end.
  case failed(board: String, reason: String)
  /// A request was refused.
  case refused(request: String, status: Int)
  /// The answers are not what the wire format says.
  case garbled(String)

  /// What went wrong, in one line, and what to do where that helps.
  public var description: String {
    switch self {
    case .noTargets(let searched):
      "targets/run: expected in \(searched) or a folder above it, found none; run snn-check inside "
        + "the repository, or set SNN_TARGETS to its folder targets"
    case .unknownBoard(let name, let known):
      "--target: expected one of \(known.joined(separator: ", ")), or all, found '\(name)'"
    case .failed(let board, let reason): "\(board): \(reason)"
    case .refused(let request, let status):
      "the firmware refused request \(request) with status \(status) of snn/status.h"
    case .garbled(let what): "answers of the firmware: \(what)"
    }
  }
}
