import JSONTree
package import Rules

extension Database {
  /// Makes a client known. `sessionID` is unguessable and a legal key, or empty for a client without
  /// onDisconnect.
  ///
  /// A client must be attached before its first request; attaching it again does nothing.
  package func attach(_ client: Client, caller: Caller, sessionID: String = "") {
    guard sessions[client.id] == nil else { return }
    let key = sessionID.isEmpty ? nil : try? ChildKey(sessionID)
    let session = Session(
      client: client, key: key, outbox: outbox(for: client.eventLoop),
      caller: stands(caller) ? caller : .anonymous)
    sessions[client.id] = session
    if let key {
      if sessionsByKey[key] != nil { endSession(sessionID) }
      sessionsByKey[key] = session
    }
    counters.clients = sessions.count
  }

  /// Ends a client's session: its listens go, its onDisconnect operations run. Nothing more is sent to it
  /// from then on.
  package func detach(_ client: Client) {
    guard let session = sessions[client.id] else { return }
    sessions[client.id] = nil
    counters.clients = sessions.count
    end(session)
  }

  /// Ends another connection's session now, as `detach` would: its client has come back on a new connection.
  package func endSession(_ sessionID: String) {
    guard let key = try? ChildKey(sessionID), let session = sessionsByKey[key] else { return }
    end(session)
  }

  private func end(_ session: Session) {
    guard session.isAttached else { return }
    for listen in session.listens.values { remove(listen) }
    session.isAttached = false
    guard let key = session.key else { return }
    sessionsByKey[key] = nil
    if presence[key] != nil || committed.meta[MetaPath.session(key)].isObject {
      submitOwn(.ending(EndedSession(key: key, caller: session.caller)), caller: session.caller)
    }
  }

  /// Changes who a client is. Listens that are no longer allowed are revoked; the answer (`done`) comes after
  /// that. Whoever comes with a credential that has lost its grounds on the way is nobody, and told so.
  package func setCaller(_ caller: Caller, for client: Client, tag: UInt64? = nil) {
    guard let session = sessions[client.id], session.isAttached else { return }
    let isGood = stands(caller)
    become(isGood ? caller : .anonymous, session)
    if let tag { answer(isGood ? .done : .failed(EngineError(.permissionDenied(nil))), tag, session) }
  }

  /// Takes away the identity of everybody whose credential rests on what is gone: they are told, and lose the
  /// listens that are not for everybody. Who comes in later is asked about by `DatabaseOptions.stands`.
  package func dismiss(where isGone: (Grounds) -> Bool) {
    for session in sessions.values where session.isAttached {
      guard let grounds = session.caller.grounds, isGone(grounds) else { continue }
      session.outbox.append(.dismissed(grounds.reason), to: session.client)
      become(.anonymous, session)
    }
  }

  private func stands(_ caller: Caller) -> Bool {
    caller.grounds.map { options.stands($0, id) } ?? true
  }

  private func become(_ caller: Caller, _ session: Session) {
    guard session.caller != caller else { return }
    session.caller = caller
    recheck(session)
    if let key = session.key, presence[key] != nil {
      submitOwn(.identity(EndedSession(key: key, caller: caller)), caller: caller)
    }
  }

  /// The session of a client that may make requests now; answers the request otherwise.
  func session(of client: Client, tag: UInt64) -> Session? {
    guard let session = sessions[client.id] else {
      let answer = Answer(tag: tag, outcome: .failed(EngineError(.closed)))
      outbox(for: client.eventLoop).append(answer, to: client)
      return nil
    }
    if session.isAttached, case .no = closing { return session }
    let answer = Answer(tag: tag, outcome: .failed(EngineError(.closed)))
    session.outbox.append(answer, to: client)
    return nil
  }
}

extension Grounds {
  /// As what the client is told of it when it is gone: a user signs in again, as if the token had run out.
  fileprivate var reason: AuthenticationError.Reason {
    switch self {
    case .user: .expired
    case .secret, .service: .invalid
    }
  }
}
