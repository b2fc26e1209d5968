import ArgumentParser
import Server

struct Tokens: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Make tokens with a database's secret, and look into tokens.",
    subcommands: [MintToken.self, InspectToken.self])
}

struct MintToken: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mint", abstract: "Print a token for a user; no server is asked.",
    discussion: """
      The token is good as it is (--auth TOKEN, REST's auth=, the socket), and clients sign in with it as a \
      custom token. Rules see auth.uid, and the claims in auth.token.
      """)

  @Option(name: .long, help: "Who the user is: 1 to 128 bytes.") var uid: String
  @Option(name: .long, help: "What rules see in auth.token, as a JSON object.") var claims: String?
  @Option(name: .long, help: "How long it is good: seconds, or such as 30m, 12h, 7d.")
  var ttl = TimeSpan(seconds: 3600)
  @Flag(name: .long, help: "The bearer bypasses all rules of the database.") var admin = false
  @Option(name: .long, help: "The database's secret; else DHOLE_SECRET.") var secret: String?

  func run() async throws {
    guard let secret = secret ?? environment("DHOLE_SECRET") else {
      throw Failure(
        .wrongInput, "a token is made with a database's secret",
        advice: "Pass it with --secret, or set DHOLE_SECRET. `dhole secret add DATABASE` prints a new one.")
    }
    let token = try await Failure.rewording {
      try await TokenTool.mint(
        secret: secret, uid: uid, claims: claims, isAdmin: admin, seconds: ttl.seconds)
    }
    Terminal.line(token)
  }
}

struct InspectToken: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show what a token says; exit code 1 when it is not good.")

  @Argument(help: "The token; - reads it from standard input.") var token: String
  @Option(name: .long, help: "A database's secret to check its signature with; else DHOLE_SECRET.")
  var secret: String?

  func run() async throws {
    let text = token == "-" ? readLine() ?? "" : token
    guard let found = await TokenTool.inspect(text, secret: secret ?? environment("DHOLE_SECRET")) else {
      throw Failure(
        .wrongInput, "this is no JSON web token", advice: "A token has three parts with dots in between.")
    }
    found.lines.forEach(Terminal.line)
    if !found.isGood { throw ExitCode(1) }
  }
}

/// A span of time as people type it: `90`, `30m`, `12h`, `7d`.
struct TimeSpan: ExpressibleByArgument {
  let seconds: Int64

  init(seconds: Int64) {
    self.seconds = seconds
  }

  init?(argument: String) {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    let unit = argument.last.flatMap { units[$0] }
    let digits = unit == nil ? argument[...] : argument.dropLast()
    guard let count = Int64(digits), count > 0, count <= 10 * 366 * 86_400 else { return nil }
    seconds = count * (unit ?? 1)
  }

  var defaultValueDescription: String { "1h" }
}
