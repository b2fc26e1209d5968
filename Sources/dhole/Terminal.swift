import Glibc

/// Standard output and standard error, unbuffered, so that a line is seen as soon as it is known.
enum Terminal {
  /// Whether standard output is a terminal, which gets colours and indented JSON.
  static let isInteractive = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
  static let showsProgress = isatty(STDERR_FILENO) == 1

  enum Colour: String {
    case green = "32"
    case red = "31"
    case yellow = "33"
    case grey = "90"
    case bold = "1"
  }

  static func coloured(_ text: String, _ colour: Colour) -> String {
    isInteractive ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }

  static func line(_ text: String) {
    write(Array((text + "\n").utf8), to: STDOUT_FILENO)
  }

  static func bytes(_ bytes: [UInt8]) {
    write(bytes, to: STDOUT_FILENO)
  }

  static func errorLine(_ text: String) {
    write(Array((text + "\n").utf8), to: STDERR_FILENO)
  }

  /// Replaces the line of progress on standard error; nothing when that is not a terminal.
  static func progress(_ text: String, isLast: Bool = false) {
    guard showsProgress else { return }
    write(Array("\r\u{1B}[K\(text)\(isLast ? "\n" : "")".utf8), to: STDERR_FILENO)
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    bytes.withUnsafeBytes { raw in
      var rest = raw[...]
      while !rest.isEmpty {
        let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written < 0 && errno == EINTR { continue }
        // Whoever read our output is gone: there is nobody left to tell.
        guard written > 0 else { return }
        rest = rest.dropFirst(written)
      }
    }
  }
}

/// An environment variable, or nil when it is absent or empty.
func environment(_ name: String) -> String? {
  guard let value = getenv(name) else { return nil }
  let text = String(cString: value)
  return text.isEmpty ? nil : text
}
