import AsyncHTTPClient
import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Server
import Testing

/// The JavaScript SDK as a server gives it away, over real sockets.
@Suite struct SDKFilesTests {
  private struct Index: Decodable {
    struct File: Decodable {
      let path: String
      let bytes: Int
      let gzipped: Int
      let integrity: String
    }
    let version: String
    let files: [String: File]
  }

  private struct Answer {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]

    func header(_ name: String) -> String? { headers.first(name: name) }
    var text: String { String(decoding: body, as: UTF8.self) }
  }

  private static let dist = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../sdk-js/dist").standardized

  private func ask(
    _ server: TestServer, _ path: String, method: HTTPMethod = .GET, _ headers: [(String, String)] = []
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.server.port)\(path)")
    request.method = method
    request.headers = HTTPHeaders(headers)
    // The shared client would ask for gzip by itself, and unpack it.
    let client = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
    let response: HTTPClientResponse
    let body: ByteBuffer
    do {
      response = try await client.execute(request, timeout: .seconds(30))
      body = try await response.body.collect(upTo: 1 << 20)
    } catch {
      try await client.shutdown()
      throw error
    }
    try await client.shutdown()
    return Answer(
      status: Int(response.status.code), headers: response.headers, body: Array(body.readableBytesView))
  }

  private func index(_ server: TestServer) async throws -> Index {
    try JSONDecoder().decode(Index.self, from: Data(try await ask(server, "/.sdk/").body))
  }

  @Test func `every file of dist is listed and served, and its integrity is that of its bytes`() async throws
  {
    try await TestServer.run { server async throws in
      let index = try await index(server)
      let built = try FileManager.default.contentsOfDirectory(atPath: Self.dist.path)
      #expect(Set(built.filter { $0 != "integrity.json" }) == Set(index.files.keys))
      for (name, file) in index.files {
        let answer = try await ask(server, file.path)
        #expect(answer.status == 200 && answer.body.count == file.bytes)
        #expect(FileManager.default.contents(atPath: Self.dist.path + "/" + name) == Data(answer.body))
        #expect(file.integrity == "sha384-" + Data(SHA384.hash(data: answer.body)).base64EncodedString())
        #expect(answer.header("content-type") == "text/javascript; charset=utf-8")
        #expect(answer.header("content-encoding") == nil)
        #expect(answer.header("cache-control") == "public, max-age=31536000, immutable")
        #expect(answer.header("access-control-allow-origin") == "*")
      }
      #expect(try await ask(server, "/.sdk").text == ask(server, "/.sdk/").text)
    }
  }

  @Test func `whoever takes gzip gets less, and both codings have tags of their own`() async throws {
    try await TestServer.run { server async throws in
      let file = try #require(try await index(server).files["dhole-weapp.min.js"])
      let small = try await ask(server, file.path, [("accept-encoding", "br, gzip;q=0.5")])
      #expect(small.header("content-encoding") == "gzip" && small.body.count == file.gzipped)
      #expect(small.body.starts(with: [0x1f, 0x8b]) && file.gzipped <= 12_288)
      // The last four bytes of gzip are the length of what is in it.
      let length = small.body.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
      #expect(length == file.bytes)
      let large = try await ask(server, file.path, [("accept-encoding", "gzip;q=0")])
      #expect(large.header("content-encoding") == nil && large.body.count == file.bytes)
      #expect(small.header("vary") == "accept-encoding" && small.header("etag") != large.header("etag"))
    }
  }

  @Test func `without a version the cache is short, and asks whether there is another`() async throws {
    try await TestServer.run { server async throws in
      let first = try await ask(server, "/.sdk/dhole-web.min.js")
      #expect(first.status == 200 && first.header("cache-control") == "public, max-age=300")
      let tag = try #require(first.header("etag"))
      let again = try await ask(server, "/.sdk/dhole-web.min.js", [("if-none-match", "\"x\", " + tag)])
      #expect(again.status == 304 && again.body.isEmpty && again.header("etag") == tag)
      let other = try await ask(server, "/.sdk/dhole-web.min.js", [("if-none-match", "\"x\"")])
      #expect(other.status == 200)
      let head = try await ask(server, "/.sdk/dhole-web.min.js", method: .HEAD)
      #expect(head.status == 200 && head.body.isEmpty)
      #expect(head.header("content-length") == String(first.body.count))
    }
  }

  @Test func `what is not there is told with what is`() async throws {
    try await TestServer.run { server async throws in
      let version = try await index(server).version
      let old = try await ask(server, "/.sdk/0.0.7/dhole-weapp.min.js")
      #expect(old.status == 404 && old.text.contains("/.sdk/\(version)/dhole-weapp.min.js"))
      let unknown = try await ask(server, "/.sdk/\(version)/dhole.js")
      #expect(unknown.status == 404 && unknown.text.contains("/.sdk/ lists"))
      #expect(try await ask(server, "/.sdk/a/b/c").status == 404)
      #expect(try await ask(server, "/.sdk/dhole-web.min.js", method: .POST).status == 405)
      #expect(try await ask(server, "/.sdk/dhole-web.min.js", method: .OPTIONS).status == 204)
    }
  }
}
