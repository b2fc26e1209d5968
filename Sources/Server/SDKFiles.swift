import CSDK
import Foundation
import NIOCore
import Transport

/// The JavaScript SDK as the binary holds it, at `/.sdk/`.
///
///     /.sdk/                   which files there are, their sizes and their integrity hashes
///     /.sdk/VERSION/NAME       a file that never changes
///     /.sdk/NAME               the file of the version that is here
struct SDKFiles: Sendable {
  struct File: Sendable {
    let plain: ByteBuffer
    let gzipped: ByteBuffer
    /// `sha384-…`, as the `integrity` of a `<script>`.
    let integrity: String
  }

  /// What `make sdk` writes beside the files.
  private struct Manifest: Decodable {
    let version: String
    let files: [String: String]
  }

  let version: String
  private let files: [String: File]
  private let index: ByteBuffer

  static let shared = SDKFiles()

  init() {
    var files: [String: File] = [:]
    var manifest: Manifest?
    for file in UnsafeBufferPointer(start: csdk_files_start(), count: csdk_file_count) {
      let bytes = UnsafeBufferPointer(start: file.bytes, count: file.count)
      let name = String(cString: file.name)
      if name == "integrity.json" {
        manifest = try? JSONDecoder().decode(Manifest.self, from: Data(bytes))
        continue
      }
      files[name] = File(
        plain: ByteBuffer(bytes: bytes),
        gzipped: ByteBuffer(bytes: UnsafeBufferPointer(start: file.gzipped, count: file.gzipped_count)),
        integrity: manifest?.files[name] ?? "")
    }
    let version = manifest?.version ?? ""
    let list = files.sorted { $0.key < $1.key }.map { name, file in
      #""\#(name)":{"path":"/.sdk/\#(version)/\#(name)","bytes":\#(file.plain.readableBytes),"#
        + #""gzipped":\#(file.gzipped.readableBytes),"integrity":"\#(file.integrity)"}"#
    }
    index = ByteBuffer(string: #"{"version":"\#(version)","files":{\#(list.joined(separator: ","))}}"#)
    self.version = version
    self.files = files
  }

  static func isSDK(path: Substring) -> Bool {
    path == "/.sdk" || path.hasPrefix("/.sdk/")
  }

  func respond(to exchange: Exchange) {
    switch exchange.head.method {
    case "GET", "HEAD": break
    case "OPTIONS": return exchange.respond(status: 204, headers: Self.open)
    default: return exchange.respond(status: 405, error: "The SDK can only be read.")
    }
    let parts = exchange.head.path.dropFirst("/.sdk".count).split(separator: "/").map(String.init)
    switch parts.count {
    case 0: sendIndex(exchange)
    case 1: send(parts[0], "public, max-age=300", exchange)
    case 2 where parts[0] == version: send(parts[1], "public, max-age=31536000, immutable", exchange)
    case 2: refuse("Version \(version) of the SDK is here: /.sdk/\(version)/\(parts[1])", exchange)
    default: refuse("/.sdk/ lists the files that are here.", exchange)
    }
  }

  private func sendIndex(_ exchange: Exchange) {
    let headers = [("content-type", "application/json; charset=utf-8"), ("cache-control", "no-cache")]
    exchange.respond(status: 200, headers: headers + Self.open, body: index)
  }

  private func send(_ name: String, _ cacheControl: String, _ exchange: Exchange) {
    guard let file = files[name] else {
      return refuse("There is no such file in the SDK: /.sdk/ lists those that are.", exchange)
    }
    let isGzipped = Self.acceptsGzip(exchange.head)
    // What a proxy keeps of one coding is not the other's.
    let tag = "\"\(file.integrity)\(isGzipped ? "-gzip" : "")\""
    var headers =
      [("etag", tag), ("cache-control", cacheControl), ("vary", "accept-encoding")] + Self.open
    if exchange.head.headers("if-none-match").contains(where: { $0.contains(tag) || $0 == "*" }) {
      return exchange.respond(status: 304, headers: headers)
    }
    headers.append(("content-type", "text/javascript; charset=utf-8"))
    if isGzipped { headers.append(("content-encoding", "gzip")) }
    exchange.respond(status: 200, headers: headers, body: isGzipped ? file.gzipped : file.plain)
  }

  private func refuse(_ text: String, _ exchange: Exchange) {
    let headers = [("content-type", "application/json; charset=utf-8"), ("cache-control", "no-cache")]
    let body = ByteBuffer(string: #"{"error":\#(Exchange.quoted(text))}"#)
    exchange.respond(status: 404, headers: headers + Self.open, body: body)
  }

  /// Pages of any origin may use the files, with their integrity checked.
  private static let open = [
    ("access-control-allow-origin", "*"), ("cross-origin-resource-policy", "cross-origin"),
    ("x-content-type-options", "nosniff"),
  ]

  /// Whether `Accept-Encoding` names gzip, and not with a weight of nothing.
  static func acceptsGzip(_ head: RequestHead) -> Bool {
    for value in head.headers("accept-encoding").flatMap({ $0.lowercased().split(separator: ",") }) {
      let parts = value.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.first == "gzip" || parts.first == "*" else { continue }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
      return weight.flatMap { Double($0) } ?? 1 > 0
    }
    return false
  }
}
