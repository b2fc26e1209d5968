import Engine
import JSONTree
import Rules
import TestSupport
import Synchronization
import Testing

/// Indexes of large locations are built beside the database's loop.
struct IndexingTests {
  private func rig() async throws -> Rig {
    let rig = try await Rig.open(
      rules: #"{"rules":{".read":true,".write":true,"s":{".indexOn":"n"}}}"#
    ) { $0.indexBuildChildren = 3 }
    try await rig.given("s", #"{"a":{"n":1},"b":{"n":2},"c":{"n":3},"d":{"n":4}}"#)
    return rig
  }

  private func top(_ listen: ListenID) throws -> ListenRequest {
    let query = try Query(index: .child(at("n")), limit: 1, fromEnd: true)
    return ListenRequest(path: at("s"), query: query, form: PushForm(dialect: 1, variant: 1), listen: listen)
  }

  @Test func `a read that needs a large index waits for it, and what comes after it keeps its place`()
    async throws
  {
    let rig = try await rig()
    let client = try await rig.client()
    let request = try top(1)
    await rig.enter { database in
      database.listen(request, tag: 1, client: client.client)
      database.get(at("s/a/n"), tag: 2, client: client.client)
      database.unlisten(1, tag: 3, client: client.client)
      database.write(
        .put(at("s/e"), Node(children: [(ChildKey(unchecked: "n"), Node(Int64(9)))])), tag: 4,
        client: client.client)
    }
    let received = client.received
    let lines = Lines()
    try await rig.settle(until: {
      lines.add(received.take())
      return lines.all.contains("answer 3 done")
    })
    // The write came while the index was being built, or after: the listen saw the tree as it was by then.
    let others = lines.all.filter { $0 != "answer 4 written" && !$0.hasPrefix("push") }
    #expect(others.dropFirst() == ["answer 1 listening", "answer 2 value 1", "answer 3 done"])
    #expect([#"initial 1 {"d":{"n":4}}"#, #"initial 1 {"e":{"n":9}}"#].contains(others.first))
    #expect(lines.all.contains("answer 4 written"))
    let fault = try await rig.read { $0.listenerFault }
    #expect(fault == nil)
  }

  @Test func `writes while an index is built are in it`() async throws {
    let rig = try await rig()
    let (reader, writer) = (try await rig.client(), try await rig.client())
    let request = try top(1)
    await rig.enter { database in
      database.listen(request, tag: 1, client: reader.client)
      for index in 0..<50 {
        let place = at("s/x\(index)/n")
        database.write(.put(place, Node(Int64(100 + index))), tag: 9, client: writer.client)
      }
    }
    let received = reader.received
    let lines = Lines()
    try await rig.settle(until: {
      lines.add(received.take())
      return lines.all.contains("answer 1 listening")
    })
    await rig.enter { $0.write(.put(at("s/z/n"), Node(Int64(1000))), tag: 10, client: writer.client) }
    lines.add(received.take())
    #expect(
      lines.all.last == #"push merge s {"x49":null,"z":{"n":1000}} #1"#
        || lines.all.last == #"push merge s {"z":{"n":1000},"x49":null} #1"#)
    let fault = try await rig.read { $0.listenerFault }
    #expect(fault == nil)
  }

  @Test func `many who ask for the same index wait for one`() async throws {
    let rig = try await rig()
    let clients = [try await rig.client(), try await rig.client(), try await rig.client()]
    let request = try top(7)
    await rig.enter { database in
      for client in clients { database.listen(request, tag: 1, client: client.client) }
    }
    let built = try await rig.read { $0.preparationsUnderWay }
    #expect(built <= 1)
    for client in clients {
      let received = client.received
      let lines = Lines()
      try await rig.settle(until: {
        lines.add(received.take())
        return lines.all.count >= 2
      })
      #expect(lines.all == [#"initial 7 {"d":{"n":4}}"#, "answer 1 listening"])
    }
  }
}

/// Lines gathered over several looks.
private final class Lines: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ more: [String]) { lines.withLock { $0 += more } }
}
