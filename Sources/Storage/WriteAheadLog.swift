#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What SQLite's write-ahead log holds, read before SQLite sees it.
///
/// SQLite stops at the first frame whose checksum fails and forgets the rest without a word. That is right
/// after a crash in the middle of a commit, but it would hide a flipped bit in front of commits that were
/// acknowledged. Frames of the present generation behind the break tell one from the other. They are told by
/// their salts or by their sums, and commits among them by their mark or by the sum that it went into, so
/// that one flipped bit can't hide a commit.
///
///     header (32): magic, version, page size, generation, salt, salt, checksum (2 words)
///     frame (24 + page): page number, size of the database after a commit or 0, salt, salt, checksum (2
/// words)
struct WriteAheadLog: Equatable {
  /// Whether the header can be read; without it SQLite ignores the whole file.
  var hasSoundHeader = true
  /// Frames that SQLite will take.
  var soundFrames = 0
  /// Frames of the same generation from the break on.
  var lostFrames = 0
  /// How many of the lost frames ended a transaction.
  var lostCommits = 0

  private static let headerBytes = 32
  private static let frameHeaderBytes = 24

  /// Reads the log beside a database file; nil when there is none or an empty one.
  static func inspect(_ path: String) throws(StorageError) -> WriteAheadLog? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 && errno == ENOENT { return nil }
    guard descriptor >= 0 else { throw unreadable(path) }
    defer { close(descriptor) }
    var log = WriteAheadLog()
    let header = try bytes(of: path, descriptor, count: headerBytes, at: 0)
    if header.count < headerBytes { return nil }
    guard let reader = FrameReader(header: header) else {
      log.hasSoundHeader = false
      return log
    }
    var frames = reader
    let size = frameHeaderBytes + frames.pageBytes
    var offset = headerBytes
    while true {
      let frame = try bytes(of: path, descriptor, count: size, at: offset)
      guard frame.count == size else { break }
      log.count(frames.next(frame))
      offset += size
    }
    return log
  }

  private mutating func count(_ frame: FrameReader.Frame) {
    switch frame {
    case .sound: soundFrames += 1
    case .lost(let isCommit):
      lostFrames += 1
      if isCommit { lostCommits += 1 }
    case .older: break
    }
  }

  /// Up to `count` bytes, fewer at the end of the file.
  private static func bytes(
    of path: String, _ descriptor: Int32, count: Int, at offset: Int
  ) throws(StorageError) -> [UInt8] {
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
        if got < 0 && errno == EINTR { continue }
        if got < 0 { failed = true }
        if got <= 0 { return }
        filled += got
      }
    }
    if failed { throw unreadable(path) }
    return bytes
  }

  private static func unreadable(_ path: String) -> StorageError {
    StorageError(.io, "can't read \(path): \(String(cString: strerror(errno)))")
  }
}

/// Follows the running checksum from frame to frame.
private struct FrameReader {
  enum Frame { case sound, lost(isCommit: Bool), older }

  let pageBytes: Int
  private let isBigEndian: Bool
  private let salts: [UInt8]
  /// After the last frame, as it was written.
  private var sums = Sums((0, 0))
  private var isBroken = false
  /// The size of the file at the last sound commit, and frames after it.
  private var pagesAtCommit: UInt32 = 0
  private var framesSinceCommit: UInt32 = 0
  /// Most pages by which a commit whose mark is gone may have made the file larger: a bound for the search.
  private static let growthLimitPages: UInt64 = 64

  /// The running checksum; not known behind a frame of another generation.
  private struct Sums: Equatable {
    var first: UInt32
    var second: UInt32
    var isKnown = true

    init(_ words: (UInt32, UInt32)) { (first, second) = words }
  }

  init?(header: [UInt8]) {
    guard header.count == 32 else { return nil }
    let magic = Self.word(header, 0)
    guard magic & 0xffff_fffe == 0x377f_0682, Self.word(header, 4) == 3_007_000 else { return nil }
    let size = Self.word(header, 8)
    guard size.nonzeroBitCount == 1, (512...65536).contains(size) else { return nil }
    pageBytes = Int(size)
    isBigEndian = magic & 1 == 1
    salts = Array(header[16..<24])
    add(header[..<24])
    guard sums == Sums((Self.word(header, 24), Self.word(header, 28))) else { return nil }
  }

  mutating func next(_ frame: [UInt8]) -> Frame {
    let isPresent = frame[8..<16].elementsEqual(salts)
    let stored = (Self.word(frame, 16), Self.word(frame, 20))
    let before = sums
    add(frame[..<8])
    add(frame[24...])
    let follows = before.isKnown && sums == Sums(stored)
    defer { if isPresent || follows { sums = Sums(stored) } else { sums.isKnown = false } }
    if !isBroken {
      if isPresent, follows, Self.word(frame, 0) != 0 {
        noteSound(pages: Self.word(frame, 4))
        return .sound
      }
      isBroken = true
    }
    framesSinceCommit += 1
    // A frame with the right sum was written whole, whatever has become of its salts since.
    guard isPresent || follows else { return .older }
    if Self.word(frame, 4) != 0 { return .lost(isCommit: true) }
    return .lost(isCommit: !follows && wasCommit(frame, after: before))
  }

  private mutating func noteSound(pages: UInt32) {
    framesSinceCommit += 1
    guard pages != 0 else { return }
    framesSinceCommit = 0
    pagesAtCommit = pages
  }

  /// Whether a frame that does not say so ended a transaction: with the size of the file that a commit would
  /// have noted in it, its sum is right.
  private func wasCommit(_ frame: [UInt8], after before: Sums) -> Bool {
    guard before.isKnown else { return false }
    // A transaction makes the file larger by no more pages than it wrote, and few write many.
    let growth = min(UInt64(framesSinceCommit) + 1, Self.growthLimitPages)
    let most = UInt32(clamping: UInt64(pagesAtCommit) + growth)
    for pages in max(1, pagesAtCommit)...most {
      var trial = self
      trial.sums = before
      trial.add(frame[..<4] + withUnsafeBytes(of: pages.bigEndian) { Array($0) })
      trial.add(frame[24...])
      if trial.sums == Sums((Self.word(frame, 16), Self.word(frame, 20))) { return true }
    }
    return false
  }

  /// The checksum of the format: two words at a time, in the byte order that the magic number names.
  private mutating func add(_ bytes: ArraySlice<UInt8>) {
    bytes.withUnsafeBytes { raw in
      var offset = 0
      while offset < raw.count {
        var first = raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        var second = raw.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
        first = isBigEndian ? UInt32(bigEndian: first) : UInt32(littleEndian: first)
        second = isBigEndian ? UInt32(bigEndian: second) : UInt32(littleEndian: second)
        sums.first &+= first &+ sums.second
        sums.second &+= second &+ sums.first
        offset += 8
      }
    }
  }

  private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    bytes.withUnsafeBytes { UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
  }
}
