import ArgumentParser
import AsyncHTTPClient

/// A database's users, as the operator manages them.
struct Users: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "user", abstract: "List, show, make or change the users of a database.",
    discussion: """
      Users are named by uid; where it says USER, an address of mail does as well. These commands ask the \
      server at --url, with the admin secret.
      """,
    subcommands: [
      ListUsers.self, ShowUser.self, CreateUser.self, DisableUser.self, EnableUser.self, SignOutUser.self,
      SetPassword.self, SetClaims.self, DeleteUser.self,
    ])
}

/// The server and the database that a command about users is about.
struct UserOptions: ParsableArguments {
  @OptionGroup var options: OperatorOptions
  @Option(name: .long, help: "The database; else DHOLE_DB, else `default`.") var db: String?

  var place: String { "databases/\(RESTClient.escaped(db ?? environment("DHOLE_DB") ?? "default"))/users" }

}

/// The user that a command is about.
struct UserTarget: ParsableArguments {
  @OptionGroup var users: UserOptions
  @Argument(help: "USER: a uid, or an address of mail.") var user: String

  private static let advice = "`dhole user list` shows who is there."

  /// Takes a measure, and says in words that it was taken.
  func take(_ measure: String, _ members: [(String, String)] = [], told: String) async throws {
    let uid = try await uid()
    let answer = try await ask(.post, "\(RESTClient.escaped(uid))/\(measure)", members)
    Terminal.line(users.options.json ? answer.text : "\(told) \(uid)")
  }

  /// What the server says of the user.
  func facts() async throws -> RESTClient.Answer {
    try await ask(.get, RESTClient.escaped(try await uid()))
  }

  private func uid() async throws -> String {
    guard user.contains("@") else { return user }
    let answer = try await users.options.client.answer(
      to: .init(path: ".admin/\(users.place).json", query: [("email", user)]))
    guard let uid = Text.members("uid", ofEach: answer.body)?.first else {
      throw Failure(.notFound, "nobody signs in as \(user)", advice: Self.advice)
    }
    return uid
  }

  private func ask(
    _ method: RESTClient.Method, _ place: String, _ members: [(String, String)] = []
  ) async throws -> RESTClient.Answer {
    do {
      return try await users.options.ask(method, "\(users.place)/\(place).json", members)
    } catch let failure as Failure where failure.code == .notFound && failure.message.contains("user") {
      // It is not about databases, as others that are not found.
      throw Failure(.notFound, failure.message, advice: Self.advice)
    }
  }
}

struct ListUsers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Print the users in the order of their uids, one a line.")

  /// So many are asked for at a time.
  private static let pageCount = 1000

  @OptionGroup var users: UserOptions
  @Option(name: .long, help: "At most so many; without it, all.") var limit: Int?
  @Option(name: .long, help: "Only those that come after this uid.") var after: String?

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit is at least 1") }
  }

  func run() async throws {
    var (left, last) = (limit ?? .max, after)
    while left > 0 {
      let count = min(left, Self.pageCount)
      var query = [("limit", "\(count)")]
      if let last { query.append(("after", last)) }
      let answer = try await users.options.client.answer(
        to: .init(path: ".admin/\(users.place).json", query: query))
      guard let page = Text.elements(of: answer.body) else {
        throw Failure(.serverFailed, "the server's answer is not a list: \(answer.text)")
      }
      for user in page { Terminal.line(users.options.json ? UserText.json(user) : UserText.line(user)) }
      guard page.count == count, let end = page.last, let uid = Text.member("uid", of: end) else { return }
      left -= page.count
      last = uid
    }
  }
}

struct ShowUser: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Print all that is known of a user, but for the password.")

  @OptionGroup var target: UserTarget

  func run() async throws {
    let answer = try await target.facts()
    if target.users.options.json { return Terminal.line(answer.text) }
    for (name, value) in Text.members(of: answer.body) ?? [] {
      Terminal.line("\(name): \(Text.string(value) ?? String(decoding: value, as: UTF8.self))")
    }
  }
}

