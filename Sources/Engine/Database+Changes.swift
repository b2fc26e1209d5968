import JSONTree
import NIOCore

/// The bytes of one change, by form: each is encoded once.
struct Encodings {
  private var made: [(form: PushForm, bytes: ByteBuffer)] = []

  mutating func bytes(_ form: PushForm, _ encode: () -> ByteBuffer) -> (bytes: ByteBuffer, isNew: Bool) {
    if let found = made.first(where: { $0.form == form }) { return (found.bytes, false) }
    let bytes = encode()
    made.append((form, bytes))
    return (bytes, true)
  }
}

extension Database {
  /// Tells everybody concerned about one committed write.
  func announce(_ step: Step) {
    switch step.change {
    case .set(let path, _):
      indexes.update(before: step.before, after: step.after, touched: [path])
      var encodings = Encodings()
      guard let node = descend(to: path, step, [path], nil, &encodings) else { return }
      if path.endsWithPriority {
        hear(node, step.change, step, [path], nil, &encodings)
      } else {
        overwritten(node, step.before[path], step.after[path])
      }
    case .merge(let path, let entries):
      let touched = entries.map { path.appending($0.path) }
      indexes.update(before: step.before, after: step.after, touched: touched)
      var encodings = Encodings()
      guard let node = descend(to: path, step, touched, path, &encodings) else { return }
      hear(node, step.change, step, touched, path, &encodings)
      distribute(entries, below: node, step)
    }
  }

  /// Tells the places above a write, and returns the place of the write itself if somebody listens there or
  /// below.
  private func descend(
    to path: Path, _ step: Step, _ touched: [Path], _ base: Path?, _ encodings: inout Encodings
  ) -> ListenerNode? {
    var node = listeners.root
    for key in path.keys {
      if node.isConcerned { hear(node, step.change, step, touched, base, &encodings) }
      guard let next = node.children[key] else { return nil }
      node = next
    }
    return node
  }

  /// Tells one place of a write at or below it. `touched` and `base` are absolute.
  private func hear(
    _ node: ListenerNode, _ change: Change, _ step: Step, _ touched: [Path], _ base: Path?,
    _ encodings: inout Encodings
  ) {
    tell(change, node.audience, &encodings)
    if node.views.isEmpty { return }
    let path = node.path
    update(
      node, step.before[path], step.after[path], touched: touched.map { $0.relative(to: path) },
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
  private func distribute(_ entries: [MergeEntry], below node: ListenerNode, _ step: Step) {
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
        overwritten(child, step.before[child.path], step.after[child.path])
        continue
      }
      var encodings = Encodings()
      let touched = part.map { child.path.appending($0.path) }
      let change =
        part.count == 1 ? Change.set(touched[0], part[0].value) : .merge(child.path, part)
      if child.isConcerned {
        hear(child, change, step, touched, part.count == 1 ? nil : child.path, &encodings)
      }
      distribute(part, below: child, step)
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
