import Foundation
import JSONTree
import Server
import Testing
import TestSupport
import Transport

/// Readers that stop reading while the tree goes on changing.
@Suite(.serialized) struct ConflationTests {
  /// Runs a server whose peers fall behind at 1 MB and may never have more than 8 MB waiting.
  private func withServer(_ work: (TestServer) async throws -> Void) async throws {
    try await TestServer.run(
      with: {
        $0.durability = .relaxed
        $0.transportLimits.conflationBytes = 1 << 20
        $0.transportLimits.outboundBudgetBytes = 8 << 20
      }, work)
  }

  @Test func `a reader that stops reading costs its budget at most, and sees the tree when it reads again`()
    async throws
  {
    try await withServer { test in
      let readers = [
        try SlowReader(port: test.server.port), try SlowReader(port: test.server.port, query: Follower.query),
      ]
      for reader in readers {
        try reader.listen()
        try reader.read { _ in false }
      }
      let before = try residentBytes()
      var most = 0
      let rounds = 400
      for round in 0..<rounds {
        // Places come and go, so that the query's window moves.
        let key = "k\(round * 7 % 23)"
        let text = "\"\(round)" + String(repeating: "x", count: 256 * 1024) + "\""
        let body = round % 9 == 8 ? "null" : text
        let put = try await test.ask(.PUT, "/\(key).json?print=silent", body: body)
        #expect(put.status == 204)
        if round % 20 == 0 { most = max(most, try residentBytes() - before) }
      }
      #expect(try await test.ask(.PUT, "/a.json", body: "\"last\"").status == 200)
      print("100 MB of changes went by, memory grew by \(most >> 20) MB at most")
      let whole = try await test.ask(.GET, "/.json?format=export")
      let data = try Node.parse(whole.body)
      for reader in readers {
        let last = Path([ChildKey(unchecked: "a")])
        try reader.read { $0[last] == Node("last") }
        try reader.read { _ in false }
        try reader.follower.check(against: data)
        print("a reader was sent \(reader.bytesRead >> 20) MB")
        // Whatever waited for it was sent in the end, so that no more than this can have waited. The memory
        // of the process says less: other tests run in it.
        #expect(reader.bytesRead < 24 << 20)
      }
    }
  }

  @Test func `a reader that has caught up hears every change again`() async throws {
    try await withServer { test in
      let reader = try SlowReader(port: test.server.port)
      try reader.listen()
      for cycle in 0..<3 {
        let text = "\"" + String(repeating: "y", count: 512 * 1024) + "\""
        for round in 0..<30 {
          _ = try await test.ask(.PUT, "/c\(round % 4).json?print=silent", body: text)
        }
        // Its own write is answered only after its listen shows it.
        try reader.send(#"{"t":"d","d":{"r":\#(cycle + 2),"a":"p","b":{"p":"/own","d":\#(cycle)}}}"#)
        try reader.read { $0[Path([ChildKey(unchecked: "own")])] == Node(Int64(cycle)) }
        try reader.read { _ in false }
        for round in 0..<5 { _ = try await test.ask(.PUT, "/small.json", body: "\(round)") }
        try reader.read { $0[Path([ChildKey(unchecked: "small")])] == Node(4) }
        try reader.follower.check(against: try Node.parse(try await test.ask(.GET, "/.json").body))
        _ = try await test.ask(.PUT, "/small.json", body: "null")
        try reader.read { _ in false }
      }
    }
  }

  @Test func `an event stream that is not read costs its budget at most, and tells the tree when it is`()
    async throws
  {
    try await withServer { test in
      let stream = try SlowStream(port: test.server.port)
      try stream.read { _ in false }
      #expect(stream.eventCount == 1, "the first event is the value that is there")
      for cycle in 0..<2 {
        let sentBefore = stream.bytesRead
        for round in 0..<150 {
          let text = "\"\(round)" + String(repeating: "z", count: 256 * 1024) + "\""
          let body = round % 9 == 8 ? "null" : text
          let put = try await test.ask(.PUT, "/k\(round * 7 % 11).json?print=silent", body: body)
          #expect(put.status == 204)
        }
        #expect(try await test.ask(.PUT, "/a.json", body: "\(cycle)").status == 200)
        let last = Path([ChildKey(unchecked: "a")])
        try stream.read { $0[last] == Node(Int64(cycle)) }
        try stream.read { _ in false }
        #expect(stream.value == (try Node.parse(try await test.ask(.GET, "/.json").body)))
        // 37 MB of changes went by.
        #expect(stream.bytesRead - sentBefore < 20 << 20)
        // It has caught up: every change comes again.
        let count = stream.eventCount
        for number in 0..<5 { _ = try await test.ask(.PUT, "/small.json", body: "\(number)") }
        try stream.read { $0[Path([ChildKey(unchecked: "small")])] == Node(4) }
        #expect(stream.eventCount == count + 5)
        _ = try await test.ask(.PUT, "/small.json", body: "null")
        try stream.read { _ in false }
      }
    }
  }
}
