import Crypto
import JSONTree

/// What a mini-program says of its user, signed by WeChat.
struct WeChatProfile {
  private var name: String?
  private var picture: String?

  /// Nothing when the program sent nothing; refuses what is not signed for this session.
  init(rawData: String?, signature: String?, sessionKey: String) throws(AccountError) {
    guard let rawData, let signature else {
      guard rawData == nil, signature == nil else { throw .weChatSignature }
      return
    }
    // The signature is defined as SHA-1 of the data with the session key; the comparison takes constant time.
    let digest = Insecure.SHA1.hash(data: Array((rawData + sessionKey).utf8))
    guard let claimed = Self.bytes(hex: signature), digest == claimed else { throw .weChatSignature }
    guard let profile = Claims(payload: Array(rawData.utf8))?.all else { return }
    name = profile["nickName"].string.flatMap { $0.utf8.count <= 256 && !$0.isEmpty ? $0 : nil }
    picture = profile["avatarUrl"].string.flatMap { $0.utf8.count <= 1024 && !$0.isEmpty ? $0 : nil }
  }

  /// What the user has not chosen otherwise here.
  func fill(_ account: inout Account) {
    account.displayName = account.displayName ?? name
    account.photoURL = account.photoURL ?? picture
  }

  private static func bytes(hex: String) -> [UInt8]? {
    guard hex.utf8.count == 40 else { return nil }
    var bytes: [UInt8] = []
    var rest = Substring(hex)
    while !rest.isEmpty {
      guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
      bytes.append(byte)
      rest = rest.dropFirst(2)
    }
    return bytes
  }
}
