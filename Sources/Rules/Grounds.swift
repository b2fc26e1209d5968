/// What a credential rests on besides its time: whoever accepted it knows when that is gone.
package indirect enum Grounds: Sendable, Equatable {
  /// A secret of the database, by its id: it is the credential itself, or has signed it.
  case secret(String)
  /// The server's own word for a user: the key that it was signed with, and when that was, in seconds since
  /// 1970.
  case user(uid: String, key: String, issuedAtSeconds: Int64)
  /// The server's own word for one of the operator's services: the key that it was signed with, and the key
  /// of the service account that asked for it.
  case service(key: String, account: String)
}
