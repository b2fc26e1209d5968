import Crypto
import Engine
import JSONTree
import Rules
import Testing

@testable import Identity

@Suite struct VerifiedTokensTests {
  private func digest(_ number: Int) -> SHA256Digest { SHA256.hash(data: Array("\(number)".utf8)) }

  private func authentication(until end: Int64?) -> Authentication {
    Authentication(caller: Caller(auth: Node("a"), expiresAtSeconds: end), payload: .null)
  }

  private func look(
    _ tokens: VerifiedTokens, _ number: Int, in name: String = "a", generation: UInt64 = 0, at now: Int64 = 5
  )
    throws -> Authentication?
  {
    tokens.authentication(
      of: digest(number), in: try DatabaseID(name), generation: generation, nowSeconds: now)
  }

  @Test func `a token is known in its own database until it ends`() throws {
    let tokens = VerifiedTokens()
    let id = try DatabaseID("a")
    tokens.remember(authentication(until: 10), of: digest(1), in: id, bytes: 1, generation: 0)
    #expect(try look(tokens, 1, at: 9) != nil)
    #expect(try look(tokens, 1, in: "b", at: 9) == nil)
    #expect(try look(tokens, 2, at: 9) == nil)
    #expect(try look(tokens, 1, at: 10) == nil)
    #expect(tokens.count == 0)
  }

  @Test func `all is forgotten when the keys change, also what was being verified meanwhile`() throws {
    let tokens = VerifiedTokens()
    let id = try DatabaseID("a")
    tokens.remember(authentication(until: nil), of: digest(1), in: id, bytes: 1, generation: 0)
    #expect(try look(tokens, 1, generation: 1) == nil)
    #expect(tokens.count == 0)
    tokens.remember(authentication(until: nil), of: digest(1), in: id, bytes: 1, generation: 0)
    #expect(tokens.count == 0)
    tokens.remember(authentication(until: nil), of: digest(1), in: id, bytes: 1, generation: 1)
    #expect(try look(tokens, 1, generation: 1) != nil)
  }

  @Test func `only so many and so many bytes are kept, those in use longest`() throws {
    let tokens = VerifiedTokens(countLimit: 100, byteLimit: 1000)
    let id = try DatabaseID("a")
    for number in 0..<1000 {
      tokens.remember(authentication(until: nil), of: digest(number), in: id, bytes: 1, generation: 0)
      #expect(tokens.count <= 100)
      #expect(try look(tokens, 0) != nil)
    }
    for number in 1000..<1100 {
      tokens.remember(authentication(until: nil), of: digest(number), in: id, bytes: 100, generation: 0)
      #expect(tokens.count <= 100)
    }
    #expect(tokens.count <= 10)
  }
}
