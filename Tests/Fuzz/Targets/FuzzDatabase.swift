import Engine
import JSONTree
import NIOCore
import Rules
import TestSupport

/// A database in memory on a loop that runs when told to, for whole sessions in one thread.
final class FuzzDatabase {
  let loop = ManualLoop()
  let log = FaultyLog()
  let clock = ManualClock()
  let database: Database

  private static let rules = Result {
    try RuleSet(
      text: #"""
        {"rules":{".read":true,".write":true,".indexOn":["a",".value"],
          "a":{".indexOn":["b",".value"]},
          "own":{"$u":{".write":"auth != null && auth.uid === $u"}},
          "v":{".validate":"newData.isString() || newData.hasChildren()"}}}
        """#)
  }

  init() throws {
    var options = DatabaseOptions()
    options.defaultRules = try Self.rules.get()
    // Checkpoints are made in other threads.
    options.checkpointEntries = .max
    options.checkpointBytes = .max
    options.checkpointSeconds = 1 << 30
    options.indexBuildChildren = .max
    let (id, loop, log, clock) = (try DatabaseID("default"), loop, log, clock)
    database = try InThread.run { [options] in
      try await Database.open(
        id, on: loop, log: log, checkpoints: MemoryCheckpoints(), options: options, clock: clock)
    }
    loop.run()
  }

  var directory: OneDatabase { OneDatabase(database: database) }

  /// The committed tree.
  var data: Node { database.assumeIsolated { $0.data } }

  func checkInvariants() throws {
    if let fault = database.assumeIsolated({ $0.listenerFault }) { throw Finding(fault) }
    if let fault = data.invariantFault { throw Finding("the tree is not sound: \(fault)") }
  }
}

/// Knows one database, whatever its name.
struct OneDatabase: DatabaseDirectory {
  let database: Database

  func database(
    named name: String, on eventLoop: any EventLoop,
    completion: @escaping @Sendable (Result<Database, DirectoryError>) -> Void
  ) {
    completion(name == "none" ? .failure(.unknown) : .success(database))
  }
}

/// Knows `owner` and `user:NAME`.
struct FuzzAuthenticator: Authenticator {
  func authenticate(
    _ credential: String, database: DatabaseID, nowSeconds: Int64
  ) -> Result<Authentication, AuthenticationError> {
    if credential == "owner" { return .success(Authentication(caller: .admin, payload: .null)) }
    guard credential.hasPrefix("user:") else {
      return .failure(AuthenticationError(.invalid, "Could not parse auth token."))
    }
    let auth = Node(children: [(ChildKey(unchecked: "uid"), Node(String(credential.dropFirst(5))))])
    let expires: Int64? = credential == "user:short" ? nowSeconds + 10 : nil
    return .success(Authentication(caller: Caller(auth: auth, expiresAtSeconds: expires), payload: auth))
  }
}
