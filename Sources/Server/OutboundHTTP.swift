import AsyncHTTPClient
import Foundation
import Identity
import NIOCore
import NIOHTTP1
import NIOPosix

/// What the server asks of others: small answers, soon, or not at all.
struct OutboundHTTP: Sendable {
  struct Trouble: Error, CustomStringConvertible {
    let description: String
  }

  let client: HTTPClient
  static let timeout = TimeAmount.seconds(10)

  /// One that follows no redirects: where it goes is configured. Its loops outlive the server's, so that what
  /// is under way when the server stops ends as a failure. They are started with the first request.
  static func makeClient() -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration)
  }

  func get(_ url: String, limitBytes: Int) async throws -> (headers: HTTPHeaders, body: [UInt8]) {
    try await run(HTTPClientRequest(url: url), limitBytes)
  }

  func post(_ url: String, json: [UInt8], headers: [(String, String)], limitBytes: Int = 64 * 1024)
    async throws
  {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers = HTTPHeaders([("Content-Type", "application/json")] + headers)
    request.body = .bytes(ByteBuffer(bytes: json))
    _ = try await run(request, limitBytes)
  }

  private func run(_ request: HTTPClientRequest, _ limitBytes: Int) async throws
    -> (headers: HTTPHeaders, body: [UInt8])
  {
    let response = try await client.execute(request, timeout: Self.timeout)
    guard (200..<300).contains(response.status.code) else {
      throw Trouble(description: "HTTP \(response.status.code)")
    }
    let body = try await response.body.collect(upTo: limitBytes)
    return (response.headers, Array(body.readableBytesView))
  }
}

/// A provider's keys at an address, or in a file.
struct ProviderKeys: KeySource {
  let location: String
  let http: OutboundHTTP

  func fetch() async throws -> FetchedKeys {
    guard location.hasPrefix("https://") || location.hasPrefix("http://") else {
      guard let data = FileManager.default.contents(atPath: location) else {
        throw OutboundHTTP.Trouble(description: "can't read \(location)")
      }
      return FetchedKeys(json: Array(data))
    }
    let (headers, body) = try await http.get(location, limitBytes: 256 * 1024)
    return FetchedKeys(json: body, freshSeconds: Self.maxAge(headers))
  }

  /// The seconds that a `Cache-Control` header gives.
  static func maxAge(_ headers: HTTPHeaders) -> Int64? {
    for directive in headers[canonicalForm: "cache-control"] {
      let parts = directive.lowercased().split(separator: "=", maxSplits: 1)
      if parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == "max-age" {
        return Int64(parts[1].trimmingCharacters(in: .whitespaces))
      }
    }
    return nil
  }
}

/// WeChat's `jscode2session`, or a stand-in for it.
struct WeChatServer: WeChatExchange {
  let base: String
  let appID: String
  let secret: String
  let http: OutboundHTTP

  private struct Answer: Decodable {
    let openid: String?
    let unionid: String?
    let session_key: String?
    let errcode: Int?
  }

  func session(code: String) async throws -> WeChatSession {
    var address = URLComponents(string: base)
    address?.path += "/sns/jscode2session"
    address?.queryItems = [
      URLQueryItem(name: "appid", value: appID), URLQueryItem(name: "secret", value: secret),
      URLQueryItem(name: "js_code", value: code),
      URLQueryItem(name: "grant_type", value: "authorization_code"),
    ]
    // What a plus means in a query depends on who reads it.
    guard let text = address?.string?.replacing("+", with: "%2B") else {
      throw AccountError.unavailable("--wechat-url is no address")
    }
    let answer: Answer
    do {
      let body = try await http.get(text, limitBytes: 16 * 1024).body
      answer = try JSONDecoder().decode(Answer.self, from: Data(body))
    } catch {
      // The address has the secret in it and must not get into a log.
      throw AccountError.unavailable("WeChat does not answer: \(type(of: error))")
    }
    guard let openID = answer.openid, !openID.isEmpty, openID.utf8.count <= 128, let key = answer.session_key,
      answer.errcode ?? 0 == 0
    else {
      // 40029 invalid code, 40163 used code, 40226 risky user: the caller's; others are ours.
      let theirs = [40029, 40163, 40226]
      guard let code = answer.errcode, !theirs.contains(code) else { throw AccountError.weChatRefused }
      throw AccountError.unavailable("WeChat answers with errcode \(code)")
    }
    return WeChatSession(openID: openID, unionID: answer.unionid, sessionKey: key)
  }
}
