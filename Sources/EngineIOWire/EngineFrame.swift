import NIOCore

/// What one WebSocket message, or one part of a poll's payload, holds: one packet.
struct EngineFrame: Sendable, Equatable {
  var bytes: ByteBuffer
  var isText: Bool

  init(_ bytes: ByteBuffer, isText: Bool = true) {
    self.bytes = bytes
    self.isText = isText
  }
}

/// A packet of Engine.IO: a digit, and what belongs to it.
struct EnginePacket: Equatable {
  enum Kind: UInt8 {
    case open = 0x30
    case close, ping, pong, message, upgrade, noop
  }

  let kind: Kind
  let payload: ByteBuffer

  /// Takes a frame apart. Binary messages, whether as they are or as base 64, are refused as such: the tree
  /// keeps none.
  init(_ frame: EngineFrame) throws(EngineFault) {
    guard frame.isText else { throw .binary }
    var payload = frame.bytes
    guard let first = payload.readInteger(as: UInt8.self) else {
      throw .protocolError(EngineIOText.emptyPacket)
    }
    if first == UInt8(ascii: "b") { throw .binary }
    guard let kind = Kind(rawValue: first) else { throw .protocolError(EngineIOText.unknownPacket) }
    self.kind = kind
    self.payload = payload
  }
}

/// What a client has done that ends its session.
struct EngineFault: Error, Equatable {
  /// The WebSocket close code that says so.
  let code: UInt16
  let reason: String

  static func protocolError(_ reason: String) -> EngineFault { EngineFault(code: 1002, reason: reason) }
  static let binary = EngineFault(code: 1003, reason: EngineIOText.binary)
}
