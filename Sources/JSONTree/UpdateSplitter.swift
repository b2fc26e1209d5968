/// Cuts the JSON text of one value, however large, into updates of about equal size, while it arrives.
///
/// An object or array that is over before an update is full stays whole inside it; one that is not is cut,
/// and its children travel under longer paths. Memory is bounded by the size of an update and of the largest
/// string. What is cut is checked here; what stays whole is checked by whoever reads the update. A key that
/// comes twice in a cut object is refused as far as it is noticed: within an update, and after a child that
/// was cut.
///
///     receive(bytes) … → takePiece() … → finish() → takePiece() …
package struct UpdateSplitter {
  package enum Piece: Sendable, Equatable {
    /// All of the text: nothing had to be cut.
    case whole([UInt8])
    /// An object whose keys are paths below the value's place. A `.priority` comes after children of its
    /// place.
    case update([UInt8])
  }

  /// What may come next.
  fileprivate enum Expected { case value, valueOrEnd, key, keyOrEnd, colon, commaOrEnd, nothing }

  /// A string or scalar that has begun.
  fileprivate enum Token { case string(isKey: Bool, isEscaped: Bool), scalar }

  private let updateBytes: Int
  private let limits: Limits
  /// The text that is in no update yet; the next byte is read at `position`.
  private var text: [UInt8] = []
  private var position = 0
  /// How many bytes were dropped before `text`.
  private var droppedBytes = 0
  private var expected = Expected.value
  private var token: Token?
  private var tokenStart = 0
  private var frames: [Frame] = []
  private var root: Range<Int>?
  private var isCut = false
  /// The update that is being written.
  private var update: [UInt8] = []
  private var pieces: [Piece] = []
  private var nextPiece = 0

  /// - Parameter updateBytes: about how large an update becomes; a larger string still has to fit.
  package init(updateBytes: Int, limits: Limits = .standard) {
    self.updateBytes = updateBytes
    self.limits = limits
  }

  /// How many bytes have been received.
  package var receivedBytes: Int { droppedBytes + text.count }

  /// The next piece that is ready; nil when more bytes are needed.
  package mutating func takePiece() -> Piece? {
    guard nextPiece < pieces.count else {
      pieces.removeAll(keepingCapacity: true)
      nextPiece = 0
      return nil
    }
    defer { nextPiece += 1 }
    return pieces[nextPiece]
  }

  /// Takes the next bytes. After an error the splitter is of no more use.
  package mutating func receive(_ bytes: UnsafeRawBufferPointer) throws(JSONSyntaxError) {
    text.append(contentsOf: bytes)
    while position < text.count {
      try step(text[position])
      guard position < updateBytes &+ limits.stringBytes &* 6 else { throw fault(.stringTooLong) }
    }
  }

  /// The text is over.
  package mutating func finish() throws(JSONSyntaxError) {
    if case .scalar = token { try endScalar() }
    guard token == nil, frames.isEmpty, expected == .nothing else { throw fault(.unexpectedEnd) }
    if isCut {
      handOver()
    } else if let root {
      pieces.append(.whole(Array(text[root])))
    }
  }

  private func duplicate(_ key: Range<Int>) -> JSONSyntaxError {
    JSONSyntaxError(.duplicateKey, offset: droppedBytes + key.lowerBound - 1)
  }

  private func fault(_ reason: JSONSyntaxError.Reason) -> JSONSyntaxError {
    JSONSyntaxError(reason, offset: droppedBytes + position)
  }
}

// MARK: - What is open

extension UpdateSplitter {
  fileprivate mutating func begin(isArray: Bool) throws(JSONSyntaxError) {
    guard frames.count <= limits.depth else { throw fault(.tooDeep) }
    frames.append(Frame(isArray: isArray, start: position))
    expected = isArray ? .valueOrEnd : .keyOrEnd
    if isArray { frames[frames.count - 1].openStart = position + 1 }
    position += 1
  }

  fileprivate mutating func end(isArray: Bool) throws(JSONSyntaxError) {
    guard let frame = frames.last, frame.isArray == isArray else { throw fault(.unexpectedByte) }
    switch expected {
    case .commaOrEnd, .keyOrEnd, .valueOrEnd: break
    default: throw fault(.unexpectedByte)
    }
    position += 1
    if frame.isCut {
      let path = path(upTo: frames.count - 1)
      try write(frame.members, of: frame, below: path)
      if let priority = priority(of: frame) { write(path, ".priority", priority) }
    }
    frames.removeLast()
    try complete(frame.isCut ? nil : frame.start..<position)
  }

