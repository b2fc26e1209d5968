import Engine
package import Transport

/// How the database of a connection is found.
package struct DatabaseNaming: Sendable, Hashable {
  /// Domains below which the first label of the host names the database, lower case.
  package var baseDomains: [String]
  /// The database of a connection that names none.
  package var defaultName: String

  package init(baseDomains: [String] = [], defaultName: String = "default") {
    self.baseDomains = baseDomains.map { $0.lowercased() }
    self.defaultName = defaultName
  }

  /// The label before a base domain, if the host has one. Any port is left out of account.
  package func label(of host: String) -> String? {
    let name = host.lowercased().prefix { $0 != ":" }
    for domain in baseDomains where name.hasSuffix("." + domain) {
      let label = name.dropLast(domain.count + 1)
      if !label.isEmpty, !label.contains(".") { return String(label) }
    }
    return nil
  }
}

/// What a client asks for when it opens a connection.
package final class Handshake: Sendable {
  /// The database, lower case; it need not exist or even be a legal name.
  package let database: String
  /// The session that the client had before, which is to end now.
  package let lastSession: String?
  /// The session of another carrier that the client wants to move here.
  package let movedSession: String?
  /// The client knows the extensions of this server's own SDK.
  package let isExtended: Bool
  /// The host to come back to: the one that the client has reached.
  package let host: String

  /// A client's session names are this long at most.
  private static let sessionBytes = 64

  package init(_ head: RequestHead, naming: DatabaseNaming) {
    host = head.host ?? "localhost"
    var name: String?
    var last: String?
    var moved: String?
    var isExtended = false
    for parameter in head.query.split(separator: "&") {
      guard let equals = parameter.firstIndex(of: "=") else { continue }
      let value = String(parameter[parameter.index(after: equals)...])
      switch parameter[..<equals] {
      case "ns" where !value.isEmpty: name = value
      case "ls": last = Handshake.session(value)
      case "s": moved = Handshake.session(value)
      case "x": isExtended = value == "1"
      default: continue
      }
    }
    self.isExtended = isExtended
    lastSession = last
    movedSession = moved
    database = (name ?? naming.label(of: host) ?? naming.defaultName).lowercased()
  }

  /// A session's name as this server makes them; nil for anything else.
  private static func session(_ text: String) -> String? {
    let isName = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        true
      default: false
      }
    }
    return isName && (1...sessionBytes).contains(text.utf8.count) ? text : nil
  }

  /// A name for a new session, which nobody can guess: 32 letters and digits.
  package static func newSession(using random: inout some RandomNumberGenerator) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    let letters = (0..<32).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
    return String(decoding: letters, as: UTF8.self)
  }
}
