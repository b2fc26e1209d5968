import Engine
import JSONTree
import Rules
import Synchronization
import TestSupport
import Testing

/// Clients whose credential is taken back while they are connected, or on its way in.
@Suite struct DismissalTests {
  private static let rules = #"{"rules":{"all":{".read":true},"own":{".read":"auth != null"}}}"#

  private func ann(_ grounds: Grounds?) throws -> Caller {
    var caller = Caller(auth: try Node.parse(#"{"uid":"ann"}"#))
    caller.grounds = grounds
    return caller
  }

  private func listening(_ rig: Rig, _ caller: Caller, onOtherLoop: Bool = false) async throws -> TestClient {
    let client = try await rig.client(caller, onOtherLoop: onOtherLoop)
    for (listen, place) in [(1, "own"), (2, "all")] as [(ListenID, String)] {
      let request = ListenRequest(path: at(place), query: .all, form: plain, listen: listen)
      await rig.enter { $0.listen(request, tag: UInt64(listen), client: client.client) }
    }
    _ = client.received.take()
    return client
  }

  @Test(arguments: [false, true])
  func `who rests on what is gone is told, then loses listens, and nobody else is`(onOtherLoop: Bool)
    async throws
  {
    let rig = try await Rig.open(rules: Self.rules)
    let bySecret = try await listening(rig, try ann(.secret("a")), onOtherLoop: onOtherLoop)
    let byAnother = try await listening(rig, try ann(.secret("b")))
    let user = try await listening(rig, try ann(.user(uid: "ann", key: "k", issuedAtSeconds: 5)))
    let operators = try await listening(rig, .admin)
    await rig.enter { $0.dismiss { $0 == .secret("a") } }
    #expect(bySecret.received.take() == ["dismissed invalid", "revoked 1"])
    for client in [byAnother, user, operators] { #expect(client.received.take() == []) }
    await rig.enter { $0.dismiss { if case .user = $0 { true } else { false } } }
    #expect(user.received.take() == ["dismissed expired", "revoked 1"])
    // Once is enough.
    await rig.enter { $0.dismiss { _ in true } }
    #expect(bySecret.received.take() == [] && user.received.take() == [])
    #expect(byAnother.received.take() == ["dismissed invalid", "revoked 1"])
    try await rig.given("all/x", "1")
    #expect(user.received.take() == ["push set all/x 1"])
  }

  @Test func `a credential that loses its grounds on the way in makes nobody of its bearer`() async throws {
    let gone = Gone()
    let rig = try await Rig.open(rules: Self.rules) { options in
      options.stands = { grounds, _ in
        if case .secret(let id) = grounds { !gone.ids.withLock { $0.contains(id) } } else { true }
      }
    }
    gone.ids.withLock { _ = $0.insert("a") }
    let early = try await rig.client(try ann(.secret("a")))
    await rig.enter { $0.get(at("own"), tag: 1, client: early.client) }
    #expect(early.received.take() == ["answer 1 denied"])
    let client = try await listening(rig, try ann(.secret("b")))
    let late = try ann(.secret("a"))
    await rig.enter { $0.setCaller(late, for: client.client, tag: 7) }
    #expect(client.received.take() == ["revoked 1", "answer 7 denied"])
    let good = try ann(.secret("b"))
    await rig.enter { $0.setCaller(good, for: client.client, tag: 8) }
    #expect(client.received.take() == ["answer 8 done"])
  }
}

private final class Gone: Sendable {
  let ids = Mutex<Set<String>>([])
}
