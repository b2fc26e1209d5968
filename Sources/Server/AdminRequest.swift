import Engine
import Foundation

/// What an operator asks of the server.
enum AdminRequest: Equatable {
  /// What can be done with a user.
  enum Measure: String {
    case signOut = "sign-out"
    case disable, enable, claims, password, delete
  }

  case listDatabases
  case create(DatabaseID)
  case delete(DatabaseID)
  case listSecrets(DatabaseID)
  case addSecret(DatabaseID)
  case revokeSecret(DatabaseID, String)
  case listServices(DatabaseID)
  case addService(DatabaseID)
  case revokeService(DatabaseID, String)
  case listUsers(DatabaseID)
  case addUser(DatabaseID)
  case showUser(DatabaseID, String)
  case user(DatabaseID, String, Measure)
  case rotateKeys
  case audit
  /// The methods that there are at this address.
  case unsupported(String)

  /// Nil when the address can't be one.
  init?(method: String, path: Substring) {
    guard path.hasPrefix("/.admin/"), path.hasSuffix(".json") else { return nil }
    let rest = path.dropFirst("/.admin/".count).dropLast(".json".count)
    let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
    switch (parts.first, parts.count) {
    case ("databases", 1): self = method == "GET" ? .listDatabases : .unsupported("GET")
    case ("audit", 1): self = method == "GET" ? .audit : .unsupported("GET")
    case ("keys", 2) where parts[1] == "rotate":
      self = method == "POST" ? .rotateKeys : .unsupported("POST")
    case ("databases", 2...):
      guard let id = try? DatabaseID(String(parts[1])) else { return nil }
      self.init(method, id, parts.dropFirst(2).map(String.init))
    default: return nil
    }
  }

  private init?(_ method: String, _ id: DatabaseID, _ parts: [String]) {
    switch (parts.first, parts.count, method) {
    case (nil, _, "PUT"): self = .create(id)
    case (nil, _, "DELETE"): self = .delete(id)
    case (nil, _, _): self = .unsupported("PUT and DELETE")
    case ("secrets", 1, "GET"): self = .listSecrets(id)
    case ("secrets", 1, "POST"): self = .addSecret(id)
    case ("secrets", 2, "DELETE"): self = .revokeSecret(id, parts[1])
    case ("service-accounts", 1, "GET"): self = .listServices(id)
    case ("service-accounts", 1, "POST"): self = .addService(id)
    case ("service-accounts", 2, "DELETE"): self = .revokeService(id, parts[1])
    case ("secrets", 1, _), ("service-accounts", 1, _): self = .unsupported("GET and POST")
    case ("secrets", 2, _), ("service-accounts", 2, _): self = .unsupported("DELETE")
    case ("users", 1, "GET"): self = .listUsers(id)
    case ("users", 1, "POST"): self = .addUser(id)
    case ("users", 1, _): self = .unsupported("GET and POST")
    case ("users", 2, _):
      guard let uid = parts[1].removingPercentEncoding else { return nil }
      self = method == "GET" ? .showUser(id, uid) : .unsupported("GET")
    case ("users", 3, _):
      guard let uid = parts[1].removingPercentEncoding, let measure = Measure(rawValue: parts[2]) else {
        return nil
      }
      self = method == "POST" ? .user(id, uid, measure) : .unsupported("POST")
    default: return nil
    }
  }

  var database: DatabaseID? {
    switch self {
    case .create(let id), .delete(let id), .listSecrets(let id), .addSecret(let id),
      .revokeSecret(let id, _), .listServices(let id), .addService(let id), .revokeService(let id, _),
      .user(let id, _, _), .listUsers(let id), .addUser(let id), .showUser(let id, _):
      id
    case .listDatabases, .rotateKeys, .audit, .unsupported: nil
    }
  }

  /// It is about something of a database that has to be there.
  var isBelowDatabase: Bool {
    switch self {
    case .create, .delete: false
    default: database != nil
    }
  }

  /// What the audit log calls it; nil when nothing is changed.
  var action: String? {
    switch self {
    case .create: "database.create"
    case .delete: "database.delete"
    case .addSecret: "secret.add"
    case .revokeSecret: "secret.revoke"
    case .addService: "service-account.add"
    case .revokeService: "service-account.revoke"
    case .addUser: "user.create"
    case .user(_, _, let measure): "user.\(measure.rawValue)"
    case .rotateKeys: "keys.rotate"
    case .listDatabases, .listSecrets, .listServices, .listUsers, .showUser, .audit, .unsupported: nil
    }
  }

  /// What it is done to.
  var subject: String? {
    switch self {
    case .revokeSecret(_, let id), .revokeService(_, let id): id
    case .user(_, let uid, _): uid
    default: nil
    }
  }
}
