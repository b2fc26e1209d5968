import NIOCore
import Transport

/// What a request, or the opening of a WebSocket, asks of Engine.IO.
struct EngineRequest: Equatable {
  enum Carrier: Equatable { case polling, webSocket }

  let revision: Revision
  let carrier: Carrier
  /// The session that it is for; nil for a new one.
  let sessionID: String?

  init(_ head: RequestHead) throws(EngineRefusal) {
    var revision: Revision?
    var carrier: Carrier?
    var session: String?
    for parameter in head.query.split(separator: "&") {
      let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      switch parts[0] {
      case "EIO": revision = parts[1] == "3" ? .three : parts[1] == "4" ? .four : nil
      case "transport":
        carrier = parts[1] == "polling" ? .polling : parts[1] == "websocket" ? .webSocket : nil
      case "sid": session = String(parts[1])
      // Scripts that are loaded from elsewhere: no browser needs them any more.
      case "j": throw .badRequest("JSONP is not served")
      default: continue
      }
    }
    guard let carrier else { throw .unknownTransport }
    guard let revision else { throw .unsupportedVersion }
    self.revision = revision
    self.carrier = carrier
    sessionID = session
  }

  /// Whether a request speaks Engine.IO: its parameters say so wherever it goes.
  static func isMeant(by head: RequestHead) -> Bool {
    head.query.split(separator: "&").contains { $0.hasPrefix("EIO=") || $0.hasPrefix("transport=") }
  }
}

/// Why a request is not served, with the numbers that clients know.
enum EngineRefusal: Error, Equatable {
  case unknownTransport
  case unknownSession
  case badHandshakeMethod
  case badRequest(String?)
  case unsupportedVersion
  /// No more sessions are begun for now.
  case full

  static let badRequest = EngineRefusal.badRequest(nil)

  var status: Int { self == .full ? 503 : 400 }

  private var code: Int {
    switch self {
    case .unknownTransport: 0
    case .unknownSession: 1
    case .badHandshakeMethod: 2
    case .badRequest: 3
    case .full: 4
    case .unsupportedVersion: 5
    }
  }

  /// What it is called.
  var message: String {
    switch self {
    case .unknownTransport: "Transport unknown"
    case .unknownSession: "Session ID unknown"
    case .badHandshakeMethod: "Bad handshake method"
    case .badRequest(let reason): "Bad request" + (reason.map { ": \($0)" } ?? "")
    case .full: "Too many sessions, try again later"
    case .unsupportedVersion: "Unsupported protocol version"
    }
  }

  /// The body of the answer. Nothing in it comes from the client.
  var text: String { #"{"code":\#(code),"message":"\#(message)"}"# }
}
