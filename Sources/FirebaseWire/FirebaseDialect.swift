package import Engine
import JSONTree
package import NIOCore
package import Transport

/// How the engine writes changes for Firebase clients: whole frames, which any number of sockets can share.
package struct FirebaseDialect: Dialect {
  /// What tells this dialect's forms from those of others.
  package static let number: UInt8 = 1
  /// The variant of a filtered listen that has no tag.
  private static let untaggedVariant = UInt32.max

  private let mostBytes: Int
  /// The carrier's own, if it has one.
  private let framing: (any MessageFraming)?

  package init(framing: (any MessageFraming)? = nil) {
    self.init(mostBytes: MessageChunks.mostBytes, framing: framing)
  }

  init(mostBytes: Int, framing: (any MessageFraming)? = nil) {
    self.mostBytes = mostBytes
    self.framing = framing
  }

  /// The form of a listen's pushes. An untagged listen on everything shares pushes with those it overlaps.
  static func form(tag: UInt32?, isFiltered: Bool, carrier: UInt8) -> PushForm {
    let variant = tag.map { $0 + 1 } ?? (isFiltered ? untaggedVariant : 0)
    return PushForm(dialect: number, variant: variant, carrier: carrier)
  }

  /// The tag that a form's pushes carry.
  static func tag(of form: PushForm) -> UInt32? {
    form.variant == 0 || form.variant == untaggedVariant ? nil : form.variant - 1
  }

  package func encode(_ change: Change, form: PushForm) -> ByteBuffer {
    var messages = MessageList()
    messages.push(change, tag: FirebaseDialect.tag(of: form))
    if messages.lastCount > mostBytes {
      messages = MessageList()
      // A byte of text takes up to six bytes of JSON.
      for piece in change.pieces(of: mostBytes / 8) {
        messages.push(piece, tag: FirebaseDialect.tag(of: form))
      }
    }
    return messages.frames(carrier: form.carrier, framing: framing)
  }
}

extension MessageList {
  /// The messages as a carrier sends them: cut into frames for a WebSocket, each with a line feed behind it
  /// for long polling, and as it likes for a carrier that has a way of its own.
  func frames(carrier: UInt8, framing: (any MessageFraming)? = nil) -> ByteBuffer {
    let capacity = bytes.count + count * WebSocketFraming.headBytes
    var frames = ByteBufferAllocator().buffer(capacity: capacity)
    forEach { message in
      if let framing {
        framing.append(message, to: &frames)
      } else if carrier == FirebaseDialect.webSocket {
        MessageChunks.append(message, to: &frames)
      } else {
        MessageLines.append(message, to: &frames)
      }
    }
    return frames
  }
}

extension FirebaseDialect {
  /// The number of the carrier whose frames are cut and headed here.
  static let webSocket: UInt8 = 0
  /// The number of the carrier whose messages are lines.
  static let longPolling: UInt8 = 1
}

/// Messages as long polling carries them until a poll comes: lines, which no JSON text need contain.
enum MessageLines {
  static func append(_ message: UnsafeRawBufferPointer, to lines: inout ByteBuffer) {
    let start = lines.writerIndex
    lines.writeBytes(message)
    // In a text that a client wrote a line can end between two tokens, and a space does as well.
    if message.contains(lineFeed) {
      for place in message.indices where message[place] == lineFeed {
        lines.setInteger(UInt8(ascii: " "), at: start + place)
      }
    }
    lines.writeInteger(lineFeed)
  }

  /// Calls `body` with each message, without its line feed.
  static func forEach(in lines: ByteBuffer, _ body: (UnsafeRawBufferPointer) -> Void) {
    lines.withUnsafeReadableBytes { bytes in
      var start = 0
      while start < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
        let count = rest.firstIndex(of: lineFeed) ?? rest.count
        body(UnsafeRawBufferPointer(rebasing: rest[..<count]))
        start += count + 1
      }
    }
  }

  /// The same messages as WebSocket frames.
  static func frames(_ lines: ByteBuffer) -> ByteBuffer {
    var frames = ByteBuffer()
    frames.reserveCapacity(lines.readableBytes + WebSocketFraming.headBytes)
    forEach(in: lines) { MessageChunks.append($0, to: &frames) }
    return frames
  }

  private static let lineFeed = UInt8(ascii: "\n")
}

extension MessageChunks {
  /// The longest text that surely needs no more chunks than can be announced.
  static let mostBytes = mostChunks * unitsPerFrame

  /// Appends a message as WebSocket frames.
  static func append(_ message: UnsafeRawBufferPointer, to frames: inout ByteBuffer) {
    if message.count <= unitsPerFrame {
      WebSocketFraming.append(text: message, to: &frames)
      return
    }
    let chunks = ranges(message)
    if chunks.count > 1 {
      let count = String(chunks.count)
      WebSocketFraming.appendTextHead(count: count.utf8.count, to: &frames)
      frames.writeString(count)
    }
    for chunk in chunks {
      WebSocketFraming.append(text: UnsafeRawBufferPointer(rebasing: message[chunk]), to: &frames)
    }
  }
}
