import Synchronization
import Testing

@testable import Identity

/// Codes that go out by mail and by SMS.
@Suite struct AccountCodesTests {
  private func withAnn(_ work: (AccountsRoom, SignedIn) async throws -> Void) async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUp(email: "ann@example.com", password: "secret1", room.call)
    try await work(room, ann)
  }

  @Test func `a forgotten password is replaced with a mailed code, once`() async throws {
    try await withAnn { room, ann async throws in
      try await room.accounts.sendPasswordReset(email: "ANN@example.com", room.call)
      let message = try #require(room.mailbox.last)
      #expect(message.type == .resetPassword && message.email == "ann@example.com")
      #expect(!room.store.text.contains(message.code))
      room.pass(1)
      #expect(try await room.accounts.inspect(code: message.code, room.call).email == "ann@example.com")
      let account = try await room.accounts.resetPassword(
        code: message.code, password: "secret2", room.call)
      #expect(account.isEmailVerified)
      _ = try await room.accounts.signIn(email: "ann@example.com", password: "secret2", room.call)
      await #expect(throws: AccountError.invalidRefreshToken) {
        try await room.accounts.refresh(ann.refreshToken, room.call)
      }
      await #expect(throws: AccountError.invalidCode) {
        try await room.accounts.resetPassword(code: message.code, password: "secret3", room.call)
      }
    }
  }

  @Test func `nobody can tell whether an address has an account`() async throws {
    try await withAnn { room, _ async throws in
      try await room.accounts.sendPasswordReset(email: "bob@example.com", room.call)
      #expect(room.mailbox.last == nil)
      try await room.accounts.sendSMS(.resetPasswordByPhone, phone: "13800000000", room.call)
      #expect(room.mailbox.last == nil)
    }
  }

  @Test func `an address is verified with its own code, in time, and not with another's`() async throws {
    try await withAnn { room, ann async throws in
      _ = try await room.accounts.sendEmailVerification(idToken: ann.idToken, room.call)
      let code = try #require(room.mailbox.last?.code)
      await #expect(throws: AccountError.invalidCode) {
        try await room.accounts.resetPassword(code: code, password: "secret2", room.call)
      }
      await #expect(throws: AccountError.invalidCode) {
        try await room.accounts.verifyEmail(code: code + "x", room.call)
      }
      await #expect(throws: AccountError.invalidCode) {
        try await room.accounts.verifyEmail(
          code: code, SignInCall(database: "chat", address: "192.0.2.1"))
      }
      #expect(try await room.accounts.verifyEmail(code: code, room.call).isEmailVerified)
      _ = try await room.accounts.sendEmailVerification(idToken: ann.idToken, room.call)
      let late = try #require(room.mailbox.last?.code)
      room.pass(3600)
      await #expect(throws: AccountError.expiredCode) {
        try await room.accounts.verifyEmail(code: late, room.call)
      }
    }
  }

  @Test func `a code by SMS may be guessed five times only`() async throws {
    let room = try await AccountsRoom()
    let ann = try await room.accounts.signUp(
      email: nil, phone: "+8613800000000", password: "secret1", room.call)
    try await room.accounts.sendSMS(.verifyPhone, phone: "+8613800000000", room.call)
    let code = try #require(room.mailbox.last?.code)
    #expect(code.utf8.count == 6)
    for _ in 0..<5 {
      await #expect(throws: AccountError.invalidCode) {
        try await room.accounts.verifyPhone("+8613800000000", code: "x" + code, room.call)
      }
    }
    await #expect(throws: AccountError.tooManyAttempts) {
      try await room.accounts.verifyPhone("+8613800000000", code: code, room.call)
    }
    try await room.accounts.sendSMS(.verifyPhone, phone: "+8613800000000", room.call)
    let second = try #require(room.mailbox.last?.code)
    let verified = try await room.accounts.verifyPhone("+8613800000000", code: second, room.call)
    #expect(verified.isPhoneVerified && verified.uid == ann.account.uid)
    await #expect(throws: AccountError.invalidCode) {
      try await room.accounts.verifyPhone("+8613800000000", code: second, room.call)
    }
  }

  @Test func `a password is replaced with a code by SMS`() async throws {
    let room = try await AccountsRoom()
    _ = try await room.accounts.signUp(email: nil, phone: "13800000000", password: "secret1", room.call)
    try await room.accounts.sendSMS(.resetPasswordByPhone, phone: "13800000000", room.call)
    let code = try #require(room.mailbox.last?.code)
    try await room.accounts.resetPassword(phone: "13800000000", code: code, password: "secret2", room.call)
    _ = try await room.accounts.signIn(email: nil, phone: "13800000000", password: "secret2", room.call)
    await #expect(throws: AccountError.invalidCredentials) {
      try await room.accounts.signIn(email: nil, phone: "13800000000", password: "secret1", room.call)
    }
  }

  @Test func `codes that nobody used in time are forgotten`() async throws {
    try await withAnn { room, ann async throws in
      _ = try await room.accounts.sendEmailVerification(idToken: ann.idToken, room.call)
      room.pass(3599)
      try await room.accounts.sweep()
      let kind = RecordKind.code.name
      #expect(try await room.store.all(realm: nil, kind: kind, limit: 9, reversed: false).count == 1)
      room.pass(1)
      try await room.accounts.sweep()
      #expect(try await room.store.all(realm: nil, kind: kind, limit: 9, reversed: false).isEmpty)
    }
  }

  @Test func `one address gets only so many messages`() async throws {
    try await withAnn { room, _ async throws in
      for _ in 0..<5 { try await room.accounts.sendPasswordReset(email: "ann@example.com", room.call) }
      await #expect(throws: AccountError.tooManyAttempts) {
        try await room.accounts.sendPasswordReset(email: "ann@example.com", room.call)
      }
      #expect(room.mailbox.messages.withLock { $0.count } == 5)
    }
  }
}
