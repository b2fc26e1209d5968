import Testing

@testable import Identity

@Suite struct PasswordHasherTests {
  @Test func `a password fits its own hash only`() async throws {
    let hasher = try PasswordHasher(cost: .cheap)
    let hash = try await hasher.hash("correct horse")
    #expect(try await hasher.verify("correct horse", hash: hash))
    for other in ["", "correct hors", "Correct horse", "correct horse "] {
      #expect(try await !hasher.verify(other, hash: hash))
    }
    #expect(try await hasher.hash("correct horse") != hash)
    #expect(hash.hasPrefix("scrypt$16$1$1$") && !hash.contains("horse"))
  }

  @Test func `without a hash the same work is done, and the answer is no`() async throws {
    let hasher = try PasswordHasher(cost: .cheap)
    #expect(try await !hasher.verify("anything", hash: nil))
  }

  @Test func `a hash of another cost is still good, and is outdated`() async throws {
    let old = try await PasswordHasher(cost: .cheap).hash("secret1")
    let hasher = try PasswordHasher(cost: .init(rounds: 32, blockSize: 2, parallelism: 1))
    #expect(try await hasher.verify("secret1", hash: old))
    #expect(hasher.isOutdated(old))
    #expect(!hasher.isOutdated(try await hasher.hash("secret1")))
  }

  @Test func `the standard cost is what is recommended`() async throws {
    #expect(PasswordHasher.Cost.standard == .init(rounds: 32_768, blockSize: 8, parallelism: 3))
    let hasher = try PasswordHasher()
    let hash = try await hasher.hash("secret1")
    #expect(try await hasher.verify("secret1", hash: hash))
  }

  @Test(arguments: ["", "scrypt", "scrypt$0$1$1$AA$AA", "scrypt$16$1$1$!$AA", "md5$16$1$1$AA$AA"])
  func `a damaged hash is no password`(hash: String) async throws {
    await #expect(throws: AccountError.self) {
      try await PasswordHasher(cost: .cheap).verify("secret1", hash: hash)
    }
  }

  private actor Refusals {
    private(set) var count = 0

    func add() { count += 1 }
  }

  @Test func `only so many wait for their turn`() async throws {
    let turnstile = Turnstile(places: 1, queueLimit: 2)
    #expect(await turnstile.enter())
    let refusals = Refusals()
    let visitors = (0..<5).map { _ in
      Task {
        let isIn = await turnstile.enter()
        if isIn { await turnstile.leave() } else { await refusals.add() }
        return isIn
      }
    }
    // Two wait, so three are turned away before the place is free again.
    while await refusals.count < 3 { await Task.yield() }
    await turnstile.leave()
    var admitted = 0
    for visitor in visitors where await visitor.value { admitted += 1 }
    #expect(admitted == 2)
  }
}

@Suite struct ThrottleTests {
  @Test func `a burst is let through, then the rate`() {
    let throttle = Throttle(burst: 3, perHour: 3600)
    for _ in 0..<3 { #expect(throttle.take("a", nowMilliseconds: 0)) }
    #expect(!throttle.take("a", nowMilliseconds: 999))
    #expect(throttle.take("b", nowMilliseconds: 999))
    #expect(throttle.take("a", nowMilliseconds: 1000))
    #expect(!throttle.take("a", nowMilliseconds: 1000))
    #expect(!throttle.take("a", nowMilliseconds: -5_000_000))
    for _ in 0..<3 { #expect(throttle.take("a", nowMilliseconds: 1_000_000)) }
    #expect(!throttle.take("a", nowMilliseconds: 1_000_000))
    throttle.forgive("a")
    #expect(throttle.take("a", nowMilliseconds: 1_000_000))
  }

  @Test func `a name in use is remembered however many others come`() {
    let throttle = Throttle(burst: 2, perHour: 1, nameLimit: 100)
    #expect(throttle.take("mine", nowMilliseconds: 0))
    for number in 0..<10_000 {
      _ = throttle.take("other-\(number)", nowMilliseconds: 0)
      if number % 50 == 0 { _ = throttle.take("mine", nowMilliseconds: 0) }
    }
    #expect(!throttle.take("mine", nowMilliseconds: 0))
  }
}
