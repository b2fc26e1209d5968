/// The named bounds of everything a peer can make this module hold or wait for.
///
/// Times are seconds and may be fractions, so that tests need not wait.
package struct TransportLimits: Sendable {
  // MARK: HTTP

  /// Request target, header names and values together; more is answered 431.
  package var headBytes = 64 * 1024
  /// Header fields of one request, trailers included; more is answered 431.
  package var headerFields = 128
  /// A request body when the router asks for no other bound; more is answered 413.
  package var bodyBytes = 256 * 1024 * 1024
  /// Requests of one connection that wait behind the one being answered; more closes it after those.
  package var pipelined = 64
  /// From the first byte of a head (or the accept) to its last; then 408.
  package var headTimeoutSeconds = 20.0
  /// Every such stretch of time has to bring `bodyWindowBytes` of a body; else 408.
  package var bodyWindowSeconds = 15.0
  package var bodyWindowBytes = 1024
  /// A kept-alive connection without a request is closed after this.
  package var idleTimeoutSeconds = 75.0
  /// A response that the peer takes nothing of for this long is cut.
  package var stallTimeoutSeconds = 60.0
  /// After a refusal, unread input is thrown away for at most this long before the socket is closed.
  package var lingerSeconds = 2.0
  /// A streamed response is writable while fewer bytes than this wait to be sent.
  package var streamWindowBytes = 256 * 1024

  // MARK: WebSocket

  /// One reassembled message; more closes with 1009.
  package var messageBytes = 32 * 1024 * 1024
  /// One frame's payload; more closes with 1009.
  package var frameBytes = 32 * 1024 * 1024
  /// Bytes that wait to be sent to one peer; more closes it with 1013 (WebSocket) or cuts it (event stream).
  /// A single item may be larger when nothing else waits.
  package var outboundBudgetBytes = 64 * 1024 * 1024
  /// Once more bytes than this wait to be sent to one peer it has fallen behind: its handler may leave out
  /// what can be told again, until all of it is sent.
  package var conflationBytes = 4 * 1024 * 1024
  /// A peer that says nothing for this long is gone; it is pinged at half of it.
  package var silenceSeconds = 90.0
  /// How long a peer has to answer a close frame and take what was sent before it.
  package var closeTimeoutSeconds = 5.0

  // MARK: Listener

  /// Open connections of all kinds; one more is answered 503 and closed.
  package var connections = 19_500
  /// Connections that the kernel may hold before they are accepted.
  package var backlog = 4096
  /// The receive buffer that an idle connection keeps; busy ones borrow larger ones.
  package var receiveBufferBytes = 256

  package init() {}
}
