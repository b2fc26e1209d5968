import JSONTree
import NIOCore
import Transport

/// A long body on its way out: made in pieces, as the peer takes them, with others' work in between.
final class RESTBody {
  /// What stands around the JSON, and how it is laid out.
  struct Dress: Sendable {
    var callback: String?
    var isPretty = false

    private var isPlain: Bool { callback == nil && !isPretty }

    /// A whole value in its dress.
    func whole(_ node: Node, _ style: Export.Style) -> ByteBuffer {
      if isPlain, case .form(let form) = style { return node.withText(form) { ByteBuffer(bytes: $0) } }
      var text: [UInt8] = []
      Export(node, style: style).whole(into: &text)
      return whole(text)
    }

    /// A whole text in its dress.
    func whole(_ text: [UInt8]) -> ByteBuffer {
      if isPlain { return ByteBuffer(bytes: text) }
      var out: [UInt8] = []
      out.reserveCapacity(text.count + 64)
      begin(&out)
      if isPretty {
        var pretty = PrettyText()
        pretty.append(text, to: &out)
      } else {
        out.append(contentsOf: text)
      }
      end(&out)
      return ByteBuffer(bytes: out)
    }

    func begin(_ out: inout [UInt8]) {
      if let callback { out.append(contentsOf: "\(callback)(".utf8) }
    }

    func end(_ out: inout [UInt8]) {
      if callback != nil { out.append(contentsOf: ");".utf8) }
    }
  }

  private static let pieceBytes = 32 * 1024
  /// A loop looks at its sockets only when nothing is due at once.
  private static let pause = TimeAmount.microseconds(50)

  private let exchange: Exchange
  private let dress: Dress
  private var export: Export
  private var pretty = PrettyText()
  /// The next piece is made at the end of a pause.
  private var isResting = false

  /// How much of the text is still to be left out.
  private var skippedBytes: Int

  init(_ export: Export, dress: Dress, exchange: Exchange, skippedBytes: Int = 0) {
    self.skippedBytes = skippedBytes
    self.export = export
    self.dress = dress
    self.exchange = exchange
  }

  /// Sends the head, and from then on the body.
  func start(status: Int, headers: [(String, String)]) {
    exchange.startBody(status: status, headers: headers)
    guard !exchange.isHEAD else { return exchange.end() }
    exchange.onWritable = { self.pump() }
    var opening: [UInt8] = []
    dress.begin(&opening)
    exchange.write(ByteBuffer(bytes: opening))
    pump()
  }

  /// Makes the next piece, if the peer takes it; between two, others on the loop get their turn.
  private func pump() {
    guard !isResting, exchange.isWritable else { return }
    var piece: [UInt8] = []
    piece.reserveCapacity(Self.pieceBytes * 2)
    let hasMore = export.append(to: &piece, bytes: Self.pieceBytes)
    if dress.isPretty {
      var laidOut: [UInt8] = []
      pretty.append(piece, to: &laidOut)
      piece = laidOut
    }
    if !hasMore { dress.end(&piece) }
    if skippedBytes > 0 {
      let count = min(skippedBytes, piece.count)
      piece.removeFirst(count)
      skippedBytes -= count
    }
    // Before the piece is written: the peer may take it at once.
    isResting = true
    exchange.write(ByteBuffer(bytes: piece))
    if !hasMore { return exchange.end() }
    exchange.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
      self.isResting = false
      self.pump()
    }
  }
}
