import NIOCore

/// Engine.IO and Socket.IO as one client speaks them: frames go in, what is to be done comes out.
///
/// It knows neither sockets nor polls nor time.
struct EngineSession {
  enum Action: Equatable {
    /// Send a packet.
    case send(String)
    /// The namespace is connected: what is spoken in it begins.
    case begin
    /// A message for whoever speaks in the namespace.
    case message(ByteBuffer)
    /// The client has ended the session.
    case left
    /// The client has done something that ends the session.
    case close(EngineFault)
  }

  private let revision: Revision
  private let limits: EngineIOLimits
  /// The client's name in the namespace, which tells nothing of the session's.
  private let socketID: String
  private(set) var isConnected = false
  private var isOver = false

  init(revision: Revision, limits: EngineIOLimits, socketID: String) {
    self.revision = revision
    self.limits = limits
    self.socketID = socketID
  }

  /// The first packets. With revision 3 the namespace is connected without being asked for.
  mutating func open(id: String, canUpgrade: Bool, into actions: inout [Action]) {
    let interval = Int64(limits.pingIntervalSeconds * 1000)
    let timeout = Int64(limits.pingTimeoutSeconds(revision) * 1000)
    let upgrades = canUpgrade ? #"["websocket"]"# : "[]"
    let most = revision == .four ? #","maxPayload":\#(limits.payloadBytes)"# : ""
    let times = #""pingInterval":\#(interval),"pingTimeout":\#(timeout)"#
    actions.append(.send(#"0{"sid":"\#(id)","upgrades":\#(upgrades),\#(times)\#(most)}"#))
    guard revision == .three else { return }
    isConnected = true
    actions += [.send("40"), .begin]
  }

  mutating func receive(_ frame: EngineFrame, into actions: inout [Action]) {
    if isOver { return }
    do throws(EngineFault) {
      try receive(try EnginePacket(frame), into: &actions)
    } catch {
      isOver = true
      actions.append(.close(error))
    }
  }

  private mutating func receive(_ packet: EnginePacket, into actions: inout [Action]) throws(EngineFault) {
    switch (packet.kind, revision) {
    case (.ping, .three):
      guard packet.payload.readableBytes <= limits.pingBytes else {
        throw .protocolError(EngineIOText.longPing)
      }
      actions.append(.send("3" + String(buffer: packet.payload)))
    case (.pong, .four), (.upgrade, _), (.noop, _): break
    case (.ping, .four), (.pong, .three): throw .protocolError(EngineIOText.wrongHeartbeat)
    case (.open, _): throw .protocolError(EngineIOText.unknownPacket)
    case (.close, _): leave(into: &actions)
    case (.message, _):
      try receive(
        try SocketPacket(packet.payload, namespaceBytes: limits.namespaceBytes), into: &actions)
    }
  }

  private mutating func leave(into actions: inout [Action]) {
    isOver = true
    actions.append(.left)
  }

  private mutating func receive(_ packet: SocketPacket, into actions: inout [Action]) throws(EngineFault) {
    guard packet.isForRoot else { return refuseNamespace(of: packet, into: &actions) }
    switch packet.kind {
    case .connect: connect(into: &actions)
    case .disconnect: leave(into: &actions)
    case .event, .binaryEvent:
      guard isConnected else { throw .protocolError(EngineIOText.earlyEvent) }
      if let message = try packet.message() { actions.append(.message(message)) }
      if let number = packet.acknowledgement { actions.append(.send("43\(number)[]")) }
    case .acknowledgement, .binaryAcknowledgement, .error: break
    }
  }

  private mutating func connect(into actions: inout [Action]) {
    if isConnected { return }
    isConnected = true
    actions += [.send(#"40{"sid":"\#(socketID)"}"#), .begin]
  }

  /// There is one namespace; who asks for another is told, and what is sent to it goes nowhere.
  private func refuseNamespace(of packet: SocketPacket, into actions: inout [Action]) {
    guard packet.kind == .connect, let namespace = packet.namespace else { return }
    let name = namespace.prefix { $0 != "?" }
    let text = EngineIOText.invalidNamespace
    let reason = revision == .three ? #""\#(text)""# : #"{"message":"\#(text)"}"#
    actions.append(.send("44\(name),\(reason)"))
  }
}
