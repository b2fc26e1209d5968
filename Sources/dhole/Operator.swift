import ArgumentParser
import Glibc

/// Keys for the operator's own services.
struct ServiceAccount: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "service-account", abstract: "Make or revoke keys for Firebase's Admin SDKs.",
    subcommands: [CreateServiceAccount.self, RevokeServiceAccount.self])
}

struct CreateServiceAccount: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a key and write it as a service account file.",
    discussion: """
      The file is for `credentials.Certificate(…)`: `auth.create_custom_token` signs with it, and this \
      server exchanges such tokens. The private key is in that file only.
      """)

  @OptionGroup var options: OperatorOptions
  @Argument(help: "The database.") var database: String
  @Argument(help: "The file to write.") var file: String

  func run() async throws {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw Failure(
        .failed, "can't make \(file): \(String(cString: strerror(errno)))",
        advice: "Name a file that is not there.")
    }
    defer { close(descriptor) }
    do {
      let answer = try await options.ask(
        .post, "databases/\(database)/service-accounts.json", [("url", Text.quoted(options.base))])
      let bytes = answer.body + [UInt8(ascii: "\n")]
      guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
        throw Failure(.failed, "can't write \(file): \(String(cString: strerror(errno)))")
      }
      let id = Text.member("private_key_id", of: answer.body) ?? ""
      Terminal.line(
        options.json ? #"{"id":\#(Text.quoted(id)),"file":\#(Text.quoted(file))}"# : "key \(id) is in \(file)"
      )
    } catch {
      unlink(file)
      throw error
    }
  }
}

struct RevokeServiceAccount: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Make a service account's key useless.")

  @OptionGroup var options: OperatorOptions
  @Argument(help: "The database.") var database: String
  @Argument(help: "The key's id, `private_key_id` in its file.") var id: String

  func run() async throws {
    let answer = try await options.ask(
      .delete, "databases/\(database)/service-accounts/\(RESTClient.escaped(id)).json")
    Terminal.line(options.json ? answer.text : "revoked \(id)")
  }
}

/// The keys that the server signs its own tokens with.
struct Keys: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Rotate the keys that the server signs users' tokens with.",
    subcommands: [RotateKeys.self])
}

struct RotateKeys: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Sign users' tokens with a new key.",
    discussion: """
      Tokens signed before stay good until they end. With --distrust-old they don't, which is for the case \
      that the key has got into other hands: users then get new tokens with their refresh tokens.
      """)

  @OptionGroup var options: OperatorOptions
  @Flag(name: .long, help: "Refuse every token signed before, at once.") var distrustOld = false

  func run() async throws {
    let answer = try await options.ask(.post, "keys/rotate.json", [("distrustOld", "\(distrustOld)")])
    Terminal.line(options.json ? answer.text : "tokens are signed with a new key")
  }
}

struct Audit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print what operators did, the newest first, one JSON object a line.")

  @OptionGroup var options: OperatorOptions
  @Option(name: .long, help: "At most so many.") var limit = 100

  func run() async throws {
    let answer = try await options.client.answer(
      to: .init(path: ".admin/audit.json", query: [("limit", "\(limit)")]))
    guard let entries = Text.elements(of: answer.body) else {
      throw Failure(.serverFailed, "the server's answer is not a list: \(answer.text)")
    }
    for entry in entries { Terminal.line(String(decoding: entry, as: UTF8.self)) }
  }
}
