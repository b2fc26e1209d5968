import Engine
import JSONTree
import NIOCore
import Transport

/// How a value that was read is answered.
struct RESTReading: Sendable {
  let style: Export.Style
  /// A value longer than this, about, is not shown.
  let limitBytes: Int
  var wantsETag = false
  var ifNoneMatch: String?

  /// Makes the answer, for a large value beside the loop, and hands it to `finish` on the exchange's.
  func answer(
    _ value: Node, _ exchange: Exchange, _ longWork: LongWork,
    then finish: @escaping @Sendable (RESTAnswer) -> Void
  ) {
    let isQuick = style == .shallow && !wantsETag && ifNoneMatch == nil
    guard !isQuick, value.estimatedBytes(upTo: LongWork.shortBytes) == nil else {
      return finish(answer(value))
    }
    longWork.run(for: exchange.eventLoop) {
      answer(value)
    } then: {
      finish($0)
    }
  }

  private func answer(_ value: Node) -> RESTAnswer {
    if style != .shallow, value.estimatedBytes(upTo: limitBytes) == nil {
      return RESTAnswer(.bad(RESTText.readTooBig))
    }
    guard wantsETag || ifNoneMatch != nil else { return RESTAnswer(.value(value, style)) }
    let etag = ETag.of(value)
    if etag == ifNoneMatch { return RESTAnswer(status: 304, .none, etag: etag) }
    return RESTAnswer(.value(value, style), etag: etag)
  }
}
