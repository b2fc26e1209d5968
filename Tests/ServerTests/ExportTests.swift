import Foundation
import Server
import Testing

/// An export that is cut off goes on with the value as it was when it began.
@Suite struct ExportTests {
  private func text(_ count: Int = 8000) -> String {
    "{"
      + (0..<count).map {
        #""k\#($0 + 10_000)":{"n":\#($0),"text":"\#(String(repeating: "x", count: 430))"}"#
      }
      .joined(separator: ",") + "}"
  }

  private func export(_ port: Int, _ file: String, _ more: String...) async throws -> Dhole.Outcome {
    try await Dhole.run(
      ["export", "/big", file, "--auth", "owner", "--db", "shop", "--url", "http://127.0.0.1:\(port)"] + more)
  }

  @Test func `a broken connection is made anew, and the file is whole`() async throws {
    try await TestServer.run { server async throws in
      let text = text()
      #expect(try await server.ask(.PUT, "/big.json?ns=shop&print=silent", body: text).status == 204)
      let proxy = try await CuttingProxy(to: server.server.port, cutting: [1_000_000, 700_000, 5, nil])
      let file = TestServer.temporaryFolder() + ".json"
      let done = try await export(proxy.port, file)
      #expect(done.code == 0, "\(done.errors)")
      #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
      for left in [".part", ".export"] { #expect(!FileManager.default.fileExists(atPath: file + left)) }
      try FileManager.default.removeItem(atPath: file)
      try await proxy.stop()
    }
  }

  @Test func `an export that stopped goes on, and does not see what was written meanwhile`() async throws {
    try await TestServer.run { server async throws in
      let text = text()
      #expect(try await server.ask(.PUT, "/big.json?ns=shop&print=silent", body: text).status == 204)
      let file = TestServer.temporaryFolder() + ".json"
      #expect(try await export(server.server.port, file, "--resume").code == 6)
      let proxy = try await CuttingProxy(to: server.server.port, cutting: [1_000_000, 0])
      let stopped = try await export(proxy.port, file)
      try await proxy.stop()
      #expect(stopped.code == 2 && stopped.errors.contains("--resume"), "\(stopped.errors)")
      #expect(!FileManager.default.fileExists(atPath: file))
      #expect(try await server.ask(.PUT, "/big/k10000.json?ns=shop", body: "1").status == 200)
      #expect(try await server.ask(.DELETE, "/big/k17000.json?ns=shop").status == 200)
      let done = try await export(server.server.port, file, "--resume")
      #expect(done.code == 0, "\(done.errors)")
      #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
      #expect(try await export(server.server.port, file, "--resume").code == 6)
      try FileManager.default.removeItem(atPath: file)
    }
  }
}
