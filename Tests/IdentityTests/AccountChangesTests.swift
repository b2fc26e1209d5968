import Engine
import JSONTree
import Rules
import Testing

@testable import Identity

@Suite struct AccountChangesTests {
  private func changes(_ change: (inout AccountChanges) -> Void) -> AccountChanges {
    var changes = AccountChanges()
    change(&changes)
    return changes
  }

  @Test func `an anonymous user keeps the uid when a password is added`() async throws {
    let room = try await AccountsRoom()
    let guest = try await room.accounts.signUpAnonymously(room.call)
    room.pass(3000)
    let linked = try await room.accounts.update(
      idToken: guest.idToken,
      changes {
        $0.email = "ann@example.com"
        $0.password = "secret1"
      }, room.call)
    #expect(linked.account.uid == guest.account.uid && !linked.account.isAnonymous)
    #expect(try room.caller(linked.idToken).caller.auth["provider"].string == "password")
    let again = try await room.accounts.signIn(email: "ann@example.com", password: "secret1", room.call)
    #expect(again.account.uid == guest.account.uid)
  }

  @Test func `a WeChat sign-in is linked, is nobody else's then, and is taken off`() async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUp(email: "ann@example.com", password: "secret1", room.call)
    let bob = try await room.accounts.signUp(email: "bob@example.com", password: "secret1", room.call)
    let linked = try await room.accounts.linkWeChat(idToken: ann.idToken, code: "code-1", room.call)
    #expect(linked.account.federated == ["weapp": "open-1"])
    await #expect(throws: AccountError.linkedElsewhere) {
      try await room.accounts.linkWeChat(idToken: bob.idToken, code: "code-3", room.call)
    }
    let unlinked = try await room.accounts.update(
      idToken: ann.idToken, changes { $0.unlinked = ["weapp"] }, room.call)
    #expect(unlinked.account.federated.isEmpty)
  }

  @Test func `the profile shows in new tokens`() async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUpAnonymously(room.call)
    let named = try await room.accounts.update(
      idToken: ann.idToken,
      changes {
        $0.displayName = "Ann"
        $0.photoURL = "https://p"
      }, room.call)
    let token = try room.caller(named.idToken).caller.auth["token"]
    #expect(token["name"].string == "Ann" && token["picture"].string == "https://p")
    let bare = try await room.accounts.update(
      idToken: ann.idToken, changes { $0.displayName = "" }, room.call)
    #expect(bare.account.displayName == nil && bare.account.photoURL == "https://p")
  }

  @Test func `a new password needs a recent sign-in, and ends the others`() async throws {
    let room = try await AccountsRoom()
    let first = try await room.accounts.signUp(email: "ann@example.com", password: "secret1", room.call)
    room.pass(301)
    await #expect(throws: AccountError.recentSignInNeeded) {
      try await room.accounts.update(idToken: first.idToken, changes { $0.password = "secret2" }, room.call)
    }
    let recent = try await room.accounts.signIn(email: "ann@example.com", password: "secret1", room.call)
    let changed = try await room.accounts.update(
      idToken: recent.idToken, changes { $0.password = "secret2" }, room.call)
    #expect(throws: AuthenticationError.self) { try room.caller(first.idToken) }
    #expect(throws: Never.self) { try room.caller(changed.idToken) }
    await #expect(throws: AccountError.invalidRefreshToken) {
      try await room.accounts.refresh(first.refreshToken, room.call)
    }
    _ = try await room.accounts.refresh(changed.refreshToken, room.call)
    await #expect(throws: AccountError.invalidCredentials) {
      try await room.accounts.signIn(email: "ann@example.com", password: "secret1", room.call)
    }
    _ = try await room.accounts.signIn(email: "ann@example.com", password: "secret2", room.call)
  }

  @Test(arguments: [0, 1] as [Int64])
  func `who sets a new password stays signed in, however long it takes`(secondsPerLook: Int64) async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUp(email: "ann@example.com", password: "secret1", room.call)
    room.pass(2)
    room.passAtEachLook(secondsPerLook)
    let changed = try await room.accounts.update(
      idToken: ann.idToken, changes { $0.password = "secret2" }, room.call)
    #expect(try await room.accounts.lookUp(idToken: changed.idToken, in: "shop").uid == ann.account.uid)
    #expect(throws: Never.self) { try room.caller(changed.idToken) }
    _ = try await room.accounts.refresh(changed.refreshToken, room.call)
    await #expect(throws: AccountError.tokenExpired) {
      try await room.accounts.lookUp(idToken: ann.idToken, in: "shop")
    }
  }

  @Test func `a refresh token gives new tokens until the sign-ins are ended`() async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUpAnonymously(room.call)
    room.pass(3601)
    #expect(throws: AuthenticationError.self) { try room.caller(ann.idToken) }
    let fresh = try await room.accounts.refresh(ann.refreshToken, room.call)
    #expect(try room.caller(fresh.idToken).caller.auth["uid"].string == ann.account.uid)
    #expect(!room.store.text.contains(ann.refreshToken))
    for bad in ["", ".", "x.y", ann.refreshToken + "x", String(ann.refreshToken.dropLast()), fresh.idToken] {
      await #expect(throws: AccountError.invalidRefreshToken) {
        try await room.accounts.refresh(bad, room.call)
      }
    }
    await #expect(throws: AccountError.invalidRefreshToken) {
      try await room.accounts.refresh(ann.refreshToken, SignInCall(database: "chat", address: "192.0.2.1"))
    }
    room.pass(1)
    try await room.accounts.endSignIns(of: ann.account.uid, in: "shop")
    #expect(throws: AuthenticationError.self) { try room.caller(fresh.idToken) }
    await #expect(throws: AccountError.invalidRefreshToken) {
      try await room.accounts.refresh(ann.refreshToken, room.call)
    }
  }

  @Test func `ended sign-ins are ended after a restart, too`() async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUpAnonymously(room.call)
    room.pass(1)
    try await room.accounts.endSignIns(of: ann.account.uid, in: "shop")
    let keyring = Keyring()
    let keys = try await OwnKeys(store: room.store, keyring: keyring, nowSeconds: room.nowSeconds)
    let accounts = Accounts(
      store: room.store, keys: keys, keyring: keyring, passwords: try PasswordHasher(cost: .cheap),
      clock: room.clock)
    let authenticator = ServerAuthenticator(secret: nil, isDevelopment: false, keyring: keyring)
    let id = try DatabaseID("shop")
    #expect(throws: Never.self) {
      try authenticator.authenticate(ann.idToken, database: id, nowSeconds: room.nowSeconds).get()
    }
    try await accounts.loadRevocations()
    #expect(throws: AuthenticationError.self) {
      try authenticator.authenticate(ann.idToken, database: id, nowSeconds: room.nowSeconds).get()
    }
  }

  @Test func `one user has at most 50 sign-ins at a time, the oldest end`() async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUp(email: "ann@example.com", password: "secret1", room.call)
    var last: SignedIn?
    for number in 0..<55 {
      room.pass(1)
      let call = SignInCall(database: "shop", address: "192.0.2.\(number)")
      last = try await room.accounts.signIn(email: "ann@example.com", password: "secret1", call)
    }
    await #expect(throws: AccountError.invalidRefreshToken) {
      try await room.accounts.refresh(ann.refreshToken, room.call)
    }
    _ = try await room.accounts.refresh(try #require(last).refreshToken, room.call)
    let kept = try await room.store.all(
      realm: "shop", kind: RecordKind.refresh(uid: ann.account.uid).name, limit: .max, reversed: false)
    #expect(kept.count == 50)
  }

  @Test func `a deleted account leaves nothing behind, and its tokens are refused`() async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUp(email: "ann@example.com", password: "secret1", room.call)
    try await room.accounts.delete(idToken: ann.idToken, room.call)
    #expect(throws: AuthenticationError.self) { try room.caller(ann.idToken) }
    #expect(!room.store.text.contains("ann@example.com"))
    await #expect(throws: AccountError.invalidRefreshToken) {
      try await room.accounts.refresh(ann.refreshToken, room.call)
    }
    let new = try await room.accounts.signUp(email: "ann@example.com", password: "secret2", room.call)
    #expect(new.account.uid != ann.account.uid)
    room.pass(301)
    await #expect(throws: AccountError.recentSignInNeeded) {
      try await room.accounts.delete(idToken: new.idToken, room.call)
    }
  }

  @Test func `a disabled user is out at once, and back when enabled`() async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUp(email: "ann@example.com", password: "secret1", room.call)
    room.pass(1)
    try await room.accounts.setDisabled(true, ann.account.uid, in: "shop")
    #expect(throws: AuthenticationError.self) { try room.caller(ann.idToken) }
    await #expect(throws: AccountError.userDisabled) {
      try await room.accounts.signIn(email: "ann@example.com", password: "secret1", room.call)
    }
    await #expect(throws: AccountError.self) {
      try await room.accounts.lookUp(idToken: ann.idToken, in: "shop")
    }
    try await room.accounts.setDisabled(false, ann.account.uid, in: "shop")
    _ = try await room.accounts.signIn(email: "ann@example.com", password: "secret1", room.call)
  }

  @Test func `the operator's claims show, and can't pretend to be the server's`() async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUpAnonymously(room.call)
    let claims =
      #"{"role":"editor","sub":"root","exp":9999999999,"firebase":{"x":1},"#
      + #""admin":true,"v":0,"d":{"uid":"x"}}"#
    try await room.accounts.setClaims(claims, ann.account.uid, in: "shop")
    let fresh = try await room.accounts.refresh(ann.refreshToken, room.call)
    let caller = try room.caller(fresh.idToken).caller
    #expect(caller.auth["uid"].string == ann.account.uid && !caller.isAdmin)
    #expect(caller.auth["token"]["role"].string == "editor")
    #expect(caller.auth["token"]["d"].isNull && caller.auth["token"]["admin"].isNull)
    #expect(caller.expiresAtSeconds == AccountsRoom.now + 3600)
  }

  @Test func `tokens of one database are no good in another`() async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUpAnonymously(room.call)
    #expect(throws: AuthenticationError.self) { try room.caller(ann.idToken, in: "chat") }
    await #expect(throws: AccountError.invalidToken) {
      try await room.accounts.lookUp(idToken: ann.idToken, in: "chat")
    }
  }
}
