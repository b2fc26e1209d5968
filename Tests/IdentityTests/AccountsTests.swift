import Crypto
import Engine
import JSONTree
import Rules
import Testing

@testable import Identity

@Suite struct AccountsTests {
  private let email = "ann@example.com"

  @Test func `an anonymous user gets a token that rules understand`() async throws {
    let room = try await AccountsRoom()
    let signedIn = try await room.accounts.signUpAnonymously(room.call)
    let caller = try room.caller(signedIn.idToken).caller
    #expect(caller.auth["uid"].string == signedIn.account.uid)
    #expect(caller.auth["provider"].string == "anonymous")
    #expect(caller.expiresAtSeconds == AccountsRoom.now + 3600)
    #expect(signedIn.account.uid.utf8.count == 28)
    #expect(signedIn.isNew && signedIn.account.isAnonymous)
  }

  @Test func `a password signs in to the account it was set for`() async throws {
    let room = try await AccountsRoom()
    let new = try await room.accounts.signUp(email: "Ann@Example.com", password: "secret1", room.call)
    let again = try await room.accounts.signIn(email: email, password: "secret1", room.call)
    #expect(again.account.uid == new.account.uid && !again.isNew)
    let token = try room.caller(again.idToken).caller.auth["token"]
    #expect(token["email"].string == email)
    #expect(token["email_verified"].bool == false)
    #expect(token["firebase"]["identities"]["email"]["0"].string == email)
    #expect(!room.store.text.contains("secret1"))
    await #expect(throws: AccountError.emailExists) {
      try await room.accounts.signUp(email: "ANN@example.com", password: "other12", room.call)
    }
  }

  @Test func `a wrong password and an unknown address are refused alike`() async throws {
    let room = try await AccountsRoom()
    _ = try await room.accounts.signUp(email: email, password: "secret1", room.call)
    for (address, password) in [(email, "secret2"), ("bob@example.com", "secret1"), ("", ""), (email, "")] {
      await #expect(throws: AccountError.invalidCredentials) {
        try await room.accounts.signIn(email: address, password: password, room.call)
      }
    }
    let other = SignInCall(database: "chat", address: "192.0.2.1")
    await #expect(throws: AccountError.invalidCredentials) {
      try await room.accounts.signIn(email: email, password: "secret1", other)
    }
  }

  @Test func `guessing one account's password ends after ten tries, whoever guesses`() async throws {
    let room = try await AccountsRoom()
    _ = try await room.accounts.signUp(email: email, password: "secret1", room.call)
    for number in 0..<10 {
      let call = SignInCall(database: "shop", address: "192.0.2.\(number)")
      await #expect(throws: AccountError.invalidCredentials) {
        try await room.accounts.signIn(email: email, password: "guess-\(number)", call)
      }
    }
    await #expect(throws: AccountError.tooManyAttempts) {
      try await room.accounts.signIn(email: email, password: "secret1", room.call)
    }
    room.pass(121)
    _ = try await room.accounts.signIn(email: email, password: "secret1", room.call)
  }

  @Test func `one address gets only so many attempts and accounts`() async throws {
    let throttles = SignInThrottles(
      attempts: Throttle(burst: 5, perHour: 3600), signUps: Throttle(burst: 3, perHour: 1))
    let room = try await AccountsRoom(throttles: throttles)
    for _ in 0..<3 { _ = try await room.accounts.signUpAnonymously(room.call) }
    await #expect(throws: AccountError.tooManyAttempts) {
      try await room.accounts.signUpAnonymously(room.call)
    }
    await #expect(throws: AccountError.invalidCredentials) {
      try await room.accounts.signIn(email: email, password: "x", room.call)
    }
    await #expect(throws: AccountError.tooManyAttempts) {
      try await room.accounts.signIn(email: email, password: "x", room.call)
    }
    let elsewhere = SignInCall(database: "shop", address: "198.51.100.7")
    _ = try await room.accounts.signUpAnonymously(elsewhere)
    room.pass(2)
    await #expect(throws: AccountError.invalidCredentials) {
      try await room.accounts.signIn(email: email, password: "x", room.call)
    }
  }

  @Test(arguments: [
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8::1", "2001:db8:0:0::/64"),
    ("::1", "0:0:0:0::/64"), ("fe80::1%eth0", "fe80:0:0:0::/64"), ("192.0.2.1", "192.0.2.1"),
    ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("", ""),
  ])
  func `one subscriber's version 6 network counts as one address`(address: String, network: String) {
    #expect(SignInCall(database: "a", address: address).address == network)
  }

  @Test func `ways to sign in that are not allowed are refused`() async throws {
    let room = try await AccountsRoom(methods: [])
    await #expect(throws: AccountError.methodDisabled(.anonymous)) {
      try await room.accounts.signUpAnonymously(room.call)
    }
    await #expect(throws: AccountError.methodDisabled(.password)) {
      try await room.accounts.signUp(email: email, password: "secret1", room.call)
    }
    await #expect(throws: AccountError.methodDisabled(.password)) {
      try await room.accounts.signIn(email: email, password: "secret1", room.call)
    }
    await #expect(throws: AccountError.methodDisabled(.custom)) {
      try await room.accounts.signIn(customToken: "x", room.call)
    }
    await #expect(throws: AccountError.methodDisabled(.weapp)) {
      try await room.accounts.signIn(weChatCode: "code-1", rawData: nil, signature: nil, room.call)
    }
  }

  @Test func `what users say of themselves has bounds`() async throws {
    let room = try await AccountsRoom()
    for bad in [
      "", "ann", "@b.c", "a@", "a@b@c", "a b@c.d", "a@.c", "a@c.", String(repeating: "a", count: 65) + "@b.c",
    ] {
      await #expect(throws: AccountError.invalidEmail) {
        try await room.accounts.signUp(email: bad, password: "secret1", room.call)
      }
    }
    for bad in ["", "12345", String(repeating: "x", count: 1025)] {
      await #expect(throws: AccountError.weakPassword) {
        try await room.accounts.signUp(email: email, password: bad, room.call)
      }
    }
    for bad in ["", "1234", "+", "123a5", String(repeating: "1", count: 21)] {
      await #expect(throws: AccountError.invalidPhone) {
        try await room.accounts.signUp(email: nil, phone: bad, password: "secret1", room.call)
      }
    }
  }

  @Test func `a mini-program's user is the same at every sign-in, and a code is good once`() async throws {
    let room = try await AccountsRoom()
    let raw = #"{"nickName":"Ann","avatarUrl":"https://p"}"#
    let signature = Insecure.SHA1.hash(data: Array((raw + "key-of-open-1").utf8))
      .map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
    let first = try await room.accounts.signIn(
      weChatCode: "code-1", rawData: raw, signature: signature, room.call)
    #expect(first.isNew && first.account.displayName == "Ann")
    #expect(try room.caller(first.idToken).caller.auth["provider"].string == "weapp")
    let again = try await room.accounts.signIn(weChatCode: "code-3", rawData: nil, signature: nil, room.call)
    #expect(again.account.uid == first.account.uid)
    await #expect(throws: AccountError.weChatRefused) {
      try await room.accounts.signIn(weChatCode: "code-1", rawData: nil, signature: nil, room.call)
    }
    await #expect(throws: AccountError.weChatSignature) {
      try await room.accounts.signIn(weChatCode: "code-2", rawData: raw, signature: signature, room.call)
    }
  }
}
