import Foundation
import NIOCore
import Transport

/// What a request to the server's own endpoints says: its body, as JSON or as a form, and its query.
struct RequestParameters: Sendable {
  /// The largest body that is read.
  static let bodyLimitBytes = 64 * 1024

  private(set) var values: [String: JSONValue] = [:]

  /// Nil when the body is neither JSON nor a form.
  init?(_ exchange: Exchange) {
    guard let query = Self.form(exchange.head.query) else { return nil }
    values = query
    guard exchange.body.readableBytes > 0 else { return }
    let bytes = exchange.body.readableBytesView
    let type = exchange.head.header("content-type")?.lowercased() ?? ""
    if type.hasPrefix("application/x-www-form-urlencoded"), bytes.first != UInt8(ascii: "{") {
      guard let form = Self.form(Substring(String(decoding: bytes, as: UTF8.self))) else { return nil }
      values.merge(form) { $1 }
      return
    }
    guard let object = try? JSONDecoder().decode([String: JSONValue].self, from: Data(bytes)) else {
      return nil
    }
    values.merge(object) { $1 }
  }

  /// The text of a parameter; nil when it is absent, empty or no text.
  subscript(name: String) -> String? {
    guard let text = values[name]?.text, !text.isEmpty else { return nil }
    return text
  }

  /// A JSON object from its text; nil when it is none.
  static func object(_ text: String) -> JSONValue? {
    (try? JSONDecoder().decode([String: JSONValue].self, from: Data(text.utf8))).map { .object($0) }
  }

  /// The text of a parameter, which may be empty.
  func text(_ name: String) -> String? { values[name]?.text }

  func bool(_ name: String) -> Bool? {
    if case .bool(let value) = values[name] { value } else { nil }
  }

  func texts(_ name: String) -> [String] {
    guard case .list(let elements) = values[name] else { return [] }
    return elements.compactMap(\.text)
  }

  private static func form(_ text: Substring) -> [String: JSONValue]? {
    var values: [String: JSONValue] = [:]
    for pair in text.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let plain = parts.map { $0.replacing("+", with: " ").removingPercentEncoding }
      guard let name = plain.first ?? nil, let value = plain.count > 1 ? plain[1] : "" else { return nil }
      values[name] = .string(value)
    }
    return values
  }
}
