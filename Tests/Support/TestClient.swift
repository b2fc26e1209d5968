package import Engine
package import NIOCore

/// A client with a recorder behind it.
package struct TestClient: Sendable {
  package let client: Client
  package let received: RecordingReceiver

  /// On the loop.
  package init(on eventLoop: any EventLoop) {
    received = RecordingReceiver()
    client = Client(eventLoop: eventLoop, receiver: received, dialect: TestDialect())
  }
}
