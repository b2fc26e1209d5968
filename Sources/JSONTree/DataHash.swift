import Crypto

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a client writes numbers when it computes a hash.
package enum HashDialect: Sendable, Hashable, CaseIterable {
  /// The bits of the double.
  case standard
  /// What the Wilddog client computes with logarithms: a few numbers come out a little off.
  case wilddogDouble
}

extension Node {
  /// The hash that clients send to name the value they know; empty for null.
  package var simpleHash: String { hash(.standard) }

  /// The hash in the way of one client.
  package func hash(_ dialect: HashDialect) -> String {
    if isNull { return "" }
    var hasher = DataHasher(dialect: dialect)
    return withUnsafeTemporaryAllocation(byteCount: DigestText.count, alignment: 1) { text in
      hasher.hash(self, into: text)
      return String(decoding: text, as: UTF8.self)
    }
  }
}

/// Computes the hash of a value from the hashes of its children.
private struct DataHasher {
  let dialect: HashDialect

  /// Writes the hash of a value that is not null.
  mutating func hash(_ node: Node, into text: UnsafeMutableRawBufferPointer) {
    var sha = Insecure.SHA1()
    var out = ByteWriter(capacity: 256)
    if node.hasPriority {
      out.append("priority:")
      append(leaf: node.priority.content, to: &out)
      out.append(UInt8(ascii: ":"))
    }
    if let block = node.block {
      append(block, to: &out, &sha)
    } else {
      append(leaf: node.value, to: &out)
    }
    sha.update(bufferPointer: out.bytes)
    DigestText.writeBase64(sha.finalize(), to: text)
  }

  private func append(leaf: Node.Content, to out: inout ByteWriter) {
    switch leaf {
    case .bool(let value): out.append(value ? "boolean:true" : "boolean:false")
    case .integer(let value): append(number: Double(value), to: &out)
    case .double(let value): append(number: value, to: &out)
    default:
      out.append("string:")
      leaf.withStringUTF8 { out.append($0) }
    }
  }

  private func append(number: Double, to out: inout ByteWriter) {
    let bits = dialect == .standard ? number.bitPattern : DataHasher.wilddogBits(number)
    out.append("number:")
    for shift in stride(from: UInt64(60), through: 0, by: -4) {
      out.append(Hex.digit(UInt8(bits >> shift & 15)))
    }
  }

  private mutating func append(_ block: Block, to out: inout ByteWriter, _ sha: inout Insecure.SHA1) {
    var anyPriority = false
    block.forEachUntil { _, node in
      anyPriority = node.hasPriority
      return !anyPriority
    }
    if anyPriority {
      var children: [(index: Int, key: ChildKey, node: Node)] = []
      block.forEach { key, node in children.append((children.count, ChildKey(trusted: key), node)) }
      children.sort { Node.priorityOrder($0.node, $1.node).then(Order($0.index, $1.index)) == .less }
      for child in children { child.key.withUTF8 { append($0, child.node, to: &out, &sha) } }
    } else {
      block.forEach { key, node in append(key, node, to: &out, &sha) }
    }
  }

  private mutating func append(
    _ key: UnsafeRawBufferPointer, _ node: Node, to out: inout ByteWriter, _ sha: inout Insecure.SHA1
  ) {
    // Wide objects must not be held twice: what has been written goes into the digest now and then.
    if out.count > 8192 {
      sha.update(bufferPointer: out.bytes)
      out.removeAll()
    }
    out.append(UInt8(ascii: ":"))
    out.append(key)
    out.append(UInt8(ascii: ":"))
    withUnsafeTemporaryAllocation(byteCount: DigestText.count, alignment: 1) { text in
      hash(node, into: text)
      out.append(UnsafeRawBufferPointer(text))
    }
  }

  /// The bits that come of taking the exponent from a logarithm and rounding the rest.
  private static func wilddogBits(_ number: Double) -> UInt64 {
    if number == 0 { return 0 }
    let sign: UInt64 = number < 0 ? 1 << 63 : 0
    let magnitude = number.magnitude
    guard magnitude >= Double.leastNormalMagnitude else { return number.bitPattern }
    let exponent = min((log(magnitude) / 0x1.62e42fefa39efp-1).rounded(.down), 1023)
    let scaled = magnitude * pow(2, 52 - exponent) - 0x1p52
    // The client rounds halves up and keeps the low 52 bits; of infinity it keeps zeros.
    let fraction = scaled.isFinite ? UInt64(bitPattern: Int64((scaled + 0.5).rounded(.down))) : 0
    return sign | UInt64(exponent + 1023) << 52 | fraction & (1 << 52 - 1)
  }
}
