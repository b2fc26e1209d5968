import Engine
import JSONTree
import Rules

/// A refusal: the status and the text that its JSON body carries.
package struct RESTError: Error, Equatable, Sendable {
  package let status: Int
  package let text: String
  /// Why the rules said no, for those who may be told.
  var explanation: String?

  init(_ status: Int, _ text: String) {
    self.status = status
    self.text = text
  }

  static func bad(_ text: String) -> RESTError { RESTError(400, text) }

  /// The address of no data: told in plain text, as people read it.
  static let hint = RESTError(404, RESTText.hint)
  static let unknownDatabase = RESTError(404, RESTText.unknownDatabase)
  static let denied = RESTError(401, RESTText.permissionDenied)
}

extension RESTError {
  init(_ error: DirectoryError, database: DatabaseID) {
    switch error {
    case .unknown: self = .unknownDatabase
    case .disabled: self.init(423, RESTText.disabled(database.name))
    case .failed: self.init(500, RESTText.unavailable)
    }
  }

  init(_ error: AuthenticationError) {
    self.init(401, error.reason == .expired ? RESTText.tokenExpired : RESTText.tokenInvalid)
  }

  init(_ error: EngineError, isRead: Bool) {
    switch error.reason {
    case .permissionDenied(let explanation):
      self = .denied
      self.explanation = explanation.map { "\($0.rule) at /\($0.path): \($0.reason)" }
    case .noIndex(let index, let path): self = .bad(RESTText.indexMissing(index, path: path.text))
    case .tooBig: self = .bad(isRead ? RESTText.readTooBig : RESTText.writeTooBig)
    case .invalid(let text): self = .bad(text)
    case .unavailable, .closed: self.init(503, RESTText.unavailable)
    case .overloaded: self.init(503, RESTText.overloaded)
    }
  }
}
