import JSONTree
import NIOCore

/// The bytes of one change, by form: each is encoded once.
struct Encodings {
  private typealias Encoding = (form: PushForm, bytes: ByteBuffer)

  /// Most changes are told in one form, and need no array for that.
  private var first: Encoding?
  private var others: [Encoding] = []

  mutating func bytes(_ form: PushForm, _ encode: () -> ByteBuffer) -> (bytes: ByteBuffer, isNew: Bool) {
    if let first, first.form == form { return (first.bytes, false) }
    if let found = others.first(where: { $0.form == form }) { return (found.bytes, false) }
    let bytes = encode()
    if first == nil { first = (form, bytes) } else { others.append((form, bytes)) }
    return (bytes, true)
  }
}

extension Database {
  /// Tells everybody concerned about one durable write, which is made in the committed tree first if it was
  /// only noted.
  func announce(_ step: Step) {
    if let trees = step.trees { return announce(step.change, trees) }
    if put(step.change) { return }
    let before = committed.data
    step.carryOut(in: &committed.data)
    announce(step.change, Step.Trees(before: before, after: committed.data))
  }

  private func announce(_ change: Change, _ trees: Step.Trees) {
    switch change {
    case .set(let path, _):
      indexes.update(before: trees.before, after: trees.after, touched: [path])
      var encodings = Encodings()
      guard let node = descend(to: path, change, trees, [path], nil, &encodings) else { return }
      if path.endsWithPriority {
        hear(node, change, trees, [path], nil, &encodings)
      } else {
        overwritten(node, trees.before[path], trees.after[path])
      }
    case .merge(let path, let entries):
      let touched = entries.map { path.appending($0.path) }
      indexes.update(before: trees.before, after: trees.after, touched: touched)
      var encodings = Encodings()
      guard let node = descend(to: path, change, trees, touched, path, &encodings) else { return }
      hear(node, change, trees, touched, path, &encodings)
      distribute(entries, below: node, trees)
    }
  }

  /// Makes a put in place and tells those for whom what was put is enough; false, and nothing done, if there
  /// is an index or a view that has to see the tree before and after it.
  private func put(_ change: Change) -> Bool {
    guard case .set(let path, let value) = change, indexes.count == 0 else { return false }
    // Most puts are heard at one place above them, and need no array for that.
    var heard: ListenerNode?
    var heardBelow: [ListenerNode] = []
    var node: ListenerNode? = listeners.root
    for key in path.keys {
      guard let place = node else { break }
      if !place.views.isEmpty { return false }
      if !place.audience.isEmpty {
        if heard == nil { heard = place } else { heardBelow.append(place) }
      }
      node = place.children[key]
    }
    var encodings = Encodings()
    if let heard { tell(change, heard.audience, &encodings) }
    for place in heardBelow { tell(change, place.audience, &encodings) }
    guard let node else {
      committed.data.set(value, at: path)
      return true
    }
    let old = committed.data[path]
    committed.data.set(value, at: path)
    overwritten(node, old, value)
    return true
  }

  /// Tells the places above a write, and returns the place of the write itself if somebody listens there or
  /// below.
  private func descend(
    to path: Path, _ change: Change, _ trees: Step.Trees, _ touched: [Path], _ base: Path?,
    _ encodings: inout Encodings
  ) -> ListenerNode? {
    var node = listeners.root
    for key in path.keys {
      if node.isConcerned { hear(node, change, trees, touched, base, &encodings) }
      guard let next = node.children[key] else { return nil }
      node = next
    }
    return node
  }

  /// Tells one place of a write at or below it. `touched` and `base` are absolute.
  private func hear(
    _ node: ListenerNode, _ change: Change, _ trees: Step.Trees, _ touched: [Path], _ base: Path?,
    _ encodings: inout Encodings
  ) {
    tell(change, node.audience, &encodings)
    if node.views.isEmpty { return }
    let path = node.path
    update(
      node, trees.before[path], trees.after[path], touched: touched.map { $0.relative(to: path) },
      mergedAt: base.map { path.contains($0) ? $0.relative(to: path) : .root })
  }

  private func update(
    _ node: ListenerNode, _ before: Node, _ after: Node, touched: [Path], mergedAt base: Path? = nil
  ) {
    var write = LocationWrite(before: before, after: after, touched: touched, mergedAt: base)
    for shared in node.views.values {
      let change = shared.view.update(&write, index: indexes.index(for: shared.query, at: node.path))
      guard let change else { continue }
      var encodings = Encodings()
      tell(change, shared.audience, &encodings)
    }
  }

  /// Tells everybody at and below a place that was overwritten, each their own part of the new value.
  private func overwritten(_ node: ListenerNode, _ before: Node, _ after: Node) {
    if before.isIdentical(to: after) { return }
    if !node.audience.isEmpty, before != after {
      var encodings = Encodings()
      tell(.set(node.path, after), node.audience, &encodings)
    }
    if !node.views.isEmpty { update(node, before, after, touched: [.root]) }
    if node.children.isEmpty { return }
    if before.childCount + after.childCount < node.children.count {
      Node.forEachDifference(before, after) { key, old, new in
        if let child = node.children[key] { overwritten(child, old, new) }
      }
    } else {
      for (key, child) in node.children { overwritten(child, before[key], after[key]) }
    }
  }

  /// Tells the places below a merge: each hears what of it lies at, below or above the place.
  private func distribute(_ entries: [MergeEntry], below node: ListenerNode, _ trees: Step.Trees) {
    if node.children.isEmpty { return }
    var parts: [ChildKey: [MergeEntry]] = [:]
    var order: [ChildKey] = []
    for entry in entries {
      guard let key = entry.path.keys.first, node.children[key] != nil else { continue }
      if parts[key] == nil { order.append(key) }
      parts[key, default: []].append(MergeEntry(entry.path.dropFirst(1), entry.value))
    }
    for key in order {
      guard let child = node.children[key], let part = parts[key] else { continue }
      if part.contains(where: { $0.path == .root }) {
        overwritten(child, trees.before[child.path], trees.after[child.path])
        continue
      }
      var encodings = Encodings()
      let touched = part.map { child.path.appending($0.path) }
      let change =
        part.count == 1 ? Change.set(touched[0], part[0].value) : .merge(child.path, part)
      if child.isConcerned {
        hear(child, change, trees, touched, part.count == 1 ? nil : child.path, &encodings)
      }
      distribute(part, below: child, trees)
    }
  }

  /// Hands a change to an audience, encoded once for each form.
  func tell(_ change: Change, _ audience: Audience, _ encodings: inout Encodings) {
    for group in audience.groups {
      counters.deliveries += UInt64(group.listens.count)
      if group.isLocal {
        for listen in group.listens {
          group.outbox.append(.change(listen.id, change), to: listen.session.client)
        }
        continue
      }
      let push = encodings.bytes(group.form) { group.dialect.encode(change, form: group.form) }
      if push.isNew { counters.pushes += 1 }
      group.outbox.append(push.bytes, to: group)
    }
  }
}
