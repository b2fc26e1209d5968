package import NIOCore
package import Transport

/// Sends every complete message back as what it was: what conformance suites and fuzzers talk to.
package final class EchoHandler: MessageHandler {
  private var link: (any MessageLink)?

  package init() {}

  package func opened(link: any MessageLink) { self.link = link }

  package func received(_ message: ByteBuffer, isText: Bool) {
    guard let link else { return }
    if isText { return link.append(text: message) }
    var frames = ByteBuffer()
    WebSocketFraming.append(binary: message, to: &frames)
    link.append(frames: frames)
  }

  package func receivedAll() { link?.flush() }

  package func closed() { link = nil }
}
