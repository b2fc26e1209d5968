import Foundation
import NIOCore
import TestSupport
import Testing

@testable import Transport

/// RFC 6455 as a peer sees it, in the categories of the well-known test suite: 1 framing, 2 pings, 3 reserved
/// bits, 4 opcodes, 5 fragments, 6 UTF-8, 7 closing, 9 limits, 10 automatic fragments.
///
/// `WS_ECHO_PORT` names the port of a running `ws-echo`, or of any other server that echoes, to be tested
/// instead of one in this process.
struct WebSocketConformanceTests {
  private func play(_ cases: [EchoCase]) async throws {
    if let port = ProcessInfo.processInfo.environment["WS_ECHO_PORT"].flatMap({ Int($0) }) {
      for each in cases { try await each.run(port: port) }
      return
    }
    var limits = TransportLimits()
    limits.messageBytes = 16 << 20
    limits.frameBytes = 16 << 20
    try await withServer(limits: limits, threads: 1) { port, _ in
      for each in cases {
        do { try await each.run(port: port) } catch { Issue.record("\(each.testDescription): \(error)") }
      }
    }
  }

  @Test func `framing, pings, reserved bits, opcodes, fragments and limits`() async throws {
    try await play(FramingCases.all)
  }

  @Test func `text is valid UTF-8, and what is not is refused at its first wrong byte`() async throws {
    try await play(TextCases.all)
  }

  @Test func `a connection ends as the rules say`() async throws {
    try await play(ClosingCases.all)
  }
}
