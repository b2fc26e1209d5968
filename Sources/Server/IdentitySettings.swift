import Foundation
import Identity

/// Somebody who is trusted to say who users are.
package struct ProviderSettings: Sendable, Equatable, Codable {
  /// What its tokens have as `iss`.
  package var issuer: String
  /// One of these must be in `aud`.
  package var audiences: [String]
  /// The address or the file of its JWK set.
  package var keys: String
  /// The databases that it is trusted for; without it all.
  package var databases: [String]?

  package init(issuer: String, audiences: [String], keys: String, databases: [String]? = nil) {
    self.issuer = issuer
    self.audiences = audiences
    self.keys = keys
    self.databases = databases
  }

  /// Firebase Auth's own, for one project.
  package static func firebase(project: String) -> ProviderSettings {
    ProviderSettings(
      issuer: "https://securetoken.google.com/\(project)", audiences: [project],
      keys: "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com")
  }

  /// Reads a file with a list of these as JSON.
  package static func read(file: String) throws(ServerError) -> [ProviderSettings] {
    let advice = """
      It is JSON: [{"issuer": "https://id.example.com", "audiences": ["app"], \
      "keys": "https://id.example.com/jwks.json"}]
      """
    guard let data = FileManager.default.contents(atPath: file) else {
      throw ServerError("can't read \(file)", advice: advice)
    }
    let providers: [ProviderSettings]
    do {
      providers = try JSONDecoder().decode([ProviderSettings].self, from: data)
    } catch {
      throw ServerError("\(file) is no list of identity providers", advice: advice)
    }
    for provider in providers where provider.issuer.isEmpty || provider.audiences.isEmpty {
      throw ServerError("\(file): a provider needs an issuer and an audience", advice: advice)
    }
    for provider in providers where !provider.isSafe {
      throw ServerError(
        "\(file): keys from \(provider.keys) could be exchanged on the way",
        advice: "Use https://, or http:// on this machine only, or a file.")
    }
    return providers
  }
}

extension ProviderSettings {
  /// Whether nobody on the way can put in other keys.
  private var isSafe: Bool {
    guard keys.hasPrefix("http://") else { return true }
    let host = URLComponents(string: keys)?.host ?? ""
    return host == "localhost" || host == "[::1]" || host.hasPrefix("127.")
  }
}

extension Configuration {
  /// Takes the ways to sign in from a list with commas; `none` is none.
  package mutating func allowSignIn(_ list: String) throws(ServerError) {
    var methods: Set<SignInMethod> = []
    for name in list.split(separator: ",") where list != "none" {
      let name = name.trimmingCharacters(in: .whitespaces)
      guard let method = SignInMethod(rawValue: name) else {
        let all = SignInMethod.allCases.map(\.rawValue).joined(separator: ", ")
        throw ServerError("`\(name)` is no way to sign in", advice: "There are: \(all).")
      }
      methods.insert(method)
    }
    signInMethods = methods
  }
}

/// The operator's mini-program at WeChat.
package struct WeChatSettings: Sendable, Equatable {
  package var appID: String
  package var secret: String
  package var base: String

  package init(appID: String, secret: String, base: String = "https://api.weixin.qq.com") {
    self.appID = appID
    self.secret = secret
    self.base = base
  }
}
