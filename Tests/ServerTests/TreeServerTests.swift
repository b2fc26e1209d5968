import Foundation
import Server
import Testing

@Suite struct TreeServerTests {
  @Test func `what is written is read, on the database that was named`() async throws {
    try await TestServer.run { server async throws in
      #expect(
        try await server.ask(.PUT, "/x.json", body: #"{"a":1}"#) == .init(status: 200, body: #"{"a":1}"#))
      #expect(try await server.ask(.GET, "/.json").body == #"{"x":{"a":1}}"#)
      #expect(try await server.ask(.GET, "/.json?ns=other").body == "null")
      #expect(try await server.ask(.PUT, "/y.json?ns=Other", body: "2").status == 200)
      #expect(try await server.ask(.GET, "/.json?ns=other").body == #"{"y":2}"#)
      #expect(try await server.ask(.GET, "/.json?ns=default").body == #"{"x":{"a":1}}"#)
    }
  }

  @Test func `the host names the database below a base domain`() async throws {
    try await TestServer.run(with: { $0.baseDomain = "localhost" }) { server async throws in
      let url = "http://rooms.localhost:\(server.server.port)"
      #expect(try await server.ask(.PUT, "/x.json?ns=rooms", body: "1").status == 200)
      let text = try await RawHTTP.get("/x.json", host: url, port: server.server.port)
      #expect(text.hasSuffix("\r\n\r\n1"))
    }
  }

  @Test func `everything is there again after a stop`() async throws {
    let first = try await TestServer.start()
    #expect(try await first.ask(.PUT, "/x.json", body: #"{"a":[1,2]}"#).status == 200)
    #expect(try await first.ask(.PUT, "/x.json?ns=b", body: "true").status == 200)
    await first.stop()
    let second = try await TestServer.start(folder: first.configuration.dataFolder)
    #expect(try await second.ask(.GET, "/x.json").body == #"{"a":[1,2]}"#)
    #expect(try await second.ask(.GET, "/x.json?ns=b").body == "true")
    await second.stop(removing: true)
  }

  @Test func `health and metrics answer`() async throws {
    try await TestServer.run { server async throws in
      #expect(try await server.ask(.GET, "/.health") == .init(status: 200, body: #"{"status":"ok"}"#))
      _ = try await server.ask(.PUT, "/x.json", body: "1")
      let metrics = try await server.ask(.GET, "/.metrics").body
      for line in ["dhole_writes_total 1", "dhole_commits_total 1", "dhole_databases 1"] {
        #expect(metrics.contains("\n\(line)\n"), "\(metrics)")
      }
      #expect(metrics.contains("\ndhole_polled_sessions 0\n"), "\(metrics)")
      let start = try await server.ask(.GET, "/.lp?start=t&ser=1&cb=1&v=5&ns=default")
      #expect(start.status == 200)
      let then = try await server.ask(.GET, "/.metrics").body
      #expect(then.contains("\ndhole_polled_sessions 1\n") && then.contains("\ndhole_polled_bytes 0\n"))
      #expect(try await server.ask(.GET, "/.ws").status == 426)
      #expect(try await server.ask(.GET, "/.nothing").status == 404)
    }
  }

  @Test func `the totals of a closed database are not forgotten`() async throws {
    try await TestServer.run(with: { $0.idleDatabaseSeconds = 0.2 }) { server async throws in
      _ = try await server.ask(.PUT, "/x.json", body: "1")
      for _ in 0..<200 {
        let metrics = try await server.ask(.GET, "/.metrics").body
        #expect(metrics.contains("\ndhole_writes_total 1\n"))
        if metrics.contains("\ndhole_databases 0\n") { break }
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(try await server.ask(.GET, "/.metrics").body.contains("\ndhole_databases 0\n"))
      #expect(try await server.ask(.GET, "/x.json").body == "1")
    }
  }

  @Test func `a second server on the same folder or port is told what to do`() async throws {
    try await TestServer.run { server async throws in
      await #expect { try await TestServer.start(folder: server.configuration.dataFolder) } throws: { error in
        (error as? ServerError)?.message.contains("in use by process") == true
      }
      let folder = TestServer.temporaryFolder()
      await #expect {
        try await TestServer.start(folder: folder) { $0.port = server.server.port }
      } throws: { error in
        (error as? ServerError)?.advice.contains("--port") == true
      }
      // The failed start has let go of its folder.
      try await TestServer.start(folder: folder).stop(removing: true)
    }
  }
}
