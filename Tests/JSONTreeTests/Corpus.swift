import JSONTree
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The case files under `Tests/Corpora`.
enum Corpus {
  /// The cases of a file: each is one JSON value of an array.
  static func cases<Case>(
    _ name: String, file: String = #filePath, _ read: (inout JSONReader) throws -> Case
  ) throws -> [Case] {
    let tests = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(
      separator: "/")
    let text = try bytes(of: "\(tests)/Corpora/\(name)")
    return try text.withUnsafeBytes { bytes in
      var reader = JSONReader(bytes)
      var cases: [Case] = []
      try reader.beginArray()
      while try reader.nextElement() { cases.append(try read(&reader)) }
      try reader.expectEnd()
      try #require(!cases.isEmpty)
      return cases
    }
  }

  /// A case whose members are strings; other members are left out.
  static func strings(_ name: String, file: String = #filePath) throws -> [[String: String]] {
    try cases(name, file: file) { reader in
      var members: [String: String] = [:]
      try reader.beginObject()
      while let key = try reader.nextKey() {
        switch reader.next {
        case .string: members[key] = try reader.readString()
        case .number: members[key] = String(try #require(try reader.readInteger()))
        default: try reader.skipValue()
        }
      }
      return members
    }
  }

  private static func bytes(of path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "rb"), "cannot open \(path)")
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
    }
  }
}
