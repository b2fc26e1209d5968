import Engine
import JSONTree

extension Request {
  /// Reads one message where it stands; nothing it holds can make this fail.
  package static func read(_ message: UnsafeRawBufferPointer) -> Request {
    var reader = RequestReader(message)
    return reader.read()
  }
}

/// Reads a message in one pass over its bytes, if its members come in the usual order.
///
/// A member that can only be understood with a later one is skipped and read in a second pass.
struct RequestReader {
  /// The members of all messages that are named with one letter.
  enum Field {
    case type, data, number, action, body, path, query, hash, ranges, since, other

    init(_ name: UnsafeRawBufferPointer) {
      guard name.count == 1 else {
        self = name.elementsEqual("ch".utf8) ? .ranges : .other
        return
      }
      switch name[0] {
      case UInt8(ascii: "t"): self = .type
      case UInt8(ascii: "d"): self = .data
      case UInt8(ascii: "r"): self = .number
      case UInt8(ascii: "a"): self = .action
      case UInt8(ascii: "b"): self = .body
      case UInt8(ascii: "p"): self = .path
      case UInt8(ascii: "q"): self = .query
      case UInt8(ascii: "h"): self = .hash
      case UInt8(ascii: "i"): self = .since
      default: self = .other
      }
    }
  }

  private enum Layer {
    case control, data, unknown
  }

  let message: UnsafeRawBufferPointer
  var json: JSONReader
  private var number: Int64?

  init(_ message: UnsafeRawBufferPointer) {
    self.message = message
    json = JSONReader(message)
  }

  mutating func read() -> Request {
    do throws(JSONSyntaxError) {
      let request = try envelope()
      try json.expectEnd()
      return request
    } catch {
      guard let number = number ?? RequestReader.number(in: message) else { return .unanswerable }
      return .action(number, .refuse(Refusal(error)))
    }
  }

  private mutating func envelope() throws(JSONSyntaxError) -> Request {
    var layer: Layer?
    var skipped: Int?
    var request: Request?
    try json.beginObject()
    while let field = try json.nextKey(Field.init) {
      switch field {
      case .type:
        layer = try json.withStringUTF8(RequestReader.layer)
      case .data where layer != nil:
        request = try content(of: layer)
      case .data:
        skipped = json.position
        try json.skipValue()
      default:
        try json.skipValue()
      }
    }
    if request == nil, let skipped {
      let end = json.position
      json.seek(to: skipped)
      request = try content(of: layer)
      json.seek(to: end)
    }
    return request ?? .unanswerable
  }

  private static func layer(_ name: UnsafeRawBufferPointer) -> Layer {
    guard name.count == 1 else { return .unknown }
    switch name[0] {
    case UInt8(ascii: "c"): return .control
    case UInt8(ascii: "d"): return .data
    default: return .unknown
    }
  }

  private mutating func content(of layer: Layer?) throws(JSONSyntaxError) -> Request {
    switch layer {
    case .control: return try control()
    case .data: return try numbered()
    case .unknown, nil:
      try json.skipValue()
      return .unanswerable
    }
  }

  private mutating func control() throws(JSONSyntaxError) -> Request {
    var request = Request.ignored
    try json.beginObject()
    while let field = try json.nextKey(Field.init) {
      guard field == .type, json.next == .string else {
        try json.skipValue()
        continue
      }
      request = try json.withStringUTF8(RequestReader.control)
    }
    return request
  }

  private static func control(_ name: UnsafeRawBufferPointer) -> Request {
    guard name.count == 1 else { return .ignored }
    switch name[0] {
    case UInt8(ascii: "p"): return .ping
    case UInt8(ascii: "n"): return .endOfTransmission
    default: return .ignored
    }
  }

  private mutating func numbered() throws(JSONSyntaxError) -> Request {
    var verb: Verb?
    var body: Int?
    var action: Action?
    try json.beginObject()
    while let field = try json.nextKey(Field.init) {
      switch field {
      case .number:
        number = try requestNumber()
      case .action where json.next == .string:
        verb = try json.withStringUTF8(Verb.init)
      case .body:
        body = json.position
        if let verb { action = try self.action(verb) } else { try json.skipValue() }
      default:
        try json.skipValue()
      }
    }
    if action == nil, let verb {
      let end = json.position
      if let body { json.seek(to: body) }
      action = body == nil ? verb.withoutBody : try self.action(verb)
      json.seek(to: end)
    }
    guard let number else { return .unanswerable }
    return .action(number, action ?? .refuse(Refusal(.failure, FirebaseText.unknownAction)))
  }

  /// A request's number; nil for anything else, which is skipped.
  private mutating func requestNumber() throws(JSONSyntaxError) -> Int64? {
    guard json.next == .number else {
      try json.skipValue()
      return nil
    }
    guard let number = try json.readInteger(), RequestReader.numbers.contains(number) else { return nil }
    return number
  }

  /// The numbers that a request can have: those that every client can read back.
  static let numbers: Range<Int64> = 0..<1 << 53

  private static func number(in message: UnsafeRawBufferPointer) -> Int64? {
    var scanner = RequestNumberScanner()
    scanner.scan(message)
    return scanner.number
  }

  /// Reads a body; if it is JSON but makes no sense, that is the action's own failure.
  private mutating func action(_ verb: Verb) throws(JSONSyntaxError) -> Action {
    let start = json.position
    let refusal: Refusal
    do throws(JSONSyntaxError) {
      let action = try body(of: verb)
      guard case .refuse(let reason) = action else { return action }
      refusal = reason
    } catch {
      refusal = Refusal(error)
    }
    json.seek(to: start)
    try json.skipValue()
    return .refuse(refusal)
  }
}
