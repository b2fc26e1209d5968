package import NIOCore

/// What would hold up a loop for long: it is done beside the loop, on values that don't change.
package struct LongWork: Sendable {
  private let begin: @Sendable (@escaping @Sendable () -> Void) -> Void

  /// On the threads of Swift's tasks.
  package static let beside = LongWork { job in Task.detached { job() } }

  /// `begin` is handed each job and has to run it once, on any thread. For tests.
  package init(begin: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void) {
    self.begin = begin
  }

  /// Does `work`, and hands what it has made to `finish` on `eventLoop`.
  package func run<Made: Sendable>(
    for eventLoop: any EventLoop, _ work: @escaping @Sendable () -> Made,
    then finish: @escaping @Sendable (Made) -> Void
  ) {
    begin {
      let made = work()
      eventLoop.execute { finish(made) }
    }
  }

  /// About how many bytes of JSON are made on the loop itself: a fraction of a millisecond.
  package static let shortBytes = 256 * 1024
}

/// What comes for a receiver while something before it is still being made: it waits, in order.
package struct Backlog<Item> {
  private var queue: Queue?
  private static var itemBytes: Int { 64 }

  /// Apart, as a receiver seldom has one.
  private final class Queue {
    var items: [Item] = []
    var bytes = 0
  }

  package init() {}

  /// Whether whatever comes has to wait.
  package var isOpen: Bool { queue != nil }

  /// Bytes that wait, with a little for each item.
  package var bytes: Int { queue?.bytes ?? 0 }

  /// Something is being made.
  package mutating func open() { queue = Queue() }

  package mutating func append(_ item: Item, bytes: Int = 0) {
    queue?.items.append(item)
    queue?.bytes += Self.itemBytes + bytes
  }

  /// It has been made: what waited for it, in order.
  package mutating func close() -> [Item] {
    defer { queue = nil }
    return queue?.items ?? []
  }
}
