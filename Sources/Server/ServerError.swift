#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Why a server could not start, for the person who started it.
package struct ServerError: Error, Equatable, CustomStringConvertible {
  package let message: String
  /// The next thing to try.
  package let advice: String

  init(_ message: String, advice: String) {
    self.message = message
    self.advice = advice
  }

  package var description: String { advice.isEmpty ? message : "\(message). \(advice)" }

  /// What the operating system said about the last call.
  static func system(_ what: String) -> ServerError {
    ServerError("\(what): \(String(cString: strerror(errno)))", advice: "")
  }
}
