import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Speaks the REST protocol to one server, and turns every refusal into a `Failure`.
struct RESTClient: Sendable {
  /// A refused connection is told at once: by itself the library would go on trying for more than a minute.
  private static let http: HTTPClient = {
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.retryConnectionEstablishment = false
    if let file = environment("DHOLE_CA") {
      var tls = TLSConfiguration.makeClientConfiguration()
      tls.additionalTrustRoots = [.file(file)]
      configuration.tlsConfiguration = tls
    }
    return HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration)
  }()

  private let base: String
  private let database: String?
  private let credential: String?

  init(base: String, database: String?, credential: String?) {
    self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
    self.database = database
    self.credential = credential
  }

  /// The methods that operators' commands use.
  enum Method {
    case get, post, delete

    var http: HTTPMethod {
      switch self {
      case .get: .GET
      case .post: .POST
      case .delete: .DELETE
      }
    }
  }

  struct Answer {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }
  }

  /// What one call asks for; `path` is a data path without `.json`, or a dot path with its whole name.
  struct Call {
    var method: HTTPMethod = .GET
    var path: String
    var query: [(String, String)] = []
    var headers: [(String, String)] = []
    var body: HTTPClientRequest.Body?
  }

  /// Runs a call and collects its answer; throws a `Failure` for any answer but success.
  func answer(to call: Call) async throws -> Answer {
    let response = try await open(call)
    let body = try await Self.collected(response.body)
    return Answer(status: Int(response.status.code), headers: response.headers, body: body)
  }

  /// Runs a call and hands out its answer as it arrives.
  func open(_ call: Call, timeoutSeconds: Int64 = 15 * 60) async throws -> HTTPClientResponse {
    var request = HTTPClientRequest(url: url(of: call))
    request.method = call.method
    request.body = call.body
    for (name, value) in call.headers { request.headers.add(name: name, value: value) }
    if let credential { request.headers.add(name: "Authorization", value: "Bearer \(credential)") }
    let response: HTTPClientResponse
    do {
      response = try await Self.http.execute(request, timeout: .seconds(timeoutSeconds))
    } catch {
      throw unreachable(error)
    }
    guard (200..<300).contains(response.status.code) || response.status == .notModified else {
      let body = try await Self.collected(response.body)
      throw Failure.answered(
        status: Int(response.status.code),
        message: Text.member("error", of: body)
          ?? "HTTP \(response.status.code) \(response.status.reasonPhrase)",
        hasCredential: credential != nil)
    }
    return response
  }

  private func unreachable(_ error: any Error) -> Failure {
    let isTLS = error is NIOSSLError || error is NIOSSLExtraError
    return Failure(
      .unreachable, "no answer from \(base): \(Self.reason(of: error))",
      advice: isTLS
        ? "If its certificate is of an authority of your own, name that one's PEM file in DHOLE_CA."
        : "Is it running? Start one with `dhole serve --dev`, or say where it is with --url.")
  }

  /// In words: errors of the network library name the system call first.
  static func reason(of error: any Error) -> String {
    switch error {
    case let error as HTTPClientError: error.shortDescription
    case NIOSSLError.handshakeFailed: "its certificate is not trusted, or it speaks no TLS"
    case NIOSSLError.noSuchFilesystemObject, NIOSSLError.failedToLoadCertificate:
      "the file that DHOLE_CA names can't be read"
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      "its certificate is for another host"
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case let error as NIOConnectionError:
      error.connectionErrors.first.map { reason(of: $0.error) } ?? "the name \(error.host) is not known"
    default: "\(error)"
    }
  }

  private static func collected(_ body: HTTPClientResponse.Body) async throws -> [UInt8] {
    do {
      var buffer = try await body.collect(upTo: 1 << 30)
      return buffer.readBytes(length: buffer.readableBytes) ?? []
    } catch {
      throw Failure(.unreachable, "the answer broke off: \(error)", advice: "Try again.")
    }
  }

  private func url(of call: Call) -> String {
    let isSpecial = call.path.hasPrefix(".")
    var text = base + "/" + Self.escaped(call.path, keeping: "/") + (isSpecial ? "" : ".json")
    let query = (database.map { [("ns", $0)] } ?? []) + call.query
    for (place, (name, value)) in query.enumerated() {
      text += (place == 0 ? "?" : "&") + Self.escaped(name) + "=" + Self.escaped(value)
    }
    return text
  }

  /// Percent-encodes everything but unreserved characters and those of `keeping`.
  static func escaped(_ text: String, keeping: String = "") -> String {
    var out = ""
    for byte in text.utf8 {
      let character = Character(UnicodeScalar(byte))
      let isUnreserved =
        byte < 128 && (character.isLetter || character.isNumber || "-._~".contains(character))
      if isUnreserved || (byte < 128 && keeping.contains(character)) {
        out.append(character)
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        out += "%" + (digits.count == 1 ? "0" : "") + digits
      }
    }
    return out
  }
}
