import JSONTree

/// Picks members out of small JSON answers without building a tree.
enum Text {
  /// The string member `name` of an object; nil when it is absent or something else.
  static func member(_ name: String, of bytes: [UInt8]) -> String? {
    bytes.withUnsafeBytes { raw in
      var reader = JSONReader(raw)
      guard (try? reader.beginObject()) != nil else { return nil }
      while let key = try? reader.nextKey() {
        if key == name { return try? reader.readString() }
        guard (try? reader.skipValue()) != nil else { return nil }
      }
      return nil
    }
  }

  /// The members of an object in their order, each value as the bytes it was written with; nil when it is no
  /// object.
  static func members(of bytes: [UInt8]) -> [(key: String, value: [UInt8])]? {
    bytes.withUnsafeBytes { raw in
      var reader = JSONReader(raw)
      var members: [(key: String, value: [UInt8])] = []
      do {
        try reader.beginObject()
        while let key = try reader.nextKey() {
          members.append((key, Array(raw[try reader.skipValue()])))
        }
        try reader.expectEnd()
      } catch {
        return nil
      }
      return members
    }
  }

  /// The string member `name` of each object in an array; nil when it is no such array.
  static func members(_ name: String, ofEach bytes: [UInt8]) -> [String]? {
    bytes.withUnsafeBytes { raw in
      var reader = JSONReader(raw)
      var found: [String] = []
      do {
        try reader.beginArray()
        while try reader.nextElement() {
          guard let value = member(name, of: Array(raw[try reader.skipValue()])) else { return nil }
          found.append(value)
        }
        try reader.expectEnd()
      } catch {
        return nil
      }
      return found
    }
  }

  /// The text of a JSON string; nil for anything else.
  static func string(_ bytes: [UInt8]) -> String? {
    bytes.withUnsafeBytes { raw in
      var reader = JSONReader(raw)
      return try? reader.readString()
    }
  }

  /// The elements of an array as the bytes they were written with; nil when it is none.
  static func elements(of bytes: [UInt8]) -> [[UInt8]]? {
    bytes.withUnsafeBytes { raw in
      var reader = JSONReader(raw)
      var elements: [[UInt8]] = []
      do {
        try reader.beginArray()
        while try reader.nextElement() { elements.append(Array(raw[try reader.skipValue()])) }
        try reader.expectEnd()
      } catch {
        return nil
      }
      return elements
    }
  }

  /// A JSON string with its quotes.
  static func quoted(_ text: String) -> String {
    var out: [UInt8] = []
    JSONText.appendString(text, to: &out)
    return String(decoding: out, as: UTF8.self)
  }
}
