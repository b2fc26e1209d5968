import JSONTree

/// Answers to requests, and the control messages.
extension MessageList {
  /// `{"t":"d","d":{"r":…,"b":{"s":"ok","d":…}}}`
  mutating func reply(_ number: Int64, payload: (inout [UInt8]) -> Void) {
    add { out in
      out.append(#"{"t":"d","d":{"r":"#)
      out.append(number: number)
      out.append(#","b":{"s":"ok","d":"#)
      payload(&out)
      out.append("}}}")
    }
  }

  /// All went well, and there is nothing more to say.
  mutating func reply(_ number: Int64) {
    reply(number) { $0.append(#""""#) }
  }

  /// A refusal; `code` for clients that want a number too.
  mutating func reply(_ number: Int64, _ refusal: Refusal, code: Int64? = nil) {
    add { out in
      out.append(#"{"t":"d","d":{"r":"#)
      out.append(number: number)
      out.append(#","b":{"s":"#)
      out.append(string: refusal.status.rawValue)
      out.append(#","d":"#)
      out.append(string: refusal.text)
      if let code {
        out.append(#","c":"#)
        out.append(number: code)
      }
      out.append("}}}")
    }
  }

  /// The first message: the time, the host to come back to and the session's name; for clients that know the
  /// extensions the name of this run of the server, too.
  mutating func hello(
    version: StaticString, nowMilliseconds: Int64, host: String, sessionID: String, instance: String?
  ) {
    add { out in
      out.append(#"{"t":"c","d":{"t":"h","d":{"ts":"#)
      out.append(number: nowMilliseconds)
      out.append(#","v":""#)
      out.append(version)
      out.append(#"","h":"#)
      out.append(string: host)
      out.append(#","s":"#)
      out.append(string: sessionID)
      if let instance {
        out.append(#","x":"#)
        out.append(string: instance)
      }
      out.append("}}}")
    }
  }

  /// The client is to stop for good, and to show the reason.
  mutating func shutdown(_ reason: String) {
    add { out in
      out.append(#"{"t":"c","d":{"t":"s","d":"#)
      out.append(string: reason)
      out.append("}}")
    }
  }

  /// The session that the client wants to move here is not known; it stays where it is.
  mutating func reset(host: String) {
    add { out in
      out.append(#"{"t":"c","d":{"t":"r","d":"#)
      out.append(string: host)
      out.append("}}")
    }
  }

  /// The WebSocket that a polled session is to move to is ready.
  mutating func readyToMove() {
    add { $0.append(#"{"t":"c","d":{"t":"a","d":{}}}"#) }
  }

  /// Nothing more comes by polls.
  mutating func endOfTransmission() {
    add { $0.append(#"{"t":"c","d":{"t":"n","d":{}}}"#) }
  }

  mutating func pong() {
    add { $0.append(#"{"t":"c","d":{"t":"o","d":null}}"#) }
  }
}
