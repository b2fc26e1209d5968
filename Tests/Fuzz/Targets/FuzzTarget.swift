/// Something that takes any bytes at all, and what must hold afterwards.
///
/// A trap, a finding and memory without bound are failures; refusing the bytes is not.
package struct FuzzTarget: Sendable {
  package let name: String
  package let check: @Sendable ([UInt8]) throws -> Void

  package init(_ name: String, _ check: @escaping @Sendable ([UInt8]) throws -> Void) {
    self.name = name
    self.check = check
  }

  /// Every target; the corpus of each stands in `Tests/Corpora/fuzz/NAME`.
  package static let all: [FuzzTarget] = [
    engineIO, firebase, json, rest, rules, sockets, storage,
  ]

  package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// Something that must not happen, whatever the bytes.
package struct Finding: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }

  static func check(_ holds: Bool, _ description: @autoclosure () -> String) throws {
    if !holds { throw Finding(description()) }
  }
}
