import Identity

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The file in the data folder that keeps the digest of the admin secret.
struct SecretFile {
  let path: String

  init(folder: String) {
    path = folder + "/admin-secret"
  }

  /// The secret that was generated at an earlier start; nil when there is none.
  ///
  /// A file that can't be understood stops the server: making a new secret would lock its owner out.
  func load() throws(ServerError) -> AdminSecret? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw .system("can't read \(path)")
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { throw .system("can't read \(path)") }
    let text = String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    guard let secret = AdminSecret(stored: text) else {
      throw ServerError(
        "\(path) is damaged", advice: "Restore it, or remove it to get a new admin secret at the next start.")
    }
    return secret
  }

  /// Stores a secret's digest, durably.
  func store(_ secret: AdminSecret) throws(ServerError) {
    let temporary = path + ".new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system("can't write \(temporary)") }
    let line = Array((secret.stored + "\n").utf8)
    let isWritten = write(descriptor, line, line.count) == line.count && fsync(descriptor) == 0
    guard close(descriptor) == 0, isWritten, rename(temporary, path) == 0 else {
      throw .system("can't write \(path)")
    }
  }
}
