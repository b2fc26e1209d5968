import Engine
import Synchronization

@testable import Identity

/// Accounts over records in memory, with a clock that stands still, and others that answer at once.
final class AccountsRoom: Sendable {
  static let now: Int64 = 1_700_000_000

  final class RoomClock: Clock {
    let seconds = Mutex(AccountsRoom.now)
    /// Seconds that pass between any two looks at it.
    let secondsPerLook = Mutex<Int64>(0)

    func nowMilliseconds() -> Int64 {
      let step = secondsPerLook.withLock { $0 }
      return seconds.withLock { second in
        second += step
        return (second - step) * 1000
      }
    }
  }

  /// Codes that are good once, as WeChat's.
  final class WeChat: WeChatExchange {
    let codes = Mutex(["code-1": "open-1", "code-2": "open-2", "code-3": "open-1"])

    func session(code: String) async throws -> WeChatSession {
      guard let openID = codes.withLock({ $0.removeValue(forKey: code) }) else {
        throw AccountError.weChatRefused
      }
      return WeChatSession(openID: openID, unionID: nil, sessionKey: "key-of-\(openID)")
    }
  }

  final class Mailbox: MessageSender {
    let messages = Mutex<[AccountMessage]>([])

    func send(_ message: AccountMessage) { messages.withLock { $0.append(message) } }

    var last: AccountMessage? { messages.withLock { $0.last } }
  }

  let store = MemoryIdentityStore()
  let keyring = Keyring()
  let clock = RoomClock()
  let mailbox = Mailbox()
  let weChat = WeChat()
  let keys: OwnKeys
  let accounts: Accounts
  let call = SignInCall(database: "shop", address: "192.0.2.1")

  init(
    throttles: SignInThrottles = SignInThrottles(), methods: Set<SignInMethod> = Set(SignInMethod.allCases),
    isDevelopment: Bool = false
  ) async throws {
    keys = try await OwnKeys(store: store, keyring: keyring, nowSeconds: Self.now)
    accounts = Accounts(
      store: store, keys: keys, keyring: keyring, passwords: try PasswordHasher(cost: .cheap),
      throttles: throttles, clock: clock, weChat: weChat, messages: mailbox, methods: methods,
      isDevelopment: isDevelopment)
  }

  func pass(_ seconds: Int64) { clock.seconds.withLock { $0 += seconds } }

  func passAtEachLook(_ seconds: Int64) { clock.secondsPerLook.withLock { $0 = seconds } }

  var nowSeconds: Int64 { clock.seconds.withLock { $0 } }

  /// Who a token is for in a database, as a wire asks it.
  func caller(_ token: String, in database: String = "shop") throws -> Authentication {
    try ServerAuthenticator(secret: nil, isDevelopment: false, keyring: keyring, clock: clock)
      .authenticate(token, database: try DatabaseID(database), nowSeconds: nowSeconds).get()
  }
}
