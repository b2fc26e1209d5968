import Crypto
import Foundation
import Identity
import Logging
import Synchronization

/// Hands codes for users to the operator's own service, which sends the mail or the SMS.
///
/// A POST of JSON, with `X-Dhole-Signature: sha256=` and the HMAC of the body in hexadecimal when there is a
/// secret. An answer of 2xx is success; anything else is tried again, three times in all.
final class Webhook: MessageSender {
  private static let queueLimit = 256
  private let url: String
  private let secret: String?
  private let http: OutboundHTTP
  private let logger: Logger
  private let pending = Mutex(0)

  init(url: String, secret: String?, http: OutboundHTTP, logger: Logger) {
    self.url = url
    self.secret = secret
    self.http = http
    self.logger = logger
  }

  func send(_ message: AccountMessage) {
    let isTaken = pending.withLock { pending in
      guard pending < Self.queueLimit else { return false }
      pending += 1
      return true
    }
    guard isTaken else {
      return logger.error("a message was dropped: too many wait", metadata: describe(message))
    }
    Task {
      await deliver(message)
      pending.withLock { $0 -= 1 }
    }
  }

  private func deliver(_ message: AccountMessage) async {
    for attempt in 1...3 {
      do {
        let body = Array(try JSONEncoder().encode(message))
        return try await http.post(url, json: body, headers: signature(body))
      } catch {
        var metadata = describe(message)
        metadata["error"] = "\(error)"
        metadata["attempt"] = "\(attempt)"
        logger.error("the auth webhook failed", metadata: metadata)
        try? await Task.sleep(for: .seconds(attempt))
      }
    }
  }

  private func signature(_ body: [UInt8]) -> [(String, String)] {
    guard let secret else { return [] }
    let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(secret.utf8)))
    let hex = code.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
    return [("X-Dhole-Signature", "sha256=\(hex)")]
  }

  private func describe(_ message: AccountMessage) -> Logger.Metadata {
    ["type": "\(message.type.rawValue)", "database": "\(message.database)"]
  }
}

/// In development codes are printed.
struct PrintedMessages: MessageSender {
  let logger: Logger

  func send(_ message: AccountMessage) {
    logger.notice(
      "a code for \(message.email ?? message.phoneNumber ?? "nobody"): \(message.code)",
      metadata: ["type": "\(message.type.rawValue)", "database": "\(message.database)"])
  }
}
