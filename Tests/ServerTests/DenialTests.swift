import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Server
import Synchronization
import Testing

/// What a refused request tells, and to whom.
struct DenialTests {
  private static let rules = """
    {"rules": {
      "rooms": {"$room": {
        ".read": "auth != null && root.child('members').child($room).child(auth.uid).exists()",
        ".write": "auth != null",
        "text": {".validate": "newData.isString() && newData.val().length < 5"}
      }}
    }}
    """

  private struct Refusal {
    var status: Int
    var body: String
    var reason: String?
    var exposed: String?
  }

  private func ask(
    _ server: TestServer, _ method: HTTPMethod, _ target: String, body: String? = nil,
    credential: String? = nil,
    accept: String = "*/*"
  ) async throws -> Refusal {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.server.port)\(target)")
    request.method = method
    request.headers.add(name: "Accept", value: accept)
    if let body { request.body = .bytes(ByteBuffer(string: body)) }
    if let credential { request.headers.add(name: "Authorization", value: "Bearer \(credential)") }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    return Refusal(
      status: Int(response.status.code),
      body: String(buffer: try await response.body.collect(upTo: 1 << 20)),
      reason: response.headers.first(name: "X-Permission-Denied"),
      exposed: response.headers.first(name: "Access-Control-Expose-Headers"))
  }

  private func override(_ auth: String) -> String {
    "auth_variable_override=" + (auth.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
  }

  @Test func `in dev mode every refusal says which rule, at which line, and what it saw`() async throws {
    try await TestServer.run { server async throws in
      let put = try await server.ask(.PUT, "/.settings/rules.json", body: Self.rules, credential: "owner")
      #expect(put.status == 200)
      let read = try await ask(server, .GET, "/rooms/a.json")
      #expect(read.status == 401 && read.body == #"{"error":"Permission denied"}"#)
      let reason = try #require(read.reason)
      #expect(reason.hasPrefix(".read at /rooms/a: "))
      #expect(reason.contains("line 3") && reason.contains("auth != null = false, auth = null"))
      #expect(read.exposed == "X-Permission-Denied")

      let stream = try await ask(server, .GET, "/rooms/a.json", accept: "text/event-stream")
      #expect(stream.status == 401 && stream.reason == reason)

      let write = try await ask(
        server, .PUT, "/rooms/a/text.json?" + override(#"{"uid":"mia"}"#), body: "\"längst\\n\"",
        credential: "owner")
      #expect(write.status == 401)
      let invalid = try #require(write.reason)
      #expect(invalid.hasPrefix(".validate at /rooms/a/text: "))
      #expect(invalid.contains("line 5"))
      // One line of visible ASCII, whatever the data holds.
      #expect(invalid.contains(#"newData.val() = "l\u00e4ngst\n""#), "\(invalid)")
      #expect(invalid.contains("newData.val().length = 7"))

      let nowhere = try await ask(server, .GET, "/elsewhere.json")
      #expect(nowhere.reason == ".read at /elsewhere: no .read rule applies to this path")
    }
  }

  @Test func `in production only the operator in somebody's name is told`() async throws {
    try await TestServer.run(with: { $0.isDevelopment = false }) { server async throws in
      let secret = try #require(server.server.newAdminSecret)
      let put = try await server.ask(.PUT, "/.settings/rules.json", body: Self.rules, credential: secret)
      #expect(put.status == 200)
      for method in [HTTPMethod.GET, .PUT, .DELETE] {
        let stranger = try await ask(server, method, "/rooms/a.json", body: method == .PUT ? "1" : nil)
        #expect(stranger.status == 401 && stranger.body == #"{"error":"Permission denied"}"#)
        #expect(stranger.reason == nil && stranger.exposed == nil)
      }
      let operatorAsMia = try await ask(
        server, .GET, "/rooms/a.json?" + override(#"{"uid":"mia"}"#), credential: secret)
      #expect(operatorAsMia.status == 401)
      #expect(operatorAsMia.reason?.contains(#"auth.uid = "mia""#) == true)
      let faker = try await ask(server, .GET, "/rooms/a.json?" + override(#"{"uid":"mia"}"#))
      #expect(faker.status == 401 && faker.reason == nil)
    }
  }

  @Test func `a reason is cut to what a header may hold`() async throws {
    try await TestServer.run { server async throws in
      let rule = Array(repeating: "data.child('long').val() == 'x'", count: 40).joined(separator: " || ")
      let put = try await server.ask(
        .PUT, "/.settings/rules.json", body: #"{"rules":{".read":"\#(rule)"}}"#, credential: "owner")
      #expect(put.status == 200)
      let long = "\"" + String(repeating: "漢", count: 100_000) + "\""
      #expect(try await server.ask(.PUT, "/long.json", body: long, credential: "owner").status == 200)
      let refusal = try await ask(server, .GET, "/.json")
      #expect(refusal.status == 401)
      let reason = try #require(refusal.reason)
      #expect(reason.utf8.count < 2100 && reason.utf8.allSatisfy { $0 >= 32 && $0 < 127 })
    }
  }

  // MARK: The log

  private final class Lines: Sendable {
    let all = Mutex<[String]>([])
  }

  private struct Handler: LogHandler {
    let lines: Lines
    var metadata = Logger.Metadata()
    var logLevel: Logger.Level

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let facts = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      lines.all.withLock { $0.append("\(event.level) \(event.message) \(facts.joined(separator: " "))") }
    }
  }

  @Test(arguments: [Logger.Level.debug, .info])
  func `the server's log says at debug what was refused and why`(level: Logger.Level) async throws {
    let lines = Lines()
    var configuration = Configuration()
    configuration.port = 0
    configuration.dataFolder = TestServer.temporaryFolder()
    configuration.threadCount = 1
    configuration.graceSeconds = 1
    let logger = Logger(label: "test") { _ in Handler(lines: lines, logLevel: level) }
    let server = TestServer(
      server: try await TreeServer.start(configuration, logger: logger), configuration: configuration)
    let secret = try #require(server.server.newAdminSecret)
    #expect(
      try await server.ask(.PUT, "/.settings/rules.json", body: Self.rules, credential: secret).status == 200)
    #expect(try await server.ask(.GET, "/rooms/a.json").status == 401)
    await server.stop(removing: true)
    let denials = lines.all.withLock { $0.filter { $0.contains("permission denied") } }
    guard level == .debug else {
      #expect(denials.isEmpty)
      return
    }
    #expect(denials.count == 1)
    let line = try #require(denials.first)
    #expect(line.hasPrefix("debug permission denied database=default path=/rooms/a reason="))
    #expect(line.contains("line 3") && line.contains("auth = null") && line.hasSuffix("rule=.read"))
  }
}
