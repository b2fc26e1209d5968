package import Transport

/// In what the clients of one protocol differ from those of another that speaks the same messages.
///
/// Wilddog's clients send and take the requests, replies and pushes of Firebase's. They want numbers with
/// refusals besides, and a priority of nothing to be an error.
package struct SessionManners: Sendable {
  /// The version of the protocol that the first message names.
  let version: StaticString
  /// Why there is no database, as its client says it to developers.
  let unknownDatabase: String
  /// A priority can only be set where there is a value.
  let needsValueForPriority: Bool
  /// Clients sign their user out when a credential has run out, and for no other reason.
  let endsSignInByExpiryOnly: Bool
  /// Refusals carry a number.
  let numbersRefusals: Bool

  package static let firebase = SessionManners(
    version: "5", unknownDatabase: FirebaseText.unknownDatabase, needsValueForPriority: false,
    endsSignInByExpiryOnly: false, numbersRefusals: false)

  package static let wilddog = SessionManners(
    version: "1.0", unknownDatabase: FirebaseText.unknownApp, needsValueForPriority: true,
    endsSignInByExpiryOnly: true, numbersRefusals: true)

  /// The number of a refusal; nil for clients that want none, and where there is none to fit.
  func code(of refusal: Refusal) -> Int64? {
    numbersRefusals ? WilddogCode(refusal)?.rawValue : nil
  }
}

/// The numbers by which Wilddog's clients tell errors apart.
enum WilddogCode: Int64 {
  case failed = 26001
  case busy = 26002
  case unavailable = 26003
  case permissionDenied = 26101
  case readTooLarge = 26104
  case leafTooLarge = 26105
  case pathTooLong = 26106
  case transactionStale = 26201
  case priorityOfNothing = 26301
  case tokenExpired = 26801
  case tokenInvalid = 26802

  init?(_ refusal: Refusal) {
    switch refusal.status {
    case .ok: return nil
    case .permissionDenied: self = .permissionDenied
    case .dataStale: self = .transactionStale
    case .tooBig:
      switch refusal.text {
      case FirebaseText.stringTooLong: self = .leafTooLarge
      case FirebaseText.messageTooBig: self = .failed
      default: self = .readTooLarge
      }
    case .unavailable: self = refusal.text == FirebaseText.overloaded ? .busy : .unavailable
    case .invalidToken: self = .tokenInvalid
    case .expiredToken: self = .tokenExpired
    case .invalidParameters:
      let isTooLong = refusal.text == FirebaseText.tooDeep || refusal.text == FirebaseText.keyTooLong
      self = isTooLong ? .pathTooLong : .failed
    case .failure: self = refusal.text == FirebaseText.priorityOfNothing ? .priorityOfNothing : .failed
    }
  }
}

extension FirebaseServices {
  /// The handler of one client that speaks Wilddog's protocol, whatever carries its messages.
  package func wilddogHandler(for head: RequestHead) -> any MessageHandler {
    FirebaseConnection(services: self, head: head, manners: .wilddog)
  }
}
