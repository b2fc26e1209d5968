import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Server

/// Lets so many through at a time.
actor Places {
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(_ count: Int) { free = count }

  func take() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  func give() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }
}

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
    await places.take()
    let result: Result<Void, any Error>
    do {
      let test = try await start(change)
      do {
        result = .success(try await work(test))
      } catch {
        result = .failure(error)
      }
      await test.stop(removing: true)
    } catch {
      result = .failure(error)
    }
    await places.give()
    try result.get()
  }

  /// So many run at a time. All tests of a run start at once, each server has twenty descriptors, and
  /// Foundation's `Process` reads past the end of its list of descriptors once there are some thousand.
  private static let places = Places(12)

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
