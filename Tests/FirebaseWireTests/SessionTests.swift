import Engine
import FirebaseWire
import JSONTree
import Rules
import Testing

@Suite struct SessionTests {
  var probe = SessionProbe()

  private func node(_ text: String) throws -> Node { try Node.parse(text) }

  // MARK: Answers

  @Test mutating func `every outcome has its reply`() throws {
    let outcomes: [(Outcome, String)] = [
      (.written(nil), ok(1)), (.done, ok(1)),
      (
        .value(try node(#"{"a":{".value":1,".priority":2}}"#)),
        ok(1, #"{"a":{".value":1,".priority":2}}"#)
      ),
      (.value(.null), ok(1, "null")),
      (.stale(current: .null), refused(1, "datastale", "Transaction hash does not match")),
      (.failed(EngineError(.permissionDenied(nil))), refused(1, "permission_denied", "Permission denied")),
      (
        .failed(EngineError(.noIndex(index: "pos", path: at("a/b")))),
        refused(
          1, "failure", #"Index not defined, add \".indexOn\": \"pos\", for path \"/a/b\", to the rules"#)
      ),
      (
        .failed(EngineError(.tooBig)),
        refused(1, "too_big", "The data is larger than one request may read or write")
      ),
      (.failed(EngineError(.invalid("Not \"so\""))), refused(1, "invalid_parameters", #"Not \"so\""#)),
      (
        .failed(EngineError(.unavailable("/dev/sda is full"))),
        refused(1, "unavailable", "The database can't take writes at the moment")
      ),
      (
        .failed(EngineError(.overloaded)),
        refused(1, "unavailable", "The database has too much to do, try again later")
      ),
      (.failed(EngineError(.closed)), refused(1, "unavailable", "The database is closing")),
    ]
    for (outcome, reply) in outcomes {
      _ = probe.request(1, "g", #"{"p":"/a"}"#)
      #expect(probe.answer(outcome) == [reply])
    }
  }

  @Test func `a developer is told why something was denied`() {
    var probe = SessionProbe(explainsDenials: true)
    _ = probe.request(1, "g", #"{"p":"/a"}"#)
    let explanation = Explanation(rule: ".read", path: "a", reason: "no rule allows \"read\"")
    #expect(
      probe.answer(.failed(EngineError(.permissionDenied(explanation))))
        == [
          #"{"t":"d","d":{"a":"sd","b":{"msg":"Permission denied: no rule allows \"read\""}}}"#,
          refused(1, "permission_denied", "Permission denied"),
        ])
  }

  // MARK: Order

  @Test func `requests wait for the database, pings do not`() {
    var probe = SessionProbe(isOpen: false)
    #expect(probe.request(1, "s", "{}") == [])
    #expect(probe.request(2, "p", #"{"p":"/a","d":1}"#) == [])
    #expect(probe.request(3, "zz", "{}") == [])
    #expect(probe.send(#"{"t":"c","d":{"t":"p","d":{}}}"#).count == 1)
    #expect(
      probe.after { $0.opened(into: &$1) }
        == [ok(1), refused(3, "failure", "Unknown action"), "write put /a 1"])
  }

  @Test mutating func `requests after a credential wait until it is checked`() throws {
    #expect(probe.request(1, "auth", #"{"cred":"one"}"#) == [#"authenticate("one")"#])
    #expect(probe.request(2, "q", #"{"p":"/a"}"#) == [])
    #expect(probe.request(3, "gauth", #"{"cred":"two"}"#) == [])
    #expect(probe.request(4, "g", #"{"p":"/a"}"#) == [])
    let one = Caller(auth: try node(#"{"uid":"one"}"#))
    #expect(
      probe.after { $0.authenticated(.success(Authentication(caller: one, payload: one.auth)), into: &$1) }
        == [#"caller {"uid":"one"}"#, "listen 1 /a .priority as 0", #"authenticate("two")"#])
    #expect(
      probe.after { $0.authenticated(.failure(AuthenticationError(.invalid, "Not so.")), into: &$1) }
        == [refused(3, "invalid_token", "Not so."), "get /a .priority"])
    #expect(probe.answer(.done) == [ok(1, #"{"auth":{"uid":"one"},"expires":null}"#)])
  }

  @Test func `the requests that wait are bounded in number and in size`() {
    for limits in [FirebaseLimits(waitingRequests: 2), FirebaseLimits(waitingBytes: 100)] {
      var probe = SessionProbe(limits: limits, isOpen: false)
      #expect(probe.request(1, "s", "{}") == [])
      #expect(probe.request(2, "s", "{}") == [])
      #expect(probe.request(3, "s", "{}") == [#"close(code: 1008, reason: "too many requests are waiting")"#])
      #expect(probe.request(4, "s", "{}") == [])
      #expect(probe.after { $0.opened(into: &$1) } == [])
    }
  }

  @Test mutating func `a message that was too long is answered if its number is known`() {
    #expect(
      probe.after { $0.receiveOversized(number: 9, into: &$1) }
        == [refused(9, "too_big", "The request is larger than 16 MB")])
    #expect(
      probe.after { $0.receiveOversized(number: nil, into: &$1) }
        == [#"close(code: 1009, reason: "the message is too long")"#])
  }

  // MARK: Identity

  private mutating func accept(_ caller: Caller) -> [String] {
    probe.after {
      $0.authenticated(.success(Authentication(caller: caller, payload: caller.auth)), into: &$1)
    }
  }

  @Test mutating func `an administrator's credential has no auth`() {
    _ = probe.request(1, "gauth", #"{"cred":"owner"}"#)
    #expect(accept(.admin) == ["caller admin"])
    #expect(probe.answer(.done) == [ok(1, #"{"auth":null,"expires":null}"#)])
  }

  @Test mutating func `an administrator can act as somebody or as nobody`() {
    _ = probe.request(1, "gauth", #"{"cred":"owner","authvar":{"uid":"u"}}"#)
    #expect(accept(.admin) == [#"caller {"uid":"u"}"#])
    #expect(probe.answer(.done) == [ok(1, #"{"auth":{"uid":"u"},"expires":null}"#)])
    _ = probe.request(2, "gauth", #"{"cred":"owner","noauth":true}"#)
    #expect(accept(.admin) == ["caller null"])
    #expect(probe.answer(.done) == [ok(2, #"{"auth":null,"expires":null}"#)])
  }

  @Test mutating func `nobody else can`() throws {
    _ = probe.request(1, "auth", #"{"cred":"x","authvar":{"uid":"u"}}"#)
    #expect(
      accept(Caller(auth: try node(#"{"uid":"me"}"#)))
        == [refused(1, "permission_denied", "Only an administrator can act as somebody else")])
  }

  @Test mutating func `a credential must be a text, and not too long`() {
    for body in ["{}", #"{"cred":5}"#, #"{"cred":null}"#] {
      #expect(
        probe.request(1, "auth", body) == [refused(1, "invalid_token", "The request has no credential")])
    }
    let longest = String(repeating: "x", count: 65_536)
    #expect(
      probe.request(2, "auth", #"{"cred":"\#(longest)x"}"#)
        == [refused(2, "invalid_token", "The credential is too long")])
    #expect(probe.request(3, "auth", #"{"cred":"\#(longest)"}"#) == ["authenticate(\"\(longest)\")"])
  }

  @Test mutating func `signing out is told apart`() {
    #expect(probe.request(1, "unauth", "{}") == ["caller null"])
    #expect(probe.answer(.done) == [ok(1, #""unauthenticated""#)])
  }

  @Test mutating func `a credential that ends is taken back`() throws {
    _ = probe.request(1, "auth", #"{"cred":"x"}"#)
    let caller = Caller(auth: try node(#"{"uid":"me"}"#), expiresAtSeconds: 1_700_003_600)
    #expect(accept(caller) == [#"caller {"uid":"me"}"#, "expire(atSeconds: Optional(1700003600))"])
    #expect(probe.answer(.done) == [ok(1, #"{"auth":{"uid":"me"},"expires":1700003600}"#)])
    #expect(
      probe.after { $0.expired(into: &$1) }
        == [
          #"{"t":"d","d":{"a":"ac","b":{"s":"expired_token","d":"Auth token is expired."}}}"#,
          "caller null quietly",
        ])
    #expect(probe.after { $0.expired(into: &$1) } == [])
  }

  @Test mutating func `a client whose credential is taken back is told, and waits for its end no more`()
    throws
  {
    var caller = Caller(auth: try node(#"{"uid":"me"}"#), expiresAtSeconds: 100)
    for (number, reason, told) in [
      (1, AuthenticationError.Reason.invalid, #"{"s":"invalid_token","d":"Auth token has been revoked."}"#),
      (2, .expired, #"{"s":"expired_token","d":"Auth token is expired."}"#),
    ] {
      _ = probe.request(number, "auth", #"{"cred":"x"}"#)
      _ = accept(caller)
      _ = probe.answer(.done)
      let push = #"{"t":"d","d":{"a":"ac","b":\#(told)}}"#
      #expect(probe.event(.dismissed(reason)) == [push, "expire(atSeconds: nil)"])
    }
    // What is on its way to the database comes after what was taken back.
    _ = probe.request(3, "auth", #"{"cred":"y"}"#)
    caller.expiresAtSeconds = 200
    _ = accept(caller)
    #expect(probe.event(.dismissed(.expired)).count == 1)
    #expect(probe.after { $0.expired(into: &$1) }.count == 2)
  }

  @Test mutating func `a fresh credential replaces the one that would end`() throws {
    for (number, second): (Int, Int64?) in [(1, 100), (2, 200), (3, nil)] {
      _ = probe.request(number, "auth", #"{"cred":"x"}"#)
      let steps = accept(Caller(auth: .null, expiresAtSeconds: second))
      #expect(steps.last == "expire(atSeconds: \(String(describing: second)))")
    }
    #expect(probe.after { $0.expired(into: &$1) } == [])
    _ = probe.request(4, "auth", #"{"cred":"x"}"#)
    #expect(accept(.admin) == ["caller admin"])
  }

  // MARK: Listens

  @Test mutating func `the first value comes before the reply`() throws {
    #expect(probe.request(2, "q", #"{"p":"/harbor","h":""}"#) == ["listen 1 /harbor .priority as 0"])
    #expect(
      probe.event(.initial(1, try node(#"{"berths":3}"#)))
        == [#"{"t":"d","d":{"a":"d","b":{"p":"harbor","d":{"berths":3}}}}"#])
    #expect(probe.answer(.listening(noIndex: false)) == [ok(2, "{}")])
  }

  @Test mutating func `a client that holds the value is not sent it`() throws {
    let values: [(String, String, Bool)] = [
      ("", "null", true), ("", "4", false), ("eVih19a6ZDz3NL32uVBtg9KSgQY=", "4", true),
      ("eVih19a6ZDz3NL32uVBtg9KSgQY=", "5", false), ("eVih19a6ZDz3NL32uVBtg9KSgQY=", "null", false),
    ]
    for (index, (hash, value, matches)) in values.enumerated() {
      let id = UInt64(index + 1)
      _ = probe.request(2, "q", #"{"p":"/x\#(id)","h":"\#(hash)"}"#)
      let pushes = probe.event(.initial(id, try node(value)))
      #expect(pushes == (matches ? [] : [#"{"t":"d","d":{"a":"d","b":{"p":"x\#(id)","d":\#(value)}}}"#]))
      #expect(probe.answer(.listening(noIndex: false)) == [ok(2, "{}")])
      // Once it has been compared the hash is old: a value that is sent again is sent whole.
      #expect(probe.event(.initial(id, try node(value))).count == 1)
    }
  }

  @Test mutating func `a listen without a hash is sent everything`() {
    _ = probe.request(2, "q", #"{"p":"/"}"#)
    #expect(probe.event(.initial(1, .null)) == [#"{"t":"d","d":{"a":"d","b":{"p":"","d":null}}}"#])
  }

  @Test mutating func `a tag comes back with every push`() throws {
    #expect(
      probe.request(3, "q", #"{"p":"/scores","q":{"l":2,"vf":"r","i":"pts"},"t":7,"h":""}"#)
        == ["listen 1 /scores pts last 2 as 8"])
    #expect(
      probe.event(.initial(1, try node(#"{"ann":{"pts":7}}"#)))
        == [#"{"t":"d","d":{"a":"d","b":{"p":"scores","d":{"ann":{"pts":7}},"t":7}}}"#])
    #expect(
      probe.event(
        .change(1, .merge(at("scores"), [MergeEntry(at("ann"), .null), MergeEntry(at("bo"), Node(1))])))
        == [#"{"t":"d","d":{"a":"m","b":{"p":"scores","d":{"ann":null,"bo":1},"t":7}}}"#])
    #expect(probe.answer(.listening(noIndex: true)) == [ok(3, #"{"w":["no_index"]}"#)])
  }

  @Test mutating func `a filtered listen without a tag shares its pushes with no other`() {
    #expect(
      probe.request(1, "q", #"{"p":"/a","q":{"l":2}}"#) == ["listen 1 /a .priority last 2 as \(UInt32.max)"])
  }

  @Test mutating func `a listen that is refused is gone`() {
    _ = probe.request(1, "q", #"{"p":"/a"}"#)
    #expect(
      probe.answer(.failed(EngineError(.permissionDenied(nil))))
        == [refused(1, "permission_denied", "Permission denied")])
    #expect(probe.request(2, "n", #"{"p":"/a"}"#) == [ok(2)])
  }

  @Test mutating func `a listen that is revoked is told with the client's own query`() {
    _ = probe.request(1, "q", #"{"p":"/a"}"#)
    _ = probe.answer(.listening(noIndex: false))
    let query = #"{"vf":"r","l":2,"i":"pts","sin":true,"sp":1}"#
    _ = probe.request(2, "q", #"{"p":"/a","q": \#(query) ,"t":1}"#)
    _ = probe.answer(.listening(noIndex: false))
    let denied = EngineError(.permissionDenied(nil))
    #expect(probe.event(.revoked(1, denied)) == [#"{"t":"d","d":{"a":"c","b":{"p":"a"}}}"#])
    #expect(probe.event(.revoked(2, denied)) == [#"{"t":"d","d":{"a":"c","b":{"p":"a","q":[\#(query)]}}}"#])
    #expect(probe.event(.revoked(2, denied)) == [])
    #expect(probe.request(3, "n", #"{"p":"/a"}"#) == [ok(3)])
  }

  @Test mutating func `ending a listen takes the same path, query and tag`() {
    _ = probe.request(1, "q", #"{"p":"/a","q":{"l":2,"i":"x"},"t":1}"#)
    _ = probe.request(2, "q", #"{"p":"/a","q":{"l":3,"i":"x"},"t":2}"#)
    _ = probe.request(3, "q", #"{"p":"/a"}"#)
    for _ in 1...3 { _ = probe.answer(.listening(noIndex: false)) }
    #expect(probe.request(4, "n", #"{"p":"a","q":{"i":"x","vf":"r","l":3},"t":2}"#) == ["unlisten 2"])
    #expect(probe.answer(.done) == [ok(4)])
    #expect(probe.request(5, "n", #"{"p":"/a","q":{}}"#) == ["unlisten 3"])
    #expect(probe.request(6, "n", #"{"p":"/a","q":{"l":2,"i":"x"},"t":3}"#) == [ok(6)])
    #expect(probe.request(7, "n", #"{"p":"/a","q":{"l":2,"i":"x"},"t":1}"#) == ["unlisten 1"])
    #expect(probe.request(8, "n", #"{"p":"/b"}"#) == [ok(8)])
  }

  @Test mutating func `a listen that ends before it is answered is answered all the same`() throws {
    _ = probe.request(1, "q", #"{"p":"/a"}"#)
    #expect(probe.request(2, "n", #"{"p":"/a"}"#) == ["unlisten 1"])
    #expect(probe.event(.initial(1, Node(1))) == [])
    #expect(probe.answer(.listening(noIndex: false)) == [ok(1, "{}")])
    #expect(probe.answer(.done) == [ok(2)])
  }

  @Test mutating func `the same listen again replaces the first`() {
    _ = probe.request(1, "q", #"{"p":"/a"}"#)
    _ = probe.answer(.listening(noIndex: false))
    #expect(
      probe.request(2, "l", #"{"p":"/a","h":"x"}"#) == ["unlisten 1 quietly", "listen 2 /a .priority as 0"])
    _ = probe.answer(.done)
    #expect(probe.event(.initial(2, Node(1))).count == 1)
    #expect(probe.answer(.listening(noIndex: false)) == [ok(2, "{}")])
    #expect(probe.request(3, "u", #"{"p":"/a"}"#) == ["unlisten 2"])
  }

  @Test mutating func `hundreds of listens are told apart`() {
    for i in 0..<300 {
      #expect(probe.request(i, "q", #"{"p":"/p\#(i % 100)","q":{"l":\#(i + 1)},"t":\#(i)}"#).count == 1)
      _ = probe.answer(.listening(noIndex: false))
    }
    for i in (0..<300).reversed() {
      #expect(
        probe.request(i, "n", #"{"p":"/p\#(i % 100)","q":{"l":\#(i + 1)},"t":\#(i)}"#) == [
          "unlisten \(i + 1)"
        ])
      #expect(probe.answer(.done) == [ok(i)])
    }
    #expect(probe.request(1, "q", #"{"p":"/p1"}"#) == ["listen 301 /p1 .priority as 0"])
  }
}
