import NIOCore
import NIOHTTP1

/// A request that came whole.
struct IncomingRequest {
  var head: RequestHead
  var body: ByteBuffer
  /// Whether the head has a field named `upgrade`.
  var hasUpgrade: Bool
}

/// Why a request is not even shown to the router. The connection is closed after it.
struct Refusal: Equatable {
  var status: Int
  var text: String
}

/// Puts a request together from the parser's parts and refuses what is ambiguous or too large, without I/O.
struct RequestAssembly {
  private var head: RequestHead?
  private var body = ByteBuffer()
  private var limit = 0
  private(set) var expectsContinue = false
  private var hasUpgrade = false

  /// Whether a request's head came and its end did not.
  var isReceiving: Bool { head != nil }
  /// The bytes of the body so far.
  var receivedBytes: Int { body.readableBytes }

  mutating func begin(_ head: RequestHead, limit: Int) -> Refusal? {
    let fields = FramingFields(head.fields)
    if let refusal = Self.ambiguity(in: head, fields) { return refusal }
    if let expectation = fields.expectation, expectation.lowercased() != "100-continue" {
      return Refusal(status: 417, text: "Only 100-continue can be expected.")
    }
    if let length = fields.length {
      guard let count = Int(length), count >= 0 else { return Self.malformed }
      if count > limit { return Self.tooLarge }
    }
    self.head = head
    self.limit = limit
    hasUpgrade = fields.hasUpgrade
    expectsContinue = fields.expectation != nil && head.isHTTP11
    return nil
  }

  mutating func append(_ piece: ByteBuffer) -> Refusal? {
    guard head != nil else { return nil }
    guard body.readableBytes + piece.readableBytes <= limit else { return Self.tooLarge }
    if body.readableBytes == 0 {
      // A copy of its own size: the piece is part of a receive buffer.
      body = ByteBuffer()
    }
    body.writeImmutableBuffer(piece)
    return nil
  }

  mutating func end() -> IncomingRequest? {
    guard let head else { return nil }
    let request = IncomingRequest(head: head, body: body, hasUpgrade: hasUpgrade)
    self = RequestAssembly()
    return request
  }

  /// Nobody has to be asked to go on any more.
  mutating func answeredExpectation() { expectsContinue = false }

  static let malformed = Refusal(status: 400, text: "The request cannot be understood.")
  static let tooLarge = Refusal(status: 413, text: "The request is too large.")
  static let late = Refusal(status: 408, text: "The request did not come in time.")

  /// What two readers of the same bytes could understand differently.
  private static func ambiguity(in head: RequestHead, _ fields: FramingFields) -> Refusal? {
    guard fields.hosts == 1 || fields.hosts == 0 && !head.isHTTP11 else {
      return Refusal(status: 400, text: "A request names one host.")
    }
    guard fields.lengths <= 1 else { return malformed }
    if let encoding = fields.encoding {
      guard head.isHTTP11, fields.lengths == 0 else { return malformed }
      guard fields.encodings == 1, encoding.lowercased() == "chunked" else {
        return Refusal(status: 501, text: "Only chunked is understood as a transfer encoding.")
      }
    }
    if head.method == "CONNECT" { return Refusal(status: 501, text: "This server is not a proxy.") }
    return nil
  }

  /// What the parser's complaint means to the client.
  static func refusal(for error: HTTPParserError) -> Refusal {
    switch error {
    case .headerOverflow: Refusal(status: 431, text: "The request's head is too large.")
    case .invalidVersion: Refusal(status: 505, text: "This server speaks HTTP/1.1.")
    case .invalidMethod: Refusal(status: 501, text: "The method is unknown.")
    default: malformed
    }
  }
}

/// The fields of a head that say where its request ends, found in one pass.
private struct FramingFields {
  var hosts = 0
  var lengths = 0
  var length: String?
  var encodings = 0
  var encoding: String?
  var expectation: String?
  var hasUpgrade = false

  init(_ fields: HTTPHeaders) {
    for (name, value) in fields {
      switch name.utf8.count {
      case 4 where Self.equal(name, "host"):
        hosts += 1
      case 6 where Self.equal(name, "expect"):
        expectation = value
      case 7 where Self.equal(name, "upgrade"):
        hasUpgrade = true
      case 14 where Self.equal(name, "content-length"):
        lengths += 1
        length = value
      case 17 where Self.equal(name, "transfer-encoding"):
        encodings += 1
        encoding = value
      default: break
      }
    }
  }

  private static func equal(_ name: String, _ lowercase: String) -> Bool {
    name.utf8.elementsEqual(lowercase.utf8) { $0 | 0x20 == $1 || $0 == $1 }
  }
}
