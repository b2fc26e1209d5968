import Crypto
import CryptoExtras
import Engine
import JSONTree
import JWTKit
import Rules
import Synchronization
import Testing

@testable import Identity

/// The server's own keys, secrets of databases and keys of services.
@Suite struct KeysTests {
  private let now = AccountsRoom.now

  @Test func `tokens are good across a rotation, until they end`() async throws {
    let room = try await AccountsRoom()
    let before = try await room.accounts.signUpAnonymously(room.call)
    try await room.keys.rotate(nowSeconds: now + 10)
    let after = try await room.accounts.signUpAnonymously(room.call)
    #expect(Token(before.idToken)?.keyID != Token(after.idToken)?.keyID)
    for token in [before.idToken, after.idToken] {
      #expect(throws: Never.self) { try room.caller(token) }
    }
    #expect(room.keys.keySet.split(separator: "kid").count == 3)
    room.pass(86_400 + 120)
    try await room.keys.rotate(nowSeconds: room.nowSeconds)
    #expect(room.keys.keySet.split(separator: "kid").count == 3)
  }

  @Test func `a key that is not trusted any more ends all its tokens at once`() async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUpAnonymously(room.call)
    #expect(throws: Never.self) { try room.caller(ann.idToken) }
    try await room.keys.rotate(nowSeconds: now, distrustsOld: true)
    #expect(throws: AuthenticationError.self) { try room.caller(ann.idToken) }
    let fresh = try await room.accounts.refresh(ann.refreshToken, room.call)
    #expect(throws: Never.self) { try room.caller(fresh.idToken) }
  }

  @Test func `the key is the same after a restart, and others can check with what is published`() async throws
  {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUpAnonymously(room.call)
    let keyring = Keyring()
    let again = try await OwnKeys(store: room.store, keyring: keyring, nowSeconds: now)
    #expect(again.keySet == room.keys.keySet)
    let published = try #require(await VerificationKey.set(json: Array(room.keys.keySet.utf8)))
    let token = try #require(Token(ann.idToken))
    #expect(published.count == 1 && published[0].verifies(token.signature, of: token.signed))
    #expect(published[0].id == token.keyID && published[0].algorithm == .es256)
    #expect(!room.keys.keySet.contains("\"d\""))
  }

  @Test func `secrets are added, listed, rotated and revoked`() async throws {
    let (store, keyring) = (MemoryIdentityStore(), Keyring())
    let book = SecretBook(store: store, keyring: keyring)
    let first = try await book.add(to: "shop", note: "web", nowSeconds: 1)
    let second = try await book.add(to: "shop", nowSeconds: 2)
    #expect(try await book.secrets(of: "shop").map(\.id) == [first.id, second.id])
    #expect(try await book.revoke(first.id, of: "shop"))
    #expect(try await !book.revoke(first.id, of: "shop"))
    #expect(keyring.secrets(of: "shop").map(\.text) == [second.text])
    let third = try await book.add(to: "shop", revokesOthers: true, nowSeconds: 3)
    #expect(keyring.secrets(of: "shop").map(\.text) == [third.text])
    for _ in 1..<10 { _ = try await book.add(to: "shop", nowSeconds: 4) }
    await #expect(throws: SecretBook.Refusal.tooMany) { try await book.add(to: "shop", nowSeconds: 5) }
    let loaded = Keyring()
    try await SecretBook(store: store, keyring: loaded).load()
    #expect(Set(loaded.secrets(of: "shop").map(\.text)) == Set(keyring.secrets(of: "shop").map(\.text)))
    #expect(loaded.secrets(of: "other").isEmpty)
  }

  @Test func `a custom token of the Admin SDK's form is exchanged, with its claims`() async throws {
    let room = try await AccountsRoom()
    let services = ServiceAccounts(store: room.store, keyring: room.keyring)
    let fresh = try await services.add(to: "shop", nowSeconds: now)
    let token = try await adminToken(fresh)
    let signedIn = try await room.accounts.signIn(customToken: token, room.call)
    #expect(signedIn.account.uid == "ann" && signedIn.isNew)
    let auth = try room.caller(signedIn.idToken).caller.auth
    #expect(auth["token"]["role"].string == "editor" && auth["provider"].string == "custom")
    let renewed = try await room.accounts.refresh(signedIn.refreshToken, room.call)
    #expect(try room.caller(renewed.idToken).caller.auth["token"]["role"].string == "editor")
    #expect(throws: AuthenticationError.self) { try room.caller(token) }
    #expect(!room.store.text.contains("PRIVATE KEY-----\\nMIIE"))
    #expect(try await services.revoke(fresh.keyID, of: "shop"))
    await #expect(throws: AccountError.invalidCustomToken) {
      try await room.accounts.signIn(customToken: token, room.call)
    }
  }

  @Test func `a custom token that is not what it must be is refused`() async throws {
    let room = try await AccountsRoom()
    let services = ServiceAccounts(store: room.store, keyring: room.keyring)
    let fresh = try await services.add(to: "shop", nowSeconds: now)
    let other = try await services.add(to: "chat", nowSeconds: now)
    let long = String(repeating: "u", count: 129)
    let changes: [(String, String)] = [
      ("identitytoolkit.v1.IdentityToolkit", "identitytoolkit.v2.IdentityToolkit"),
      (#""sub":"service@shop.dhole""#, #""sub":"service@chat.dhole""#),
      (#""exp":1700003600"#, #""exp":1700003601"#), (#""iat":1700000000"#, #""iat":1700000061"#),
      (#","exp":1700003600"#, ""), (#""iat":1700000000,"#, ""), (#""uid":"ann""#, #""uid":"""#),
      (#""uid":"ann""#, #""uid":7"#), (#""uid":"ann""#, #""uid":"\#(long)""#),
    ]
    for (old, new) in changes {
      let token = try await adminToken(fresh) { $0.replacing(old, with: new) }
      await #expect(throws: AccountError.invalidCustomToken, "\(new)") {
        try await room.accounts.signIn(customToken: token, room.call)
      }
    }
    let foreign = try await adminToken(other)
    await #expect(throws: AccountError.invalidCustomToken) {
      try await room.accounts.signIn(customToken: foreign, room.call)
    }
    let good = try await adminToken(fresh)
    room.pass(3600)
    await #expect(throws: AccountError.expiredCustomToken) {
      try await room.accounts.signIn(customToken: good, room.call)
    }
  }

  @Test func `tokens made with a secret are exchanged in both dialects, but not an operator's`() async throws
  {
    let room = try await AccountsRoom()
    let secret = try await SecretBook(store: room.store, keyring: room.keyring).add(
      to: "shop", nowSeconds: now)
    for payload in [
      #"{"v":0,"iat":1700000000,"d":{"uid":"ann","role":"x"}}"#,
      #"{"v":1,"uid":"ann","iat":1700000000,"claims":{"role":"x"}}"#,
    ] {
      let token = TokenForge.signed(with: secret.text, payload)
      let signedIn = try await room.accounts.signIn(customToken: token, room.call)
      #expect(try room.caller(signedIn.idToken).caller.auth["token"]["role"].string == "x")
    }
    let admin = TokenForge.signed(with: secret.text, #"{"v":1,"uid":"ann","iat":1700000000,"admin":true}"#)
    let unsigned = TokenForge.token(#"{"alg":"none"}"#, #"{"uid":"ann","iat":1700000000,"exp":1700003600}"#) {
      _ in []
    }
    for token in [admin, unsigned, "", "x.y.z"] {
      await #expect(throws: AccountError.invalidCustomToken) {
        try await room.accounts.signIn(customToken: token, room.call)
      }
    }
    let room2 = try await AccountsRoom(isDevelopment: true)
    #expect(try await room2.accounts.signIn(customToken: unsigned, room2.call).account.uid == "ann")
  }

  /// As `create_custom_token` makes it.
  private func adminToken(
    _ service: ServiceAccounts.Fresh, _ change: (String) -> String = { $0 }
  ) async throws -> String {
    let keys = JWTKeyCollection()
    await keys.add(
      rsa: try JWTKit.Insecure.RSA.PrivateKey(pem: service.privateKeyPEM), digestAlgorithm: .sha256)
    let signer = try await keys.getKey()
    let payload = change(
      #"{"iss":"\#(service.address)","sub":"\#(service.address)","aud":"\#(CustomToken.audience)","#
        + #""uid":"ann","iat":1700000000,"exp":1700003600,"claims":{"role":"editor"}}"#)
    return try TokenForge.token(#"{"alg":"RS256","kid":"\#(service.keyID)"}"#, payload) {
      try signer.sign($0)
    }
  }

  @Test func `a service account gets an operator's token for its own database, for an hour`() async throws {
    let room = try await AccountsRoom()
    let services = ServiceAccounts(store: room.store, keyring: room.keyring)
    let fresh = try await services.add(to: "shop", nowSeconds: now)
    let tokens = ServiceTokens(keys: room.keys, keyring: room.keyring)
    let change = { (audience: String) in
      { (text: String) in text.replacing(CustomToken.audience, with: audience) }
    }
    let assertion = try await adminToken(fresh, change("https://db.example.com/.auth/token"))
    let (token, _) = try tokens.exchange(assertion: assertion, endpoint: "/.auth/token", nowSeconds: now)
    let caller = try room.caller(token).caller
    #expect(caller.isAdmin && caller.isConfined && caller.expiresAtSeconds == now + 3600)
    #expect(throws: AuthenticationError.self) { try room.caller(token, in: "chat") }
    await #expect(throws: AccountError.self) { try await room.accounts.lookUp(idToken: token, in: "shop") }
    let custom = try await adminToken(fresh)
    let elsewhere = try await adminToken(fresh, change("https://oauth2.example.com/token"))
    let other = try await services.add(to: "chat", nowSeconds: now)
    let foreign = try await adminToken(other) {
      change("/.auth/token")($0).replacing("@chat.", with: "@shop.")
    }
    for bad in [custom, elsewhere, foreign, "", token] {
      #expect(throws: AccountError.invalidCustomToken) {
        try tokens.exchange(assertion: bad, endpoint: "/.auth/token", nowSeconds: now)
      }
    }
    #expect(throws: AccountError.expiredCustomToken) {
      try tokens.exchange(assertion: assertion, endpoint: "/.auth/token", nowSeconds: now + 3600)
    }
    _ = try await services.revoke(fresh.keyID, of: "shop")
    #expect(throws: AccountError.invalidCustomToken) {
      try tokens.exchange(assertion: assertion, endpoint: "/.auth/token", nowSeconds: now)
    }
    #expect(throws: AuthenticationError.self) { try room.caller(token) }
  }

  @Test func `an operator's token is over with the key of the service account that it was got with`()
    async throws
  {
    let room = try await AccountsRoom()
    let services = ServiceAccounts(store: room.store, keyring: room.keyring)
    let (kept, gone) = (
      try await services.add(to: "shop", nowSeconds: now), try await services.add(to: "shop", nowSeconds: now)
    )
    let exchange = { (fresh: ServiceAccounts.Fresh) async throws in
      let assertion = try await self.adminToken(fresh) {
        $0.replacing(CustomToken.audience, with: "https://db.example.com/.auth/token")
      }
      return try ServiceTokens(keys: room.keys, keyring: room.keyring)
        .exchange(assertion: assertion, endpoint: "/.auth/token", nowSeconds: self.now).token
    }
    let (first, second) = (try await exchange(kept), try await exchange(gone))
    #expect(try room.caller(second).caller.isAdmin)
    _ = try await services.revoke(gone.keyID, of: "shop")
    #expect(try room.caller(first).caller.isAdmin)
    #expect(throws: AuthenticationError.self) { try room.caller(second) }
  }

  @Test func `what was read before another change does not undo it`() async throws {
    let keyring = Keyring()
    let (old, new) = (
      try await DatabaseSecret.generate(nowSeconds: 1), try await DatabaseSecret.generate(nowSeconds: 2)
    )
    let (early, late) = (keyring.ticket(), keyring.ticket())
    keyring.setSecrets([new], of: "shop", by: late)
    keyring.setSecrets([old, new], of: "shop", by: early)
    #expect(keyring.secrets(of: "shop").map(\.id) == [new.id])
    keyring.setSecrets([old, new], of: "other", by: early)
    #expect(keyring.secrets(of: "other").count == 2)
  }

  @Test func `what is gone is told, and no longer holds`() async throws {
    let room = try await AccountsRoom()
    let losses = Losses()
    room.keyring.watch { loss in losses.all.withLock { $0.append(loss) } }
    let (a, b) = (
      try await DatabaseSecret.generate(nowSeconds: 1), try await DatabaseSecret.generate(nowSeconds: 2)
    )
    room.keyring.setSecrets([a, b], of: "shop")
    #expect(losses.take().isEmpty && room.keyring.holds(.secret(a.id), in: "shop"))
    #expect(!room.keyring.holds(.secret(a.id), in: "other"))
    room.keyring.setSecrets([b], of: "shop")
    let loss = try #require(losses.take().first)
    #expect(loss.database == "shop" && loss.includes(.secret(a.id)) && !loss.includes(.secret(b.id)))
    #expect(!room.keyring.holds(.secret(a.id), in: "shop") && room.keyring.holds(.secret(b.id), in: "shop"))

    let signedIn = try await room.accounts.signUpAnonymously(room.call)
    let grounds = try #require(try room.caller(signedIn.idToken).caller.grounds)
    #expect(room.keyring.holds(grounds, in: "shop"))
    try await room.accounts.setDisabled(true, signedIn.account.uid, in: "shop")
    #expect(losses.take().contains { $0.database == "shop" && $0.includes(grounds) })
    // Of this very second, too.
    #expect(!room.keyring.holds(grounds, in: "shop"))
    room.pass(2)
    try await room.accounts.setDisabled(false, signedIn.account.uid, in: "shop")
    let other = try await room.accounts.signUpAnonymously(room.call)
    let others = try #require(try room.caller(other.idToken).caller.grounds)
    try await room.keys.rotate(nowSeconds: room.nowSeconds)
    #expect(losses.take().isEmpty && room.keyring.holds(others, in: "shop"))
    try await room.keys.rotate(nowSeconds: room.nowSeconds, distrustsOld: true)
    #expect(losses.take().contains { $0.database == nil && $0.includes(others) })
    #expect(!room.keyring.holds(others, in: "shop"))
  }

  @Test func `a minted token is what it says`() async throws {
    let secret = try await DatabaseSecret.generate(nowSeconds: 1)
    let token = try await CustomTokenMinter.mint(
      secret: secret.text, uid: "ann", claims: #"{"role":"x"}"#, isAdmin: false, seconds: 60, nowSeconds: now)
    let keyring = Keyring()
    keyring.setSecrets([secret], of: "shop")
    let caller = try ServerAuthenticator(secret: nil, isDevelopment: false, keyring: keyring)
      .authenticate(token, database: try DatabaseID("shop"), nowSeconds: now).get().caller
    #expect(caller.auth["token"]["role"].string == "x" && caller.expiresAtSeconds == now + 60)
    #expect(await CustomTokenMinter.inspect(token, secret: secret.text)?.isSigned == true)
    #expect(await CustomTokenMinter.inspect(token, secret: secret.text + "x")?.isSigned == false)
    #expect(await CustomTokenMinter.inspect("a.b", secret: nil) == nil)
    await #expect(throws: CustomTokenMinter.Refusal.secret) {
      try await CustomTokenMinter.mint(
        secret: "short", uid: "a", claims: nil, isAdmin: false, seconds: 1, nowSeconds: 1)
    }
  }
}

private final class Losses: Sendable {
  let all = Mutex<[Keyring.Loss]>([])

  func take() -> [Keyring.Loss] {
    all.withLock { all in
      defer { all = [] }
      return all
    }
  }
}
