import Engine
import Identity

/// Tokens for the command line, which needs no server for them.
package enum TokenTool {
  /// A token made with a database's secret.
  package static func mint(
    secret: String, uid: String, claims: String?, isAdmin: Bool, seconds: Int64
  ) async throws(ServerError) -> String {
    do {
      return try await CustomTokenMinter.mint(
        secret: secret, uid: uid, claims: claims, isAdmin: isAdmin, seconds: seconds,
        nowSeconds: SystemClock().nowMilliseconds() / 1000)
    } catch CustomTokenMinter.Refusal.uid {
      throw ServerError("a uid has 1 to \(IdentityLimits.uidBytes) bytes", advice: "")
    } catch CustomTokenMinter.Refusal.claims {
      throw ServerError(
        "claims are a JSON object of at most \(IdentityLimits.claimsBytes) bytes",
        advice: #"Such as --claims '{"role":"editor"}'."#)
    } catch {
      throw ServerError(
        "this is no database's secret", advice: "`dhole db create` and `dhole secret add` print one, once.")
    }
  }

  /// What a token says, one line for each thing to know; nil for what is no token.
  package static func inspect(_ token: String, secret: String?) async -> (lines: [String], isGood: Bool)? {
    guard let found = await CustomTokenMinter.inspect(token, secret: secret) else { return nil }
    let now = SystemClock().nowMilliseconds() / 1000
    var lines = ["algorithm  \(found.algorithm)"]
    if let id = found.keyID { lines.append("key        \(id)") }
    lines.append("payload    \(found.payload)")
    if let issued = found.issuedAtSeconds { lines.append("issued     \(distance(issued, now))") }
    var isGood = found.isSigned ?? true
    if let end = found.expiresAtSeconds {
      lines.append("\(end > now ? "expires    " : "EXPIRED    ")\(distance(end, now))")
      if end <= now { isGood = false }
    }
    switch found.isSigned {
    case true?: lines.append("signature  by this secret")
    case false?: lines.append("signature  NOT by this secret")
    case nil: lines.append("signature  not checked: say --secret to check it")
    }
    return (lines, isGood)
  }

  private static func distance(_ second: Int64, _ now: Int64) -> String {
    let (difference, isHuge) = second.subtractingReportingOverflow(now)
    guard !isHuge else { return "beyond all times" }
    let seconds = difference.magnitude
    let text =
      switch seconds {
      case ..<120: "\(seconds) seconds"
      case ..<7200: "\(seconds / 60) minutes"
      case ..<172_800: "\(seconds / 3600) hours"
      default: "\(seconds / 86_400) days"
      }
    return difference < 0 ? "\(text) ago" : "in \(text)"
  }
}
