import Engine
import JSONTree

/// What clients are told unasked.
extension MessageList {
  /// The whole value of a place.
  mutating func push(set value: Node, at path: Path, tag: UInt32?) {
    push("d", at: path, tag: tag) { value.write(.export, into: &$0) }
  }

  /// What a listen must be told about one write.
  mutating func push(_ change: Change, tag: UInt32?) {
    switch change {
    case .set(let path, let value): push(set: value, at: path, tag: tag)
    case .merge(_, let entries) where entries.isEmpty: break
    case .merge(let path, let entries):
      push("m", at: path, tag: tag) { out in
        var separator = UInt8(ascii: "{")
        for entry in entries {
          out.append(separator)
          separator = UInt8(ascii: ",")
          out.append(path: entry.path)
          out.append(UInt8(ascii: ":"))
          entry.value.write(.export, into: &out)
        }
        out.append(UInt8(ascii: "}"))
      }
    }
  }

  /// Stretches of a value, each in place of what a client holds there.
  mutating func push(_ merges: [RangeMerge], at path: Path, tag: UInt32?) {
    push("rm", at: path, tag: tag) { out in
      out.append(UInt8(ascii: "["))
      for (index, merge) in merges.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        out.append(UInt8(ascii: "{"))
        if let start = merge.start {
          out.append(#""s":"#)
          out.append(string: start)
          out.append(UInt8(ascii: ","))
        }
        if let end = merge.end {
          out.append(#""e":"#)
          out.append(string: end)
          out.append(UInt8(ascii: ","))
        }
        out.append(#""m":"#)
        merge.value.write(.export, into: &out)
        out.append(UInt8(ascii: "}"))
      }
      out.append(UInt8(ascii: "]"))
    }
  }

  private mutating func push(
    _ action: StaticString, at path: Path, tag: UInt32?, payload: (inout [UInt8]) -> Void
  ) {
    add { out in
      out.append(#"{"t":"d","d":{"a":""#)
      out.append(action)
      out.append(#"","b":{"p":"#)
      out.append(path: path)
      out.append(#","d":"#)
      payload(&out)
      if let tag {
        out.append(#","t":"#)
        out.append(number: Int64(tag))
      }
      out.append("}}}")
    }
  }

  /// A listen has ended for want of permission. The query goes back as the client wrote it.
  mutating func push(revoked path: Path, queryText: [UInt8]?) {
    add { out in
      out.append(#"{"t":"d","d":{"a":"c","b":{"p":"#)
      out.append(path: path)
      if let queryText {
        out.append(#","q":["#)
        out.append(contentsOf: queryText)
        out.append("]")
      }
      out.append("}}}")
    }
  }

  /// The credential is no longer good.
  mutating func push(credentialRevoked refusal: Refusal) {
    add { out in
      out.append(#"{"t":"d","d":{"a":"ac","b":{"s":"#)
      out.append(string: refusal.status.rawValue)
      out.append(#","d":"#)
      out.append(string: refusal.text)
      out.append("}}}")
    }
  }

  /// A text for developers.
  mutating func push(debug text: String) {
    add { out in
      out.append(#"{"t":"d","d":{"a":"sd","b":{"msg":"#)
      out.append(string: text)
      out.append("}}}")
    }
  }
}
