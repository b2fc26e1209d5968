import Engine
import TestSupport
import Testing

/// Clients of Wilddog's protocol and of Firebase's in one place.
@Suite struct MixedTests {
  private func said(to firebase: WireClient) async throws -> String {
    String(decoding: try await firebase.readFrame().payload, as: UTF8.self)
  }

  @Test func `a change is encoded once for all clients of one carrier`() async throws {
    try await EngineRoom.run { room in
      var clients: [WilddogClient] = []
      for number in 0..<30 {
        let carrier = EngineClient.Carrier.allCases[number % 4]
        let client = try await WilddogClient(port: room.port, revision: 3, carrier: carrier)
        try await client.send([#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/x","h":""}}}"#])
        try await client.settle()
        _ = client.takeAll()
        clients.append(client)
      }
      let before = try await room.counters()
      try await clients[0].send([#"{"t":"d","d":{"r":2,"a":"p","b":{"p":"/x","d":1}}}"#])
      for client in clients {
        #expect(try await client.next() == #"{"t":"d","d":{"a":"d","b":{"p":"x","d":1}}}"#)
      }
      let after = try await room.counters()
      #expect(after.deliveries - before.deliveries == 30)
      // Once for WebSockets and once for polls, those that have moved among them.
      #expect(after.pushes - before.pushes == 2)
      for client in clients { client.engine.drop() }
    }
  }

  @Test(arguments: WilddogScript.Carriage.all)
  func `clients of both protocols see each other's writes`(carriage: WilddogScript.Carriage) async throws {
    try await EngineRoom.run { room in
      let wilddog = try await WilddogClient(
        port: room.port, revision: carriage.revision, carrier: carriage.carrier)
      #expect(try await wilddog.next().contains(#""v":"1.0""#))
      let firebase = try await WireClient.webSocket(port: room.port, path: "/.ws?v=5&ns=default")
      #expect(try await said(to: firebase).contains(#""v":"5""#))

      let listen = #"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/room","h":""}}}"#
      let listening = #"{"t":"d","d":{"r":1,"b":{"s":"ok","d":{}}}}"#
      try await wilddog.send([listen])
      try await firebase.send(.text(listen))
      #expect(try await wilddog.next() == listening)
      #expect(try await said(to: firebase) == listening)
      for round in 2..<12 {
        let value = #"{"n":\#(round),".priority":"豺"}"#
        let put = #"{"t":"d","d":{"r":\#(round),"a":"p","b":{"p":"/room/x","d":\#(value)}}}"#
        let push = #"{"t":"d","d":{"a":"d","b":{"p":"room/x","d":\#(value)}}}"#
        let done = #"{"t":"d","d":{"r":\#(round),"b":{"s":"ok","d":""}}}"#
        if round % 2 == 0 { try await wilddog.send([put]) } else { try await firebase.send(.text(put)) }
        #expect(try await wilddog.next() == push)
        #expect(try await said(to: firebase) == push)
        if round % 2 == 0 {
          #expect(try await wilddog.next() == done)
        } else {
          #expect(try await said(to: firebase) == done)
        }
      }
      wilddog.engine.drop()
    }
  }
}
