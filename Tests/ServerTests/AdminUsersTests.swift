import Foundation
import Identity
import Server
import Testing

/// Other people's accounts, as operators manage them at a locked server.
@Suite struct AdminUsersTests {
  private typealias Object = [String: Any]

  private func toolkit(
    _ server: TestServer, _ verb: String, _ body: String = "{}", project: String = "default",
    credential: String?
  ) async throws -> (status: Int, body: Object) {
    let target = "/identitytoolkit.googleapis.com/v1/projects/\(project)/accounts\(verb)"
    let isRead = verb.hasPrefix(":batchGet")
    let answer = try await server.ask(
      isRead ? .GET : .POST, target, body: isRead ? nil : body, credential: credential)
    return (answer.status, AuthClient.object(answer.body))
  }

  private func dhole(_ server: TestServer, _ arguments: [String], input: String? = nil) async throws
    -> Dhole.Outcome
  {
    try await Dhole.run(
      arguments + ["--url", "http://127.0.0.1:\(server.server.port)"], input: input)
  }

  @Test func `the admin endpoints of Firebase's SDKs let operators of that database in, and nobody else`()
    async throws
  {
    try await IdentityToolkitTests.withServer { server, client, admin async throws in
      #expect(try await server.ask(.PUT, "/.admin/databases/shop.json", credential: admin).status == 201)
      let made = { (database: String) async throws in
        AuthClient.object(
          try await server.ask(
            .POST, "/.admin/databases/\(database)/secrets.json", body: "{}", credential: admin
          ).body
        ).text("secret")
      }
      let (secret, foreign) = (try await made("default"), try await made("shop"))
      let minted = try await TokenTool.mint(
        secret: secret, uid: "ann", claims: nil, isAdmin: false, seconds: 600)
      let user = try await client.toolkit("signUp", [:])
      let verbs = ["", ":lookup", ":update", ":delete", ":batchDelete", ":batchGet"]
      for credential in [nil, "owner", "wrong", foreign, minted, user.text("idToken")] {
        for verb in verbs {
          let body = #"{"localId":"\#(user.text("localId"))","localIds":["x"],"disableUser":true}"#
          let answer = try await toolkit(server, verb, body, credential: credential)
          #expect(answer.status == 401, "\(verb) \(credential ?? "nobody")")
          let error = answer.body["error"] as? Object
          #expect(error?.text("message") == "INSUFFICIENT_PERMISSION" && answer.body["users"] == nil)
        }
      }
      for credential in [admin, secret] {
        let answer = try await toolkit(server, ":batchGet", credential: credential)
        #expect(answer.status == 200 && (answer.body["users"] as? [Object])?.count == 1)
      }
      #expect(try await toolkit(server, ":batchGet", project: "none", credential: admin).status == 400)
      #expect(try await toolkit(server, ":batchGet", project: "a%2Fb", credential: admin).status == 404)
      #expect(try await toolkit(server, ":explode", credential: admin).status == 400)
      let text = try await server.ask(.GET, "/.admin/audit.json", credential: admin).body
      #expect(!text.contains("user."))
    }
  }

