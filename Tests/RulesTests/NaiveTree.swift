/// A tree as plainly as it can be said: no sharing, no order, no cleverness.
struct NaiveTree: Equatable {
  enum Leaf: Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
  }

  var leaf = Leaf.null
  var children: [String: NaiveTree] = [:]
  var priority = Leaf.null

  static let null = NaiveTree()

  var exists: Bool { leaf != .null || !children.isEmpty }

  subscript(keys: [String]) -> NaiveTree {
    guard let first = keys.first else { return self }
    return children[first]?[Array(keys.dropFirst())] ?? .null
  }

  /// The tree with another value at a place; locations without a value go.
  func replacing(_ keys: [String], with value: NaiveTree) -> NaiveTree {
    guard let first = keys.first else { return value.exists ? value : .null }
    var copy = self
    let child = (children[first] ?? .null).replacing(Array(keys.dropFirst()), with: value)
    if child.exists {
      copy.leaf = .null
      copy.children[first] = child
    } else {
      copy.children[first] = nil
    }
    return copy.exists ? copy : .null
  }

  /// JSON in export form.
  var json: String {
    guard exists else { return "null" }
    var members = children.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\($0.value.json)" }
    if priority != .null { members.append("\".priority\":\(Self.json(priority))") }
    if leaf == .null { return "{\(members.joined(separator: ","))}" }
    if members.isEmpty { return Self.json(leaf) }
    return "{\".value\":\(Self.json(leaf)),\(members.joined(separator: ","))}"
  }

  private static func json(_ leaf: Leaf) -> String {
    switch leaf {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let text): quoted(text)
    }
  }

  static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case _ where scalar.value < 32:
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
