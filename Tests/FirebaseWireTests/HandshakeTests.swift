import FirebaseWire
import Testing
import Transport

@Suite struct HandshakeTests {
  private func handshake(
    _ query: String, host: String? = "db.example.com:9000", naming: DatabaseNaming = DatabaseNaming()
  ) -> Handshake {
    let headers = host.map { [("Host", $0)] } ?? []
    return Handshake(RequestHead(method: "GET", target: "/.ws?" + query, headers: headers), naming: naming)
  }

  @Test func `the database is the parameter, in lower case`() {
    #expect(handshake("v=5&ns=MyDB").database == "mydb")
    #expect(handshake("ns=a&v=5&p=1:2:web:3").database == "a")
    #expect(handshake("v=5").database == "default")
    #expect(handshake("v=5&ns=").database == "default")
    #expect(handshake("").database == "default")
  }

  @Test func `below a base domain the host's first label names the database`() {
    let naming = DatabaseNaming(baseDomains: ["Example.com"], defaultName: "main")
    #expect(handshake("v=5", host: "Harbor.example.com:9000", naming: naming).database == "harbor")
    #expect(handshake("v=5&ns=x", host: "harbor.example.com", naming: naming).database == "x")
    #expect(handshake("v=5", host: "example.com", naming: naming).database == "main")
    #expect(handshake("v=5", host: "a.b.example.com", naming: naming).database == "main")
    #expect(handshake("v=5", host: "harbor.example.org", naming: naming).database == "main")
    #expect(handshake("v=5", host: "127.0.0.1:9000", naming: naming).database == "main")
    #expect(handshake("v=5", host: nil, naming: naming).database == "main")
  }

  @Test func `sessions are names of letters and digits`() {
    let session = String(repeating: "aZ09", count: 8)
    #expect(handshake("v=5&ls=\(session)").lastSession == session)
    #expect(handshake("v=5&s=\(session)").movedSession == session)
    for bad in ["", "a/b", "a.b", "%41", "é", String(repeating: "a", count: 65)] {
      #expect(handshake("v=5&ls=\(bad)&s=\(bad)").lastSession == nil)
      #expect(handshake("v=5&ls=\(bad)&s=\(bad)").movedSession == nil)
    }
  }

  @Test func `parameters that make no sense are left out of account`() {
    #expect(handshake("&&=&x&ns&ls&=5&v==&ns=a").database == "a")
  }

  @Test func `the host to come back to is the one that was reached`() {
    #expect(handshake("v=5").host == "db.example.com:9000")
    #expect(handshake("v=5", host: nil).host == "localhost")
  }

  @Test func `a new session's name has 32 letters and digits and is never the same`() {
    let names = (0..<100).map { _ in FirebaseServices.randomSession() }
    #expect(Set(names).count == 100)
    #expect(
      names.allSatisfy { $0.utf8.count == 32 && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) } }
    )
  }
}
