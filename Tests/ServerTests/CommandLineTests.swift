import Foundation
import Server
import Testing

@Suite struct CommandLineTests {
  private func dhole(_ server: TestServer, _ arguments: String..., input: String? = nil) async throws
    -> Dhole.Outcome
  {
    try await Dhole.run(arguments + ["--url", "http://127.0.0.1:\(server.server.port)"], input: input)
  }

  @Test func `values are set, updated, pushed, read and removed`() async throws {
    try await TestServer.run { server async throws in
      #expect(try await dhole(server, "set", "/a b/ä", #"{"x":1}"#) == .init(code: 0, output: "", errors: ""))
      #expect(try await dhole(server, "set", "/piped", input: "[1,2]\n").code == 0)
      #expect(try await dhole(server, "update", "/", #"{"a b/ä/y":2,"piped":null}"#).code == 0)
      #expect(try await dhole(server, "get", "/").output == #"{"a b":{"ä":{"x":1,"y":2}}}"# + "\n")
      #expect(
        try await dhole(server, "get", "a b/ä.json", "--shallow").output == #"{"x":true,"y":true}"# + "\n")
      let key = try await dhole(server, "push", "/list", "true").output.trimmingCharacters(in: .newlines)
      #expect(key.count == 20)
      #expect(try await dhole(server, "get", "/list").output == "{\"\(key)\":true}\n")
      #expect(try await dhole(server, "remove", "/list", "--json").output == "null\n")
      #expect(try await dhole(server, "get", "/list", "--json").output == "null\n")
      #expect(try await dhole(server, "set", "/n", "1", "--db", "other").code == 0)
      #expect(try await dhole(server, "get", "/n").output == "null\n")
    }
  }

