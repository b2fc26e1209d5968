/// Every text that an Engine.IO client may be shown.
enum EngineIOText {
  // Why a session ends.
  static let tooSlow = "too slow"
  static let pingTimeout = "ping timeout"
  static let notConnected = "no namespace was connected in time"
  static let notTaken = "the upgrade was not finished"
  static let twoPolls = "two polls at once"

  // Packets that make no sense.
  static let emptyPacket = "an empty packet"
  static let unknownPacket = "no Engine.IO packet"
  static let wrongHeartbeat = "a heartbeat in the wrong direction"
  static let longPing = "a ping with too much in it"
  static let binary = "binary data can't be kept"
  static let unknownSocketPacket = "no Socket.IO packet"
  static let invalidNamespaceName = "no name of a namespace"
  static let invalidAcknowledgement = "no number of an acknowledgement"
  static let invalidEvent = "an event must be an array with a name first"
  static let invalidMessage = "a wd event needs an object"
  static let earlyEvent = "an event before the namespace was connected"

  // Payloads of polls.
  static let emptyPayload = "an empty payload"
  static let invalidLength = "the length of a packet is wrong"
  static let tooManyPackets = "too many packets at once"
  static let unexpectedBinary = "a binary payload"

  /// What a client is told that wants another namespace than the one there is.
  static let invalidNamespace = "Invalid namespace"
}
