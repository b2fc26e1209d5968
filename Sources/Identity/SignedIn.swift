/// What a sign-in gives: who it is, a token for the database and one to renew it with.
package struct SignedIn: Sendable {
  package let account: Account
  package let idToken: String
  package let refreshToken: String
  package let expiresInSeconds: Int64
  /// The account was made by this call.
  package let isNew: Bool
  package let provider: String
}

/// Who calls, for throttling, and for which database.
package struct SignInCall: Sendable {
  package let database: String
  /// Where the caller is: what is throttled.
  package let address: String
  /// How long the tokens shall be good: longer for clients that can't renew them.
  package let tokenSeconds: Int64

  package init(
    database: String, address: String, tokenSeconds: Int64 = IdentityLimits.tokenSeconds
  ) {
    self.database = database
    self.address = Self.network(of: address)
    self.tokenSeconds = tokenSeconds
  }

  /// One subscriber has a whole /64 of version 6 addresses: it counts as one.
  static func network(of address: String) -> String {
    guard address.contains(":"), !address.contains(".") else { return address }
    let halves = Self.halves(address.prefix { $0 != "%" })
    var groups = halves[0].split(separator: ":").map(String.init)
    if halves.count > 1 {
      let tail = halves[1].split(separator: ":").map(String.init)
      groups += Array(repeating: "0", count: max(0, 8 - groups.count - tail.count)) + tail
    }
    return groups.prefix(4).joined(separator: ":") + "::/64"
  }

  /// What stands before and after the gap of zeros.
  private static func halves(_ address: Substring) -> [Substring] {
    var previous: Character?
    for place in address.indices {
      if address[place] == ":", previous == ":" {
        return [address[..<place].dropLast(), address[address.index(after: place)...]]
      }
      previous = address[place]
    }
    return [address]
  }
}

/// Asks WeChat who a mini-program's user is.
package protocol WeChatExchange: Sendable {
  /// The session of a code from `wx.login`, which is good once.
  func session(code: String) async throws -> WeChatSession
}

/// What WeChat says of a mini-program's user.
package struct WeChatSession: Sendable {
  package let openID: String
  /// The same for all apps of one operator, if there are several.
  package let unionID: String?
  package let sessionKey: String

  package init(openID: String, unionID: String?, sessionKey: String) {
    self.openID = openID
    self.unionID = unionID
    self.sessionKey = sessionKey
  }
}

/// Sends mail and SMS on behalf of accounts.
package protocol MessageSender: Sendable {
  /// Takes a message to send it soon; it does not wait, so that callers can't tell whether there was one.
  func send(_ message: AccountMessage)
}

/// A code for the owner of an address of mail or a phone number.
package struct AccountMessage: Sendable, Codable, Equatable {
  package enum Kind: String, Sendable, Codable {
    case verifyEmail = "VERIFY_EMAIL"
    case resetPassword = "PASSWORD_RESET"
    case verifyPhone = "PHONE_VERIFY"
    case resetPasswordByPhone = "PHONE_PASSWORD_RESET"
  }
  package let type: Kind
  package let database: String
  package var email: String?
  package var phoneNumber: String?
  package let code: String
  package let expiresInSeconds: Int64
}
