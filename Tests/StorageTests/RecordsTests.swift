import CSQLite
import Engine
import Foundation
import Testing

@testable import Storage

@Suite struct RecordsTests {
  private let folder: TemporaryFolder
  private let records: Records

  init() throws {
    folder = try TemporaryFolder()
    records = Records(folder: folder.path, eventLoop: Loops.checkpoint)
  }

  private func change(
    _ key: String, from old: String?, to new: String?, realm: String = "shop", kind: String = "account"
  ) -> RecordChange {
    RecordChange(
      realm: realm, kind: kind, key: key, expected: old.map { Array($0.utf8) },
      value: new.map { Array($0.utf8) })
  }

  private func value(_ key: String, realm: String = "shop", kind: String = "account") async throws -> String?
  {
    try await records.value(realm: realm, kind: kind, key: key).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `a record is made, replaced and removed by those who know what it holds`() async throws {
    #expect(try await value("ann") == nil)
    #expect(try await records.apply([change("ann", from: nil, to: "1")]))
    #expect(try await !records.apply([change("ann", from: nil, to: "2")]))
    #expect(try await !records.apply([change("ann", from: "0", to: "2")]))
    #expect(try await value("ann") == "1")
    #expect(try await records.apply([change("ann", from: "1", to: "2")]))
    #expect(try await value("ann") == "2")
    #expect(try await !records.apply([change("ann", from: "1", to: nil)]))
    #expect(try await records.apply([change("ann", from: "2", to: nil)]))
    #expect(try await value("ann") == nil)
    #expect(try await !records.apply([change("ann", from: "2", to: nil)]))
  }

  @Test func `changes are made all together or not at all`() async throws {
    #expect(try await records.apply([change("a", from: nil, to: "1"), change("b", from: nil, to: "1")]))
    #expect(try await !records.apply([change("a", from: "1", to: "2"), change("b", from: "x", to: "2")]))
    #expect(try await value("a") == "1")
    #expect(try await !records.apply([change("c", from: nil, to: "1"), change("c", from: nil, to: "2")]))
    #expect(try await value("c") == nil)
  }

  @Test func `realms and kinds keep apart what has the same key`() async throws {
    for (realm, kind) in [("shop", "account"), ("shop", "login"), ("chat", "account"), ("", "account")] {
      let text = "\(realm)-\(kind)"
      #expect(try await records.apply([change("k", from: nil, to: text, realm: realm, kind: kind)]))
    }
    #expect(try await value("k", realm: "", kind: "account") == "-account")
    #expect(try await records.all(realm: "shop", kind: "account").map(\.key) == ["k"])
    #expect(try await records.all(realm: nil, kind: "account").map(\.realm) == ["", "chat", "shop"])
    try await records.removeAll(realm: "shop")
    #expect(try await value("k", realm: "shop", kind: "login") == nil)
    #expect(try await value("k", realm: "chat", kind: "account") == "chat-account")
    try await records.removeAll(realm: "")
    #expect(try await records.all(realm: nil, kind: "account").map(\.realm) == ["chat"])
  }

  @Test func `they are listed in order, from either end, up to a limit`() async throws {
    for key in ["b", "c", "a"] { #expect(try await records.apply([change(key, from: nil, to: key)])) }
    #expect(try await records.all(realm: "shop", kind: "account").map(\.key) == ["a", "b", "c"])
    #expect(
      try await records.all(realm: "shop", kind: "account", limit: 2, reversed: true).map(\.key)
        == ["c", "b"])
  }

  @Test func `any text is a key and any bytes are a value`() async throws {
    for key in ["", "'; DROP TABLE records; --", "ä\u{0}b", String(repeating: "k", count: 10_000)] {
      let bytes: [UInt8] = [0, 255, 39]
      let change = RecordChange(realm: key, kind: key, key: key, expected: nil, value: bytes)
      #expect(try await records.apply([change]))
      #expect(try await records.value(realm: key, kind: key, key: key) == bytes)
      #expect(
        try await records.apply([
          RecordChange(realm: key, kind: key, key: key, expected: bytes, value: [])
        ]))
      #expect(try await records.value(realm: key, kind: key, key: key) == [])
    }
  }

  @Test func `they are there after a restart, for the owner's eyes only`() async throws {
    #expect(try await records.apply([change("ann", from: nil, to: "1")]))
    let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/identity.sqlite")[
      .posixPermissions]
    #expect(mode as? Int == 0o600)
    await records.close()
    #expect(try await value("ann") == "1")
    let copy = try folder.copy()
    let crashed = Records(folder: copy.path, eventLoop: Loops.checkpoint)
    #expect(try await crashed.value(realm: "shop", kind: "account", key: "ann") == Array("1".utf8))
  }

  @Test func `what was removed is not left in the file`() async throws {
    #expect(try await records.apply([change("ann", from: nil, to: "very-secret-text")]))
    #expect(try await records.apply([change("ann", from: "very-secret-text", to: nil)]))
    let text = String(decoding: try folder.bytes(of: "identity.sqlite"), as: UTF8.self)
    #expect(!text.contains("very-secret-text"))
  }

  @Test func `a file that is something else is refused by name`() async throws {
    try folder.write(Array("no database at all, but long enough to be looked at".utf8), to: "identity.sqlite")
    let error = await #expect(throws: StorageError.self) { try await value("ann") }
    #expect(error?.reason == .corrupt && error?.description.contains("identity.sqlite") == true)
  }
}
