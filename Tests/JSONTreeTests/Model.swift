import JSONTree

/// The plainest tree that can be: what `Node` must agree with.
struct Model: Equatable {
  var leaf: Node = .null
  var children: [String: Model] = [:]
  var priority: Node = .null

  var isNull: Bool { leaf.isNull && children.isEmpty }

  mutating func set(_ value: Model, at keys: ArraySlice<String>) {
    guard let key = keys.first else {
      self = value
      return
    }
    if value.isNull, children[key] == nil { return }
    var child = children[key] ?? Model()
    child.set(value, at: keys.dropFirst())
    children[key] = child.isNull ? nil : child
    if !children.isEmpty { leaf = .null }
    if isNull { self = Model() }
  }

  func at(_ keys: ArraySlice<String>) -> Model {
    guard let key = keys.first else { return self }
    return children[key]?.at(keys.dropFirst()) ?? Model()
  }

  mutating func setPriority(_ priority: Node, at keys: ArraySlice<String>) {
    var target = at(keys)
    if target.isNull { return }
    target.priority = priority
    set(target, at: keys)
  }

  /// The keys in order.
  var keys: [String] { children.keys.sorted(by: Model.precedes) }

  static func integer(_ key: String) -> Int64? {
    let digits = key.hasPrefix("-") ? key.dropFirst() : key[...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    let significant = digits.drop { $0 == "0" }
    guard significant.count <= 10, let value = Int64(key), Int32(exactly: value) != nil else { return nil }
    return value
  }

  static func precedes(_ a: String, _ b: String) -> Bool {
    switch (integer(a), integer(b)) {
    case (.some(let x), .some(let y)):
      if x != y { return x < y }
      if a.utf8.count != b.utf8.count { return a.utf8.count < b.utf8.count }
      return a.utf16.lexicographicallyPrecedes(b.utf16)
    case (.some, nil): return true
    case (nil, .some): return false
    case (nil, nil): return a.utf16.lexicographicallyPrecedes(b.utf16)
    }
  }

  /// The same as a node, made without the operations under test.
  func node() throws -> Node {
    if !leaf.isNull { return leaf.withPriority(priority) }
    let children = try children.map { (try ChildKey($0.key), try $0.value.node()) }
    return Node(children: children).withPriority(priority)
  }

  /// What is different in a node, if anything.
  func fault(_ node: Node) -> String? {
    if node.priority != priority { return "priority \(node.priority) instead of \(priority)" }
    if children.isEmpty { return node.withPriority(.null) == leaf ? nil : "\(node) instead of \(leaf)" }
    if node.childCount != children.count { return "\(node.childCount) children instead of \(children.count)" }
    var rest = keys[...]
    var fault: String?
    node.forEachChild { key, child in
      let expected = rest.popFirst() ?? ""
      if key.text != expected { fault = "key \(key) instead of \(expected)" }
      if fault == nil { fault = children[expected]?.fault(child) }
      return fault == nil
    }
    return fault
  }
}