  private func priority(of frame: Frame) -> [UInt8]? {
    frame.members.last { $0.kind == .priority }.map { Array(text[$0.value]) } ?? frame.priority
  }

  /// A value has ended; nil when it is in updates already.
  fileprivate mutating func complete(_ value: Range<Int>?) throws(JSONSyntaxError) {
    guard !frames.isEmpty else {
      root = value
      expected = .nothing
      return
    }
    let top = frames.count - 1
    if let value {
      let frame = frames[top]
      frames[top].members.append(
        Member(key: frame.openKey, index: frame.index, kind: frame.openKind, value: value))
    }
    frames[top].index += 1
    frames[top].openStart = position
    frames[top].openKind = .plain
    expected = .commaOrEnd
    if position >= updateBytes { try cut() }
  }
}

// MARK: - Reading

extension UpdateSplitter {
  fileprivate mutating func step(_ byte: UInt8) throws(JSONSyntaxError) {
    switch token {
    case .string(let isKey, let isEscaped): return try inString(byte, isKey: isKey, isEscaped: isEscaped)
    case .scalar:
      switch byte {
      case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0x20, 0x0A, 0x0D, 0x09: try endScalar()
      default:
        position += 1
        return
      }
    case nil: break
    }
    switch byte {
    case 0x20, 0x0A, 0x0D, 0x09: position += 1
    case UInt8(ascii: "{"):
      try expectValue()
      try begin(isArray: false)
    case UInt8(ascii: "["):
      try expectValue()
      try begin(isArray: true)
    case UInt8(ascii: "}"): try end(isArray: false)
    case UInt8(ascii: "]"): try end(isArray: true)
    case UInt8(ascii: ","):
      guard expected == .commaOrEnd, let isArray = frames.last?.isArray else { throw fault(.unexpectedByte) }
      expected = isArray ? .value : .key
      position += 1
      frames[frames.count - 1].openStart = position
    case UInt8(ascii: ":"):
      guard expected == .colon else { throw fault(.unexpectedByte) }
      expected = .value
      position += 1
    case UInt8(ascii: "\""):
      let isKey = expected == .key || expected == .keyOrEnd
      if !isKey { try expectValue() }
      beginToken(.string(isKey: isKey, isEscaped: false))
      if isKey { frames[frames.count - 1].openStart = position }
      position += 1
    default:
      try expectValue()
      beginToken(.scalar)
      position += 1
    }
  }

  private func expectValue() throws(JSONSyntaxError) {
    guard expected == .value || expected == .valueOrEnd else {
      throw fault(expected == .nothing ? .trailingBytes : .unexpectedByte)
    }
  }

  private mutating func beginToken(_ new: Token) {
    token = new
    tokenStart = position
  }

  fileprivate mutating func inString(_ byte: UInt8, isKey: Bool, isEscaped: Bool) throws(JSONSyntaxError) {
    position += 1
    if isEscaped {
      token = .string(isKey: isKey, isEscaped: false)
    } else if byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
      while position < text.count, text[position] != UInt8(ascii: "\""), text[position] != UInt8(ascii: "\\")
      {
        position += 1
      }
    } else if byte == UInt8(ascii: "\\") {
      token = .string(isKey: isKey, isEscaped: true)
    } else if byte == UInt8(ascii: "\"") {
      token = nil
      if isKey { try endKey() } else { try complete(tokenStart..<position) }
    }
  }

  fileprivate mutating func endScalar() throws(JSONSyntaxError) {
    token = nil
    let value = tokenStart..<position
    try check(value)
    try complete(value)
  }

  /// Tells what is no number and no literal where it stands, instead of in some update.
  private func check(_ value: Range<Int>) throws(JSONSyntaxError) {
    try text.withUnsafeBytes { bytes in
      Result { () throws(JSONSyntaxError) in
        var reader = JSONReader(UnsafeRawBufferPointer(rebasing: bytes[value]), limits: limits)
        _ = try reader.readValue(at: 0)
        try reader.expectEnd()
      }
    }.get()
  }

  fileprivate mutating func endKey() throws(JSONSyntaxError) {
    let top = frames.count - 1
    let key = tokenStart + 1..<position - 1
    let kind = try text.withUnsafeBytes { bytes in
      Result { () throws(JSONSyntaxError) in
        let raw = UnsafeRawBufferPointer(rebasing: bytes[key])
        guard raw.contains(UInt8(ascii: "\\")) else { return try self.kind(of: raw) }
        var reader = JSONReader(
          UnsafeRawBufferPointer(rebasing: bytes[key.lowerBound - 1..<key.upperBound + 1]))
        let decoded = Array(try reader.readString().utf8)
        return try decoded.withUnsafeBytes { bytes in
          Result { () throws(JSONSyntaxError) in try self.kind(of: bytes) }
        }.get()
      }
    }.get()
    let cutKeys = frames[top].cutKeys
    if !cutKeys.isEmpty, cutKeys.contains(Array(text[key])) { throw duplicate(key) }
    if kind == .special {
      if frames[top].isCut { throw fault(.invalidValue) }
      frames[top].isSpecial = true
    }
    frames[top].openKey = key
    frames[top].ownKey = nil
    frames[top].openKind = kind
    expected = .colon
  }

  private func kind(of key: UnsafeRawBufferPointer) throws(JSONSyntaxError) -> Kind {
    if key.elementsEqual(".priority".utf8) { return .priority }
    if key.elementsEqual(".value".utf8) || key.elementsEqual(".sv".utf8) { return .special }
    if ChildKey.fault(in: key) != nil { throw fault(.invalidKey) }
    return .plain
  }
}

