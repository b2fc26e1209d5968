import JSONTree
import NIOCore

/// A packet of Socket.IO, as it stands in an Engine.IO message:
///
///     2 1- /rooms, 17 ["wd",{…}]
///     │ │  │       │  └ data
///     │ │  │       └ number of the acknowledgement that is wanted
///     │ │  └ namespace
///     │ └ number of binary attachments
///     └ kind
struct SocketPacket: Equatable {
  enum Kind: UInt8 {
    case connect = 0x30
    case disconnect, event, acknowledgement, error, binaryEvent, binaryAcknowledgement
  }

  let kind: Kind
  private(set) var namespace: String?
  private(set) var acknowledgement: Int64?
  private(set) var data: ByteBuffer

  /// The largest number of an acknowledgement: what every client can count to.
  private static let mostAcknowledgements: Int64 = 1 << 53

  init(_ message: ByteBuffer, namespaceBytes: Int) throws(EngineFault) {
    data = message
    guard let kind = data.readInteger(as: UInt8.self).flatMap(Kind.init) else {
      throw .protocolError(EngineIOText.unknownSocketPacket)
    }
    self.kind = kind
    if kind == .binaryEvent || kind == .binaryAcknowledgement {
      guard let attachments = try readNumber(EngineIOText.unknownSocketPacket),
        data.readInteger(as: UInt8.self) == UInt8(ascii: "-")
      else { throw .protocolError(EngineIOText.unknownSocketPacket) }
      if attachments > 0 { throw .binary }
    }
    if data.readableBytesView.first == UInt8(ascii: "/") { namespace = try readNamespace(namespaceBytes) }
    acknowledgement = try readNumber(EngineIOText.invalidAcknowledgement)
  }

  /// It is for the namespace that every client has.
  var isForRoot: Bool {
    guard let namespace else { return true }
    return namespace.prefix { $0 != "?" } == "/"
  }

  private mutating func readNamespace(_ most: Int) throws(EngineFault) -> String {
    let name = data.readableBytesView.prefix { $0 != UInt8(ascii: ",") }
    // Printable ASCII but for what would need an escape when it is sent back.
    let isName = name.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
    guard isName, name.count <= most else { throw .protocolError(EngineIOText.invalidNamespaceName) }
    let text = String(decoding: name, as: UTF8.self)
    data.moveReaderIndex(forwardBy: min(name.count + 1, data.readableBytes))
    return text
  }

  /// The digits that come next, as a number; nil if none do.
  private mutating func readNumber(_ fault: String) throws(EngineFault) -> Int64? {
    var number: Int64?
    while let byte = data.readableBytesView.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      let next = (number ?? 0) * 10 + Int64(byte - UInt8(ascii: "0"))
      guard next <= Self.mostAcknowledgements else { throw .protocolError(fault) }
      number = next
      data.moveReaderIndex(forwardBy: 1)
    }
    return number
  }

  /// The object of a `wd` event, as JSON text; nil for other events, which nobody here waits for.
  ///
  /// The object need not be good JSON: who reads it can say better what is wrong with it, and to which
  /// request.
  func message() throws(EngineFault) -> ByteBuffer? {
    let place = data.withUnsafeReadableBytes(Self.object)
    switch place {
    case .object(let range):
      return data.getSlice(at: data.readerIndex + range.lowerBound, length: range.count)
    case .otherEvent: return nil
    case .noObject: throw .protocolError(EngineIOText.invalidMessage)
    case .noEvent: throw .protocolError(EngineIOText.invalidEvent)
    }
  }

  private enum Event {
    case object(Range<Int>)
    case otherEvent, noObject, noEvent
  }

  private static func object(in bytes: UnsafeRawBufferPointer) -> Event {
    var json = JSONReader(bytes)
    var isOurs = false
    var start: Int?
    do throws(JSONSyntaxError) {
      try json.beginArray()
      guard try json.nextElement() else { return .noEvent }
      isOurs = try json.withStringUTF8 { $0.elementsEqual("wd".utf8) }
      var place: Range<Int>?
      if try json.nextElement() {
        if json.next == .object { start = json.position }
        let range = try json.skipValue()
        if start != nil { place = range }
        while try json.nextElement() { try json.skipValue() }
      }
      try json.expectEnd()
      if !isOurs { return .otherEvent }
      return place.map { .object($0) } ?? .noObject
    } catch {
      guard isOurs, let start, let end = bytes.lastIndex(of: UInt8(ascii: "]")), end > start else {
        return .noEvent
      }
      return .object(start..<end)
    }
  }
}