  @Test func `claims of an operator show in tokens and in rules, and can't pretend to be the server's`()
    async throws
  {
    try await IdentityToolkitTests.withServer { server, client, admin async throws in
      let rules = #"{"rules":{"e":{".read":"auth.token.role === 'x' && auth.token.admin == null"}}}"#
      #expect(
        try await server.ask(.PUT, "/.settings/rules.json", body: rules, credential: admin).status == 200)
      let made = try await toolkit(
        server, "", #"{"localId":"ann","email":"ann@example.com","password":"secret1"}"#, credential: admin)
      #expect(made.status == 200 && made.body.text("localId") == "ann")
      let account: Object = ["email": "ann@example.com", "password": "secret1"]
      let before = try await client.toolkit("signInWithPassword", account)
      let claims = #"{\"role\":\"x\",\"admin\":true,\"v\":0,\"sub\":\"bob\",\"iss\":\"y\"}"#
      let set = try await toolkit(
        server, ":update", #"{"localId":"ann","customAttributes":"\#(claims)"}"#, credential: admin)
      #expect(set.status == 200)
      #expect(try await server.ask(.GET, "/e.json", credential: before.text("idToken")).status == 401)
      let after = try await client.refresh(before.text("refreshToken")).text("id_token")
      #expect(try await server.ask(.GET, "/e.json", credential: after).status == 200)
      #expect(try await server.ask(.GET, "/.json", credential: after).status == 401)
      for bad in [#""customAttributes":"[1]""#, #""customAttributes":"x""#, #""validSince":"x""#] {
        let answer = try await toolkit(server, ":update", #"{"localId":"ann",\#(bad)}"#, credential: admin)
        #expect(answer.status == 400, "\(bad)")
      }
      let audit = try await server.ask(.GET, "/.admin/audit.json", credential: admin).body
      #expect(audit.contains(#""action":"user.create""#) && audit.contains(#""subject":"ann""#))
      #expect(audit.contains(#""action":"user.update""#) && !audit.contains("secret1"))
    }
  }

  @Test func `users are made, listed, changed and deleted on the command line`() async throws {
    try await IdentityToolkitTests.withServer { server, client, admin async throws in
      let user = { (arguments: [String], input: String?) async throws in
        try await dhole(server, ["user"] + arguments + ["--auth", admin], input: input)
      }
      let made = try await user(
        ["create", "--uid", "mia", "--email", "mia@example.com", "--password", "-", "--claims", #"{"r":1}"#],
        "secret1\n")
      #expect(made == .init(code: 0, output: "mia\n", errors: ""))
      let second = try await user(["create", "--phone", "+491511234567", "--json"], nil)
      let uid = AuthClient.object(second.output).text("uid")
      #expect(second.code == 0 && uid.utf8.count == 28)
      #expect(try await user(["create", "--uid", "mia"], nil).errors.contains("uid already"))
      #expect(try await user(["create", "--email", "mia@example.com"], nil).code != 0)
      #expect(try await user(["create", "--claims", "[1]"], nil).code == 6)
      let list = try await user(["list"], nil)
      #expect(Set(list.output.split(separator: "\n")) == ["mia  mia@example.com", "\(uid)  +491511234567"])
      #expect(try await user(["list", "--limit", "1"], nil).output.split(separator: "\n").count == 1)
      let account: Object = ["email": "mia@example.com", "password": "secret1"]
      _ = try await client.toolkit("signInWithPassword", account)
      #expect(try await user(["set-claims", "mia@example.com", #"{"role":"x"}"#], nil).code == 0)
      #expect(try await user(["disable", "mia"], nil).output == "disabled mia\n")
      let shown = AuthClient.object(try await user(["show", "mia@example.com", "--json"], nil).output)
      #expect(shown["disabled"] as? Bool == true && (shown["claims"] as? Object)?.text("role") == "x")
      #expect(shown["password"] == nil && shown["hasPassword"] as? Bool == true)
      #expect(try await user(["show", "mia"], nil).output.contains("\nemail: mia@example.com\n"))
      await #expect(throws: AuthClient.Failure.self) {
        _ = try await client.toolkit("signInWithPassword", account)
      }
      #expect(try await user(["enable", "mia"], nil).code == 0)
      #expect(try await user(["set-password", "mia", "-"], "secret2\n").code == 0)
      await #expect(throws: AuthClient.Failure.self) {
        _ = try await client.toolkit("signInWithPassword", account)
      }
      _ = try await client.toolkit(
        "signInWithPassword", ["email": "mia@example.com", "password": "secret2"])
      #expect(try await user(["set-password", "mia", "short"], nil).code == 6)
      #expect(try await user(["sign-out", "mia"], nil).code == 0)
      #expect(try await user(["delete", "mia"], nil).code == 0)
      let gone = try await user(["delete", "mia"], nil)
      #expect(gone.code == 4 && gone.errors.contains("dhole user list"))
      #expect(try await user(["show", "no@example.com"], nil).code == 4)
      #expect(try await dhole(server, ["user", "list"]).code == 3)
      #expect(try await dhole(server, ["user", "list", "--auth", "wrong"]).code == 3)
      #expect(try await user(["list", "--db", "none"], nil).code == 4)
    }
  }
}
