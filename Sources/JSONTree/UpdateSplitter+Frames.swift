extension UpdateSplitter {
  /// An object or array that has begun.
  struct Frame {
    let isArray: Bool
    /// Where it begins in the text, as long as it is whole.
    var start: Int
    /// Children that are complete and in no update yet.
    var members: [Member] = []
    /// Where the child that is open begins, with its key.
    var openStart = 0
    var openKey = 0..<0
    /// The key of the open child once its text is gone.
    var ownKey: [UInt8]?
    var openKind = Kind.plain
    var index = 0
    /// Its children go into updates on their own.
    var isCut = false
    /// It is a leaf in its export form or a server value: never cut.
    var isSpecial = false
    /// The keys of children that were cut: each more than an update large, so there are not many.
    var cutKeys: Set<[UInt8]> = []
    /// The priority's text, which waits for the end of a cut object.
    var priority: [UInt8]?
  }

  enum Kind { case plain, priority, special }

  /// A complete child.
  struct Member {
    let key: Range<Int>
    let index: Int
    let kind: Kind
    let value: Range<Int>
  }
}

extension UpdateSplitter.Frame {
  /// The text before `count` is gone.
  mutating func move(by count: Int) {
    start -= count
    openStart -= count
    openKey = openKey.lowerBound - count..<openKey.upperBound - count
    members = members.map {
      UpdateSplitter.Member(
        key: $0.key.lowerBound - count..<$0.key.upperBound - count, index: $0.index, kind: $0.kind,
        value: $0.value.lowerBound - count..<$0.value.upperBound - count)
    }
  }
}
