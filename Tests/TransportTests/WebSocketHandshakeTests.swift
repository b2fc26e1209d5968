import NIOCore
import Testing

@testable import Transport

struct WebSocketHandshakeTests {
  private static let good = [
    ("Host", "a"), ("Upgrade", "WebSocket"), ("Connection", "keep-alive, Upgrade"),
    ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
  ]

  private func check(_ method: String = "GET", replacing name: String = "", with values: [String] = [])
    -> WebSocketHandshake.Checked
  {
    let headers = Self.good.filter { $0.0 != name } + values.map { (name, $0) }
    return WebSocketHandshake.check(RequestHead(method: method, target: "/.ws", headers: headers))
  }

  private func status(_ checked: WebSocketHandshake.Checked) -> Int? {
    if case .refused(let status, _) = checked { status } else { nil }
  }

  @Test func `the example of the RFC is answered as there`() {
    #expect(check() == .lawful(key: "dGhlIHNhbXBsZSBub25jZQ=="))
    let response = String(buffer: WebSocketHandshake.response(key: "dGhlIHNhbXBsZSBub25jZQ=="))
    #expect(response.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
    #expect(response.hasPrefix("HTTP/1.1 101 "))
    #expect(response.hasSuffix("\r\n\r\n"))
  }

  @Test func `other methods, versions and keys are refused`() {
    #expect(status(check("POST")) == 400)
    #expect(status(check(replacing: "Connection", with: ["keep-alive"])) == 400)
    #expect(status(check(replacing: "Sec-WebSocket-Version", with: ["8"])) == 426)
    #expect(status(check(replacing: "Sec-WebSocket-Version")) == 426)
    #expect(status(check(replacing: "Sec-WebSocket-Key")) == 400)
    #expect(status(check(replacing: "Sec-WebSocket-Key", with: ["short"])) == 400)
    #expect(status(check(replacing: "Sec-WebSocket-Key", with: ["dGhlIHNhbXBsZSBub25jZQ!!"])) == 400)
    let twice = ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="]
    #expect(status(check(replacing: "Sec-WebSocket-Key", with: twice)) == 400)
  }

  @Test func `only the websocket token asks for it`() {
    func isAsked(_ upgrade: String) -> Bool {
      WebSocketHandshake.isAsked(by: RequestHead(method: "GET", target: "/", headers: [("Upgrade", upgrade)]))
    }
    #expect(isAsked("websocket"))
    #expect(isAsked("h2c, WebSocket"))
    #expect(!isAsked("h2c"))
  }
}
