import Crypto

/// SHA-1 digests as clients write them.
enum DigestText {
  /// The length: 20 bytes in base 64.
  static let count = 28

  /// A digest in base 64, with padding.
  static func base64(_ digest: Insecure.SHA1Digest) -> String {
    withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { text in
      writeBase64(digest, to: text)
      return String(decoding: text, as: UTF8.self)
    }
  }

  /// Writes a digest in base 64, with padding.
  static func writeBase64(_ digest: Insecure.SHA1Digest, to text: UnsafeMutableRawBufferPointer) {
    let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    digest.withUnsafeBytes { bytes in
      var i = 0
      var o = 0
      while i < bytes.count {
        let b = i + 1 < bytes.count ? bytes[i + 1] : 0
        let c = i + 2 < bytes.count ? bytes[i + 2] : 0
        let group = UInt32(bytes[i]) << 16 | UInt32(b) << 8 | UInt32(c)
        for shift in stride(from: UInt32(18), through: 0, by: -6) {
          text[o] = alphabet.utf8Start[Int(group >> shift & 63)]
          o += 1
        }
        i += 3
      }
      text[count - 1] = UInt8(ascii: "=")
    }
  }
}
