import Glibc
import JSONTree
import NIOCore
import TestSupport

/// A reader of an event stream that reads when it is told to and puts the events together.
final class SlowStream {
  private let socket: SlowSocket
  private(set) var value = Node.null
  /// How many events have come, those that keep the stream alive aside.
  private(set) var eventCount = 0
  var bytesRead: Int { socket.bytesRead }

  init(port: Int) throws {
    socket = try SlowSocket(port: port)
    // HTTP/1.0, so that the events are not cut into chunks.
    try socket.write(Array("GET /.json HTTP/1.0\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".utf8))
    let head = try socket.readHead()
    guard head.contains(" 200 "), head.contains("text/event-stream") else {
      throw SlowSocket.Failure(text: head)
    }
  }

  /// Reads until that says so or nothing has come for half a second.
  func read(until isEnough: (Node) -> Bool) throws {
    while !isEnough(value), try socket.read() {
      while let event = nextEvent() { try take(event) }
    }
  }

  /// The lines of the next event that is here whole.
  private func nextEvent() -> String? {
    // By the C library: the events are large, and this is a debug build.
    let length = socket.unread.withUnsafeReadableBytes { bytes -> Int? in
      guard let start = bytes.baseAddress else { return nil }
      var at = 0
      while let line = memchr(start + at, 10, bytes.count - at) {
        at = UnsafeRawPointer(line) - start + 1
        if at < bytes.count, bytes[at] == 10 { return at + 1 }
      }
      return nil
    }
    guard let length else { return nil }
    let event = socket.unread.readString(length: length)
    socket.unread.discardReadBytes()
    return event
  }

  private func take(_ event: String) throws {
    let lines = event.utf8.split(separator: 10)
    guard lines.count == 2, lines[0].starts(with: "event: ".utf8), lines[1].starts(with: "data: ".utf8) else {
      throw SlowSocket.Failure(text: "no event: \(event.prefix(200))")
    }
    let name = String(Substring(lines[0].dropFirst(7)))
    if name == "keep-alive" { return }
    let body = try Node.parse(utf8: Array(lines[1].dropFirst(6)))
    guard let place = body[ChildKey(unchecked: "path")].string, ["put", "patch"].contains(name) else {
      throw SlowSocket.Failure(text: "not expected: \(event.prefix(200))")
    }
    eventCount += 1
    let path = try Path(place), data = body[ChildKey(unchecked: "data")]
    guard name == "patch" else { return value.set(data, at: path) }
    data.forEachChild { key, node in
      value.set(node, at: path.appending(Path([key])))
      return true
    }
  }
}
