import Glibc

/// A folder of files that goes when it is let go.
final class ScratchFolder: Sendable {
  let path: String

  init(_ files: [(name: String, bytes: [UInt8])]) throws {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    path = "\(base)/dhole-fuzz-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    try Self.make(path)
    try Self.make(path + "/db")
    for file in files { try write(file.bytes, to: file.name) }
  }

  deinit {
    for folder in [path + "/db", path] {
      for name in Self.names(in: folder) { unlink(folder + "/" + name) }
      rmdir(folder)
    }
  }

  /// Every file, in the order of the names.
  func files() throws -> [(name: String, bytes: [UInt8])] {
    let names = Self.names(in: path) + Self.names(in: path + "/db").map { "db/" + $0 }
    return try names.filter { $0 != "db" }.sorted().map { ($0, try read($0)) }
  }

  /// Flips the bits of one byte of one file, if there is one.
  func mix(_ bits: UInt8, into file: Int, at place: Int) throws {
    let all = try files().filter { !$0.bytes.isEmpty }
    guard !all.isEmpty else { return }
    var (name, bytes) = all[file % all.count]
    bytes[place % bytes.count] ^= bits
    try write(bytes, to: name)
  }

  private static func make(_ folder: String) throws {
    guard mkdir(folder, 0o700) == 0 else { throw Finding("no folder \(folder): \(errno)") }
  }

  private static func names(in folder: String) -> [String] {
    guard let open = opendir(folder) else { return [] }
    defer { closedir(open) }
    var names: [String] = []
    while let entry = readdir(open) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  private func read(_ name: String) throws -> [UInt8] {
    guard let file = fopen(path + "/" + name, "r") else { throw Finding("no file \(name): \(errno)") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&piece, 1, piece.count, file)
      if count == 0 { return bytes }
      bytes += piece[..<count]
    }
  }

  private func write(_ bytes: [UInt8], to name: String) throws {
    guard let file = fopen(path + "/" + name, "w") else { throw Finding("no file \(name): \(errno)") }
    defer { fclose(file) }
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw Finding("\(name): \(errno)") }
  }
}