  @Test func `queries take their bounds as JSON`() async throws {
    try await TestServer.run { server async throws in
      let rules = #"{"rules":{".read":true,".write":true,"q":{".indexOn":"n"}}}"#
      #expect(
        try await server.ask(.PUT, "/.settings/rules.json", body: rules, credential: "owner").status == 200)
      #expect(try await dhole(server, "set", "/q", #"{"a":{"n":3},"b":{"n":1},"c":{"n":2}}"#).code == 0)
      let first = try await dhole(server, "get", "/q", "--order-by", "n", "--limit-to-first", "1")
      #expect(first.output == #"{"b":{"n":1}}"# + "\n")
      let middle = try await dhole(
        server, "get", "/q", "--order-by", "n", "--start-at", "2", "--end-before", "3")
      #expect(middle.output == #"{"c":{"n":2}}"# + "\n")
      let unindexed = try await dhole(server, "get", "/q", "--order-by", "m", "--equal-to", "1")
      #expect(unindexed.code == 6 && unindexed.errors.contains(".indexOn"))
    }
  }

  @Test func `each kind of failure has its exit code and says what to do`() async throws {
    let nobody = try await Dhole.run(["get", "/", "--url", "http://127.0.0.1:1"])
    #expect(nobody.code == 2 && nobody.errors.contains("dhole serve"))
    #expect(try await Dhole.run(["get", "/", "--url", "ftp://x"]).code == 64)
    #expect(try await Dhole.run(["frobnicate"]).code == 64)
    try await TestServer.run { server async throws in
      #expect(try await dhole(server, "set", "/x", "{").code == 6)
      #expect(try await dhole(server, "get", "/a.b").code == 6)
      #expect(try await dhole(server, "set", "/x", "1").code == 0)
      #expect(try await dhole(server, "set", "/x", "2", "--if-match", "null_etag").code == 5)
      #expect(try await dhole(server, "get", "/x", "--auth", "wrong").code == 3)
      let json = try await dhole(server, "get", "/a.b", "--json")
      #expect(json.errors.hasPrefix(#"{"error":"#) && json.errors.contains(#""code":6"#))
    }
    try await TestServer.run(with: { $0.isDevelopment = false }) { server async throws in
      let denied = try await dhole(server, "get", "/x")
      #expect(denied.code == 3 && denied.errors.contains("--auth"))
      let secret = try #require(server.server.newAdminSecret)
      let unknown = try await dhole(server, "get", "/x", "--db", "nope", "--auth", secret)
      #expect(unknown.code == 4 && unknown.errors.contains("dhole db create"))
    }
  }

  @Test func `watch prints each change as it arrives`() async throws {
    try await TestServer.run { server async throws in
      #expect(try await dhole(server, "set", "/w/a", "1").code == 0)
      async let watching = dhole(server, "watch", "/w", "--json", "--count", "4")
      while try await !server.ask(.GET, "/.metrics").body.contains("\ndhole_listens 1\n") {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(try await dhole(server, "set", "/w/b", #"{"t":"\n"}"#).code == 0)
      #expect(try await dhole(server, "update", "/w", #"{"a":2,"b/t":null}"#).code == 0)
      #expect(try await dhole(server, "set", "/elsewhere", "0").code == 0)
      #expect(try await dhole(server, "remove", "/w").code == 0)
      let lines = try await watching.output.split(separator: "\n").map(String.init)
      #expect(lines.count == 4)
      #expect(lines.first == #"{"event":"put","path":"/","data":{"a":1}}"#)
      #expect(lines.dropFirst().first == #"{"event":"put","path":"/b","data":{"t":"\n"}}"#)
      #expect(lines.last == #"{"event":"put","path":"/","data":null}"#)
    }
  }

  @Test func `an export is imported again with its priorities`() async throws {
    try await TestServer.run { server async throws in
      let value = #"{"a":{".priority":1,".value":"x"},"b":[true,{"c":1.5}]}"#
      #expect(try await dhole(server, "set", "/v", value).code == 0)
      let file = TestServer.temporaryFolder() + ".json"
      #expect(try await dhole(server, "export", "/v", file).code == 0)
      #expect(try await dhole(server, "import", file, "/copy").code == 0)
      let copy = try await dhole(server, "get", "/copy", "--export").output
      #expect(copy == (try await dhole(server, "get", "/v", "--export").output))
      #expect(copy.contains(".priority"))
      #expect(try await dhole(server, "export", "/v").output + "\n" == copy)
      #expect(try await dhole(server, "import", file + ".none", "/copy").code == 1)
      try FileManager.default.removeItem(atPath: file)
    }
  }

  @Test func `a large import goes over in updates, and goes on where it stopped`() async throws {
    try await TestServer.run { server async throws in
      let file = TestServer.temporaryFolder() + ".json"
      let records = (0..<20_000).map {
        #""k\#($0)":{".priority":\#($0),"text":"\#(String(repeating: "x", count: 430))"}"#
      }
      let text = "{" + records.joined(separator: ",") + "}"
      try Data(text.utf8).write(to: URL(filePath: file))
      #expect(try await dhole(server, "set", "/big/old", "1").code == 0)
      #expect(try await dhole(server, "import", file, "/big", "--resume").code == 6)
      let rules = #"{"rules":{".read":true,".write":"!root.child('big/k9000').exists()"}}"#
      #expect(
        try await server.ask(.PUT, "/.settings/rules.json", body: rules, credential: "owner").status == 200)
      let stopped = try await dhole(server, "import", file, "/big")
      #expect(stopped.code == 3 && stopped.errors.contains("--resume"), "\(stopped.errors)")
      #expect(try await dhole(server, "get", "/big/k19999/text").output == "null\n")
      let done = try await dhole(server, "import", file, "/big", "--resume", "--auth", "owner")
      #expect(done.code == 0, "\(done.errors)")
      #expect(!FileManager.default.fileExists(atPath: file + ".import"))
      let copy = TestServer.temporaryFolder() + ".json"
      #expect(try await dhole(server, "export", "/big", copy, "--auth", "owner").code == 0)
      let exported = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: copy)))
      let expected = try JSONSerialization.jsonObject(with: Data(text.utf8))
      #expect(try #require(exported as? NSDictionary) == (try #require(expected as? NSDictionary)))
      for name in [file, copy] { try FileManager.default.removeItem(atPath: name) }
    }
  }

  @Test func `databases are managed on a running server and on a folder`() async throws {
    let server = try await TestServer.start()
    let made = try await dhole(server, "db", "create", "shop", "--auth", "owner").output.split(
      separator: "\n")
    #expect(made.first == "created shop")
    #expect(made.last?.hasPrefix("its secret, shown only now: ") == true)
    #expect(try await dhole(server, "db", "list", "--auth", "owner").output == "shop\n")
    #expect(try await dhole(server, "db", "list").code == 3)
    #expect(try await dhole(server, "db", "delete", "shop", "--auth", "owner").code == 6)
    let folder = server.configuration.dataFolder
    let busy = try await Dhole.run(["db", "list", "--data", folder])
    #expect(busy.code == 1 && busy.errors.contains("in use"))
    await server.stop()
    #expect(
      try await Dhole.run(["db", "list", "--data", folder, "--json"]).output == #"[{"name":"shop"}]"# + "\n")
    #expect(try await Dhole.run(["db", "delete", "shop", "--data", folder, "--force"]).code == 0)
    #expect(try await Dhole.run(["db", "delete", "shop", "--data", folder, "--force"]).code == 4)
    #expect(try await Dhole.run(["db", "list", "--data", folder]).output == "")
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func `bench reports figures and leaves nothing behind`() async throws {
    try await TestServer.run { server async throws in
      let outcome = try await dhole(
        server, "bench", "--json", "--seconds", "1", "--writers", "3", "--listeners", "5")
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.output.contains(#""put":{"per_second":"#))
      #expect(outcome.output.contains(#""fan-out":{"per_second":"#))
      #expect(try await server.ask(.GET, "/.json").body == "null")
    }
  }

  @Test func `version and completions are there`() async throws {
    #expect(try await Dhole.run(["version"]).output == "dhole \(Version.current)\n")
    #expect(try await Dhole.run(["--version"]).output == "\(Version.current)\n")
    #expect(try await Dhole.run(["help", "serve"]).output.contains("--durability"))
  }
}
