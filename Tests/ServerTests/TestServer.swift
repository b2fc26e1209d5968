import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Server

/// A server inside the test's process, on a free port, with a data folder of its own.
struct TestServer {
  let server: TreeServer
  let configuration: Configuration

  struct Answer: Equatable {
    var status: Int
    var body: String
  }

  enum Method: String {
    case GET, PUT, POST, PATCH, DELETE
  }

  static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

  static func temporaryFolder() -> String {
    FileManager.default.temporaryDirectory.appending(path: "dhole-test-\(UUID().uuidString)").path
  }

  static func start(folder: String = temporaryFolder(), _ change: (inout Configuration) -> Void = { _ in })
    async throws -> TestServer
  {
    var configuration = Configuration()
    configuration.port = 0
    configuration.dataFolder = folder
    configuration.isDevelopment = true
    configuration.threadCount = 2
    configuration.graceSeconds = 1
    change(&configuration)
    return TestServer(
      server: try await TreeServer.start(configuration, logger: quiet), configuration: configuration)
  }

  /// Starts a server, and stops it and removes its folder whatever happens.
  static func run(
    with change: (inout Configuration) -> Void, _ work: (TestServer) async throws -> Void
  ) async throws {
    let test = try await start(change)
    do {
      try await work(test)
    } catch {
      await test.stop(removing: true)
      throw error
    }
    await test.stop(removing: true)
  }

  static func run(_ work: (TestServer) async throws -> Void) async throws {
    try await run(with: { _ in }, work)
  }

  func stop(removing: Bool = false) async {
    await server.stop()
    if removing { try? FileManager.default.removeItem(atPath: configuration.dataFolder) }
  }

  func ask(
    _ method: Method, _ target: String, body: String? = nil, credential: String? = nil
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)\(target)")
    request.method = HTTPMethod(rawValue: method.rawValue)
    if let body { request.body = .bytes(ByteBuffer(string: body)) }
    if let credential { request.headers.add(name: "Authorization", value: "Bearer \(credential)") }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    let text = String(buffer: try await response.body.collect(upTo: 1 << 24))
    return Answer(status: Int(response.status.code), body: text)
  }
}