// MARK: - Writing

extension UpdateSplitter {
  /// Puts every complete child of what is open into the update and hands that over.
  fileprivate mutating func cut() throws(JSONSyntaxError) {
    let count = frames.firstIndex { $0.isSpecial } ?? frames.count
    guard count > 0 else { return }
    isCut = true
    for depth in 0..<count {
      let path = path(upTo: depth)
      let frame = frames[depth]
      try write(frame.members, of: frame, below: path)
      if depth < count - 1, !frame.isArray { try noteCutKey(of: depth) }
      if let priority = priority(of: frame) { frames[depth].priority = priority }
      frames[depth].members.removeAll(keepingCapacity: true)
      frames[depth].isCut = true
    }
    for depth in 0..<count - 1 where frames[depth].ownKey == nil {
      frames[depth].ownKey = key(of: frames[depth])
    }
    // What is not cut keeps its text, key included.
    let kept = frames[count - 1].openStart
    for depth in frames.indices { frames[depth].move(by: kept) }
    text.removeFirst(kept)
    position -= kept
    droppedBytes += kept
    handOver()
  }

  /// The open child is being cut: its key must not come again, and must not have come just before.
  private mutating func noteCutKey(of depth: Int) throws(JSONSyntaxError) {
    let frame = frames[depth]
    let key = frame.ownKey ?? key(of: frame)
    if frame.members.contains(where: { text[$0.key].elementsEqual(key) }) { throw duplicate(frame.openKey) }
    frames[depth].cutKeys.insert(key)
  }

  fileprivate mutating func handOver() {
    guard !update.isEmpty else { return }
    update.append(UInt8(ascii: "}"))
    pieces.append(.update(update))
    update = []
  }

  /// The keys of the open children of the outermost `depth` frames, each with a slash after it.
  private func path(upTo depth: Int) -> [UInt8] {
    var path: [UInt8] = []
    for frame in frames[..<depth] {
      path += frame.ownKey ?? key(of: frame)
      path.append(UInt8(ascii: "/"))
    }
    return path
  }

  private func key(of frame: Frame) -> [UInt8] {
    frame.isArray ? Array(String(frame.index).utf8) : Array(text[frame.openKey])
  }

  /// Writes children of one object or array, which an update may hold once each.
  private mutating func write(
    _ members: [Member], of frame: Frame, below path: [UInt8]
  ) throws(JSONSyntaxError) {
    var seen = frame.cutKeys
    for member in members {
      if !frame.isArray, !seen.insert(Array(text[member.key])).inserted {
        throw duplicate(member.key)
      }
      write(member, of: frame, below: path)
    }
  }

  fileprivate mutating func write(_ member: Member, of frame: Frame, below path: [UInt8]) {
    if member.kind == .priority { return }
    beginEntry(path)
    if frame.isArray {
      update.append(contentsOf: String(member.index).utf8)
    } else {
      update.append(contentsOf: text[member.key])
    }
    update.append(contentsOf: "\":".utf8)
    update.append(contentsOf: text[member.value])
  }

  fileprivate mutating func write(_ path: [UInt8], _ name: String, _ value: [UInt8]) {
    beginEntry(path)
    update.append(contentsOf: "\(name)\":".utf8)
    update.append(contentsOf: value)
  }

  fileprivate mutating func beginEntry(_ path: [UInt8]) {
    update.append(update.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
    update.append(UInt8(ascii: "\""))
    update.append(contentsOf: path)
  }
}
