import Testing

@testable import Transport

struct CloseHandshakeTests {
  @Test func `the peer's goodbye is answered once`() {
    let handshake = Box(CloseHandshake())
    #expect(handshake { $0.peerCloses(code: 4000) } == .reply(code: 4000))
    #expect(handshake { $0.peerCloses(code: 4000) } == .nothing)
    #expect(handshake { $0.close(code: 1000) } == .nothing)
    #expect(!handshake { $0.isListening })
  }

  @Test func `after ours nothing is sent and the peer's ends it`() {
    let handshake = Box(CloseHandshake())
    #expect(handshake { $0.close(code: 1001) } == .send(code: 1001))
    #expect(!handshake { $0.isOpen })
    #expect(handshake { $0.isListening })
    #expect(handshake { $0.close(code: 1001) } == .nothing)
    #expect(handshake { $0.peerCloses(code: 1001) } == .end)
  }

  @Test func `a broken rule ends it with or without a goodbye`() {
    let handshake = Box(CloseHandshake())
    #expect(handshake { $0.peerFails(code: 1002) } == .fail(code: 1002))
    #expect(handshake { $0.peerFails(code: 1002) } == .nothing)
    let other = Box(CloseHandshake())
    _ = other { $0.close(code: 1000) }
    #expect(other { $0.peerFails(code: 1002) } == .end)
  }
}
