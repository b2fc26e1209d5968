/// What is said in each dialect. Values are a running number and padding, so that a lost, repeated or
/// overtaken delivery shows.
struct Speaker {
  let options: Options
  private let padding: String

  init(_ options: Options) {
    self.options = options
    padding = String(repeating: "x", count: options.valueBytes - 13)
  }

  var isWebSocket: Bool { options.dialect == .firebase || options.dialect == .plain }

  /// The first message in `bytes`, in what the connection speaks by now.
  @inline(__always)
  func cut(_ bytes: UnsafeRawBufferPointer, isUpgraded: Bool) -> Framing.Cut? {
    if isUpgraded { return Framing.cutWebSocket(bytes) }
    return options.dialect == .redis ? Framing.cutLine(bytes) : Framing.cutHTTP(bytes)
  }

  /// Marks where the number begins in everything that carries a value.
  static let mark: StaticString = "#"

  func value(_ number: Int) -> String {
    let digits = String(number)
    return "#" + String(repeating: "0", count: 12 - digits.count) + digits + padding
  }

  func upgrade(role: String) -> String {
    let target = options.dialect == .firebase ? "/.ws?v=5&ns=\(options.database)" : "/\(role)"
    return
      "GET \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(options.port)\r\n"
      + "Upgrade: websocket\r\nConnection: Upgrade\r\n"
      + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
  }

  func listen(_ index: Int) -> [UInt8] {
    let place = options.mode == .listen ? "\(options.path)/\(index)" : options.path
    return Framing.webSocket(#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/\#(place)","h":""}}}"#)
  }

  /// One write of `number`: to the place all listen to, or to the `index`th one's.
  func write(_ number: Int, index: Int) -> [UInt8] {
    switch options.dialect {
    case .plain: return Framing.webSocket(value(number))
    case .redis:
      let key = "\(options.path):\(index)", text = value(number)
      return Array(
        "*3\r\n$3\r\nSET\r\n$\(key.utf8.count)\r\n\(key)\r\n$\(text.utf8.count)\r\n\(text)\r\n".utf8)
    case .http:
      let bearer = options.credential.isEmpty ? "" : "Authorization: Bearer \(options.credential)\r\n"
      return Array(
        ("GET /\(options.path).json?ns=\(options.database) HTTP/1.1\r\n"
          + "Host: 127.0.0.1:\(options.port)\r\n\(bearer)\r\n").utf8)
    case .firebase:
      let place =
        switch options.mode {
        case .listen: "\(options.path)/\(index)/v"
        case .put where options.users > 0: "users/user\(user(number, index))/note"
        case .put: "\(options.path)/\(index)"
        default: "\(options.path)/v"
        }
      return Framing.webSocket(
        #"{"t":"d","d":{"r":\#(number + 2),"a":"p","b":{"p":"/\#(place)","d":"\#(value(number))"}}}"#)
    }
  }

  /// Whose turn it is: far from the one before, and all of them in the end.
  private func user(_ number: Int, _ index: Int) -> Int {
    var mixed = UInt64(truncatingIfNeeded: number &* 8191 &+ index) &* 0x9E37_79B9_7F4A_7C15
    mixed ^= mixed >> 29
    return Int(mixed % UInt64(options.users))
  }

  /// The number in a delivery; nil when there is none (an acknowledgement, a hello).
  @inline(__always)
  static func number(_ payload: UnsafeRawBufferPointer) -> Int? {
    guard let mark = Framing.find(mark, in: payload), payload.count >= mark + 13 else { return nil }
    var number = 0
    for digit in payload[(mark + 1)..<(mark + 13)] { number = number * 10 + Int(digit) - 48 }
    return number
  }

  /// Says whether an answer to a request is a good one.
  func accepts(_ payload: UnsafeRawBufferPointer) -> Bool {
    switch options.dialect {
    case .firebase: return Framing.find(#""s":"ok""#, in: payload) != nil
    case .redis: return Framing.find("+OK", in: payload) == 0
    case .http: return Framing.find("HTTP/1.1 200", in: payload) == 0
    case .plain: return true
    }
  }
}
