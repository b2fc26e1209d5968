import JSONTree
import Server

/// Why a command could not do what it was asked, and what to do about it.
struct Failure: Error, Equatable {
  /// What the process exits with; the README lists these for scripts.
  enum Code: Int32 {
    case failed = 1
    case unreachable = 2
    case refused = 3
    case notFound = 4
    case conditionNotMet = 5
    case wrongInput = 6
    case serverFailed = 7
  }

  let code: Code
  let message: String
  /// The next thing to try; empty when the message says it all.
  let advice: String

  init(_ code: Code, _ message: String, advice: String = "") {
    self.code = code
    self.message = message
    self.advice = advice
  }

  /// Says it on standard error, for a person or for a script.
  func report(asJSON: Bool) {
    guard asJSON else {
      Terminal.errorLine("dhole: \(message)")
      if !advice.isEmpty { Terminal.errorLine("  \(advice)") }
      return
    }
    var line = Array(#"{"error":"#.utf8)
    JSONText.appendString(message, to: &line)
    line.append(contentsOf: #","code":\#(code.rawValue),"advice":"#.utf8)
    JSONText.appendString(advice, to: &line)
    line.append(UInt8(ascii: "}"))
    Terminal.errorLine(String(decoding: line, as: UTF8.self))
  }
}

extension Failure {
  /// What an answer other than success means for the one who asked.
  static func answered(status: Int, message: String, hasCredential: Bool) -> Failure {
    switch status {
    case 401, 403:
      let advice =
        hasCredential
        ? "The credential was not enough: pass the admin secret with --auth, or change the rules."
        : "Pass --auth SECRET (or set DHOLE_AUTH): the admin secret that the server printed at its first "
          + "start, or `owner` if it runs with --dev."
      return Failure(.refused, message, advice: advice)
    case 404:
      return Failure(
        .notFound, message, advice: "`dhole db list` shows what there is, `dhole db create NAME` makes one.")
    case 412:
      return Failure(.conditionNotMet, message)
    case 400, 405, 411, 413, 414, 422, 431:
      return Failure(.wrongInput, message)
    default:
      return Failure(
        .serverFailed, "\(message) (HTTP \(status))", advice: "The server's own log says more.")
    }
  }
}

extension Failure {
  /// The same as what the server's parts throw.
  init(rewording error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case let error as ServerError: self.init(.failed, error.message, advice: error.advice)
    default: self.init(.failed, "\(error)")
    }
  }

  static func rewording<R>(_ work: () async throws -> R) async throws(Failure) -> R {
    do { return try await work() } catch { throw Failure(rewording: error) }
  }
}
