import Server
import Testing

@Suite struct AdminTests {
  @Test func `databases are made, listed and removed by the operator`() async throws {
    try await TestServer.run { server async throws in
      let place = "/.admin/databases/rooms.json"
      let made = try await server.ask(.PUT, place, credential: "owner")
      #expect(made.status == 201)
      #expect(made.body.hasPrefix(#"{"created":true,"name":"rooms","secret":""#))
      #expect(
        try await server.ask(.PUT, place, credential: "owner")
          == .init(status: 200, body: #"{"created":false,"name":"rooms"}"#))
      #expect(
        try await server.ask(.GET, "/.admin/databases.json", credential: "owner").body
          == #"[{"name":"rooms"}]"#)
      #expect(
        try await server.ask(.GET, "/.inspect/databases.json", credential: "owner").body
          .contains(#"{"name":"rooms"}"#))
      #expect(try await server.ask(.DELETE, place, credential: "owner").status == 200)
      #expect(try await server.ask(.DELETE, place, credential: "owner").status == 404)
    }
  }

  @Test func `a removed database comes back empty`() async throws {
    try await TestServer.run { server async throws in
      #expect(try await server.ask(.PUT, "/x.json?ns=a", body: "1").status == 200)
      #expect(try await server.ask(.DELETE, "/.admin/databases/a.json", credential: "owner").status == 200)
      #expect(try await server.ask(.GET, "/.json?ns=a").body == "null")
      #expect(try await server.ask(.PUT, "/y.json?ns=a", body: "2").status == 200)
      #expect(try await server.ask(.GET, "/.json?ns=a").body == #"{"y":2}"#)
    }
  }

  @Test func `nobody else may, and a credential in the address does not count`() async throws {
    try await TestServer.run { server async throws in
      for credential in [nil, "wrong"] {
        #expect(
          try await server.ask(.GET, "/.admin/databases.json", credential: credential)
            == .init(status: 401, body: #"{"error":"Permission denied"}"#))
      }
      #expect(try await server.ask(.DELETE, "/.admin/databases/a.json?auth=owner").status == 401)
    }
  }

  @Test(arguments: [
    "/.admin/databases/.json", "/.admin/databases/a", "/.admin/databases/A.json",
    "/.admin/databases/a%2Fb.json",
    "/.admin/databases/../x.json", "/.admin/databases/a.b.json",
  ])
  func `a name that can't be one is refused`(target: String) async throws {
    try await TestServer.run { server async throws in
      #expect(try await RawHTTP.get(target, host: "x", port: server.server.port).hasPrefix("HTTP/1.1 401"))
      #expect(try await server.ask(.PUT, target, credential: "owner").status >= 400)
    }
  }

  @Test func `other methods are refused`() async throws {
    try await TestServer.run { server async throws in
      #expect(try await server.ask(.POST, "/.admin/databases/a.json", credential: "owner").status == 405)
      #expect(try await server.ask(.DELETE, "/.admin/databases.json", credential: "owner").status == 405)
    }
  }

  @Test func `a folder without a server is managed directly`() async throws {
    let server = try await TestServer.start()
    #expect(try await server.ask(.PUT, "/x.json?ns=a", body: "1").status == 200)
    let folder = server.configuration.dataFolder
    await #expect(throws: ServerError.self) { try await StoppedServer(dataFolder: folder) }
    await server.stop()

    let stopped = try await StoppedServer(dataFolder: folder)
    #expect(try await stopped.names() == ["a"])
    #expect(try await stopped.create("b")?.utf8.count == 40)
    #expect(try await stopped.create("b") == nil)
    await #expect(throws: ServerError.self) { try await stopped.create("B") }
    #expect(try await stopped.delete("a"))
    #expect(try await !stopped.delete("a"))
    await stopped.close()

    let again = try await TestServer.start(folder: folder)
    #expect(
      try await again.ask(.GET, "/.admin/databases.json", credential: "owner").body == #"[{"name":"b"}]"#)
    await again.stop(removing: true)
  }
}
