import JSONTree
import NIOCore
import Transport

/// The small answers of the server's own endpoints.
extension Exchange {
  func respond(status: Int = 200, json: String) {
    let headers = [("content-type", "application/json; charset=utf-8"), ("cache-control", "no-cache")]
    respond(status: status, headers: headers, body: ByteBuffer(string: json))
  }

  func respond(status: Int, error: String) {
    respond(status: status, json: #"{"error":\#(Self.quoted(error))}"#)
  }

  static func quoted(_ text: String) -> String {
    var out: [UInt8] = []
    JSONText.appendString(text, to: &out)
    return String(decoding: out, as: UTF8.self)
  }
}
