import Foundation

/// Calls the endpoints of accounts as Firebase's and Wilddog's SDKs do.
struct AuthClient {
  let server: TestServer
  var key = "default"
  /// Whether it calls as Firebase's JavaScript SDKs before 9 do.
  var isOlder = false

  private static let olderNames = [
    "signUp": "signupNewUser", "signInWithPassword": "verifyPassword", "update": "setAccountInfo",
    "signInWithCustomToken": "verifyCustomToken", "lookup": "getAccountInfo", "delete": "deleteAccount",
    "sendOobCode": "getOobConfirmationCode",
  ]

  struct Failure: Error, Equatable {
    let status: Int
    let message: String
  }

  /// One call of the Identity Toolkit; throws what its SDKs would.
  func toolkit(_ name: String, _ body: [String: Any]) async throws -> [String: Any] {
    if isOlder {
      let older = Self.olderNames[name] ?? name
      return try await post(
        "/www.googleapis.com/identitytoolkit/v3/relyingparty/\(older)?key=\(key)", body)
    }
    return try await post("/identitytoolkit.googleapis.com/v1/accounts:\(name)?key=\(key)", body)
  }

  func refresh(_ token: String) async throws -> [String: Any] {
    try await post(
      "/securetoken.googleapis.com/v1/token?key=\(key)",
      ["grant_type": "refresh_token", "refresh_token": token])
  }

  private func post(_ target: String, _ body: [String: Any]) async throws -> [String: Any] {
    let text = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
    let answer = try await server.ask(.POST, target, body: text)
    let object = Self.object(answer.body)
    guard answer.status == 200 else {
      let error = object["error"] as? [String: Any]
      throw Failure(status: answer.status, message: error?["message"] as? String ?? answer.body)
    }
    return object
  }

  /// One call of Wilddog's SDK; the answer is always HTTP 200.
  func wilddog(_ name: String, _ body: [String: Any], app: String = "default") async throws -> [String: Any] {
    let text = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
    let answer = try await server.ask(.POST, "/v2/\(app)/auth/\(name)", body: text)
    guard answer.status == 200 else { throw Failure(status: answer.status, message: answer.body) }
    return Self.object(answer.body)
  }

  static func object(_ text: String) -> [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
  }
}

extension [String: Any] {
  func text(_ name: String) -> String { self[name] as? String ?? "" }
}