struct CreateUser: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a user, and print the uid.",
    discussion:
      "A password is read from standard input with --password -, so that no list of processes has it.")

  @OptionGroup var users: UserOptions
  @Option(name: .long, help: "The uid; without it, one that nobody can guess.") var uid: String?
  @Option(name: .long, help: "The address of mail to sign in with.") var email: String?
  @Option(name: .long, help: "The phone number to sign in with.") var phone: String?
  @Option(name: .long, help: "The password; - reads a line.") var password: String?
  @Option(name: .long, help: "What the user is called.") var name: String?
  @Option(name: .long, help: "What rules see in auth.token, as a JSON object.") var claims: String?
  @Flag(name: .long, help: "The address of mail is known to be theirs.") var verified = false
  @Flag(name: .long, help: "Nobody can sign in yet.") var disabled = false

  func run() async throws {
    var members: [(String, String)] = []
    if let uid { members.append(("uid", Text.quoted(uid))) }
    if let email { members.append(("email", Text.quoted(email))) }
    if let phone { members.append(("phone", Text.quoted(phone))) }
    if let password { members.append(("password", Text.quoted(try UserText.password(password)))) }
    if let name { members.append(("displayName", Text.quoted(name))) }
    if let claims { members.append(("claims", try UserText.claims(claims))) }
    if verified { members.append(("emailVerified", "true")) }
    if disabled { members.append(("disabled", "true")) }
    let answer = try await users.options.ask(.post, "\(users.place).json", members)
    if users.options.json { return Terminal.line(answer.text) }
    guard let uid = Text.member("uid", of: answer.body) else {
      throw Failure(.serverFailed, "the server's answer has no uid: \(answer.text)")
    }
    Terminal.line(uid)
  }
}

struct DisableUser: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disable", abstract: "Keep a user out, at once and on every connection.")

  @OptionGroup var target: UserTarget

  func run() async throws { try await target.take("disable", told: "disabled") }
}

struct EnableUser: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enable", abstract: "Let a user in again.")

  @OptionGroup var target: UserTarget

  func run() async throws { try await target.take("enable", told: "enabled") }
}

struct SignOutUser: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign-out", abstract: "End all sign-ins of a user, who may sign in again.")

  @OptionGroup var target: UserTarget

  func run() async throws { try await target.take("sign-out", told: "signed out") }
}

struct SetPassword: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set-password", abstract: "Give a user a new password, and end all sign-ins.",
    discussion: "With - the password is read from standard input, so that no list of processes has it.")

  @OptionGroup var target: UserTarget
  @Argument(help: "The password; - reads a line.") var password = "-"

  func run() async throws {
    let text = try UserText.password(password)
    try await target.take("password", [("password", Text.quoted(text))], told: "new password for")
  }
}

struct SetClaims: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set-claims", abstract: "Set what rules see in auth.token of a user.",
    discussion:
      "They show in tokens made from then on: a client gets one within the hour, or by renewing its own.")

  @OptionGroup var target: UserTarget
  @Argument(help: "A JSON object; {} for none.") var claims: String

  func run() async throws {
    try await target.take("claims", [("claims", try UserText.claims(claims))], told: "claims set for")
  }
}

struct DeleteUser: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Remove a user; data in the tree stays.")

  @OptionGroup var target: UserTarget

  func run() async throws { try await target.take("delete", told: "deleted") }
}

/// Users as they are printed and typed.
enum UserText {
  static func json(_ user: [UInt8]) -> String { String(decoding: user, as: UTF8.self) }

  /// `uid  address  disabled`
  static func line(_ user: [UInt8]) -> String {
    let name = Text.member("email", of: user) ?? Text.member("phone", of: user)
    var parts = [Text.member("uid", of: user) ?? "", name ?? "-"]
    let isDisabled = Text.members(of: user)?.first { $0.key == "disabled" }?.value == Array("true".utf8)
    if isDisabled { parts.append("disabled") }
    return parts.joined(separator: "  ")
  }

  static func password(_ text: String) throws -> String {
    guard text == "-" else { return text }
    guard let line = readLine(), !line.isEmpty else {
      throw Failure(.wrongInput, "there is no password on standard input")
    }
    return line
  }

  static func claims(_ text: String) throws -> String {
    guard Text.members(of: Array(text.utf8)) != nil else {
      throw Failure(.wrongInput, "claims are a JSON object, such as {\"role\":\"editor\"}")
    }
    return text
  }
}
