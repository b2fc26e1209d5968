package import Transport

/// What a request of the long-polling carrier asks for.
///
/// Everything stands in the query, since browsers load these requests as scripts.
package enum PollRequest: Equatable, Sendable {
  /// A new session; the page's functions have this number at the end of their names.
  case start(callback: String)
  /// A poll that brings pieces of messages, and waits for messages.
  case poll(PollKey, serial: Int64, segments: [PollSegment])
  /// The page that tells when the browser leaves.
  case departureFrame
  /// The browser has left.
  case disconnect(PollKey)
  case invalid

  /// The longest number that a page's functions can have.
  private static let callbackDigits = 16

  package init(_ head: RequestHead) {
    var fields: [Substring: Substring] = [:]
    for parameter in head.query.split(separator: "&") {
      let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      fields[parts[0]] = parts.count > 1 ? parts[1] : ""
    }
    if fields["start"] == "t" {
      let callback = fields["cb"] ?? ""
      let isNumber = callback.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      let isShort = callback.utf8.count <= Self.callbackDigits
      self = isNumber && isShort ? .start(callback: String(callback)) : .invalid
      return
    }
    if fields["dframe"] == "t" {
      self = .departureFrame
      return
    }
    guard let id = fields["id"], let password = fields["pw"] else {
      self = .invalid
      return
    }
    let key = PollKey(id: String(id), password: String(password))
    if fields["disconn"] == "t" {
      self = .disconnect(key)
      return
    }
    guard let serial = fields["ser"].flatMap({ Int64($0) }), serial >= 0,
      let segments = Self.segments(fields)
    else {
      self = .invalid
      return
    }
    self = .poll(key, serial: serial, segments: segments)
  }

  /// The pieces that a poll brings, which are numbered from 0 on; nil if one makes no sense.
  private static func segments(_ fields: [Substring: Substring]) -> [PollSegment]? {
    var segments: [PollSegment] = []
    while let place = fields["seg\(segments.count)"] {
      let index = segments.count
      guard let place = Int64(place), place >= 0,
        let total = fields["ts\(index)"].flatMap({ Int64($0) }),
        (1...PollSegment.mostOfMessage).contains(total),
        let text = fields["d\(index)"]
      else { return nil }
      segments.append(PollSegment(place: place, total: total, text: String(text)))
    }
    return segments
  }
}

/// What names a polled session and proves that one may speak for it.
package struct PollKey: Hashable, Sendable {
  package var id: String
  package var password: String

  package init(id: String, password: String) {
    self.id = id
    self.password = password
  }

  /// True if the password is this one; the time that takes says nothing about where they differ.
  package func opens(_ other: PollKey) -> Bool {
    guard password.utf8.count == other.password.utf8.count else { return false }
    var difference: UInt8 = 0
    for (a, b) in zip(password.utf8, other.password.utf8) { difference |= a ^ b }
    return difference == 0
  }
}

/// A piece of a message, as a poll brings it.
package struct PollSegment: Equatable, Sendable {
  /// The most pieces that a message can be said to have.
  static let mostOfMessage: Int64 = 1 << 31

  /// Its place among all pieces of the session, from 0.
  package var place: Int64
  /// How many pieces its message has.
  package var total: Int64
  /// A part of the message's text in base 64, in the alphabet for addresses, with dots for padding.
  package var text: String

  package init(place: Int64, total: Int64, text: String) {
    self.place = place
    self.total = total
    self.text = text
  }
}
