import TestSupport

/// A client of Wilddog's protocol, written from its description: messages are arguments of the event `wd`.
final class WilddogClient {
  let engine: EngineClient
  private(set) var messages: [String] = []
  private var barriers = 0

  /// Opens a session, and connects to the namespace where the revision wants that.
  init(
    port: Int, revision: Int, carrier: EngineClient.Carrier, query: String = "v=1.0&cv=2.5.17&ns=default"
  ) async throws {
    engine = try await EngineClient(port: port, revision: revision, carrier: carrier, query: query)
    if revision == 4 { try await engine.send("40") }
    let connected = try await engine.nextPacket()
    guard connected.hasPrefix("40") else { throw WireClient.Failure(text: "not connected: \(connected)") }
    if carrier == .upgraded { try await engine.upgrade() }
  }

  func send(_ messages: [String]) async throws { try await engine.send(messages.map { #"42["wd",\#($0)]"# }) }

  /// The next message; nil if the session has ended.
  func next() async throws -> String {
    if !messages.isEmpty { return messages.removeFirst() }
    return try await read()
  }

  private func read() async throws -> String {
    let packet = try await engine.nextPacket()
    guard packet.hasPrefix(#"42["wd","#), packet.hasSuffix("]") else {
      throw WireClient.Failure(text: "no event: \(packet)")
    }
    return Self.unescaped(String(packet.dropFirst(8).dropLast()))
  }

  /// A message with its characters as they are: polls of revision 3 bring escapes for what is not ASCII.
  private static func unescaped(_ text: String) -> String {
    var units = Array(text.utf16)[...]
    var result: [UInt16] = []
    while let unit = units.popFirst() {
      if unit == 0x5C, units.first == 0x75,
        let code = UInt16(String(decoding: units.dropFirst().prefix(4), as: UTF16.self), radix: 16),
        code >= 0x80
      {
        result.append(code)
        units = units.dropFirst(5)
      } else {
        result.append(unit)
        if unit == 0x5C, let next = units.popFirst() { result.append(next) }
      }
    }
    return String(decoding: result, as: UTF16.self)
  }

  /// Waits until everything has come that what was done so far leads to: a read is answered after all of it.
  ///
  /// The protocol has no such request, but the sessions that Firebase's clients use do.
  func settle() async throws {
    barriers += 1
    let number = 900_000 + barriers
    try await send([#"{"t":"d","d":{"r":\#(number),"a":"g","b":{"p":"/barrier"}}}"#])
    while true {
      let message = try await read()
      if message.hasPrefix(#"{"t":"d","d":{"r":\#(number),"#) { return }
      messages.append(message)
    }
  }

  func takeAll() -> [String] {
    defer { messages = [] }
    return messages
  }
}
