import ArgumentParser
import Glibc
import NIOHTTP1
import Server

struct Databases: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "db", abstract: "Create, list or delete databases.",
    discussion: """
      Asks the server at --url; with --data, or when no server answers and ./dhole-data is there, works on \
      the folder itself.
      """,
    subcommands: [CreateDatabase.self, ListDatabases.self, DeleteDatabase.self])
}

/// Where the databases are that a `db` command is about.
struct DatabaseOptionsGroup: ParsableArguments {
  @Option(name: .long, help: "Where the server is; else DHOLE_URL, else http://127.0.0.1:9000.")
  var url: String?
  @Option(name: .long, help: "The admin secret, or `owner` with --dev; else DHOLE_AUTH.") var auth: String?
  @Option(name: .long, help: "A data folder that no server has open.") var data: String?
  @Flag(name: .long, help: "Print JSON.") var json = false

  func validate() throws {
    guard url == nil || data == nil else { throw ValidationError("--url and --data exclude each other") }
  }

  /// Runs a command against the server, or against the folder when that is what was asked for or all there
  /// is.
  func run<R: Sendable>(
    online: (RESTClient) async throws -> R, offline: (StoppedServer) async throws -> R
  ) async throws -> R {
    guard data == nil else { return try await run(offline, folder: data ?? "") }
    let address = url ?? environment("DHOLE_URL")
    let client = RESTClient(
      base: address ?? "http://127.0.0.1:9000", database: nil, credential: auth ?? environment("DHOLE_AUTH"))
    do {
      return try await online(client)
    } catch let failure as Failure where failure.code == .unreachable && address == nil {
      guard access("dhole-data/journal.sqlite", F_OK) == 0 else { throw failure }
      Terminal.errorLine("no server at 127.0.0.1:9000: working on ./dhole-data itself")
      return try await run(offline, folder: "dhole-data")
    }
  }

  private func run<R>(_ work: (StoppedServer) async throws -> R, folder: String) async throws -> R {
    guard access(folder, F_OK) == 0 else {
      throw Failure(
        .notFound, "there is no folder \(folder)", advice: "`dhole serve --data \(folder)` makes it.")
    }
    let stopped = try await Failure.rewording { try await StoppedServer(dataFolder: folder) }
    do {
      let result = try await work(stopped)
      await stopped.close()
      return result
    } catch {
      await stopped.close()
      throw Failure(rewording: error)
    }
  }
}

struct CreateDatabase: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "create", abstract: "Make an empty database.")

  @OptionGroup var options: DatabaseOptionsGroup
  @Argument(help: "Its name: 1 to 63 of a-z, 0-9, - and _.") var name: String

  func run() async throws {
    let secret = try await options.run(
      online: { client in
        let answer = try await client.answer(to: .init(method: .PUT, path: ".admin/databases/\(name).json"))
        return answer.status == 201 ? Text.member("secret", of: answer.body) ?? "" : nil
      },
      offline: { try await $0.create(name) })
    if options.json {
      let part = secret.map { #","secret":\#(Text.quoted($0))"# } ?? ""
      return Terminal.line(#"{"name":\#(Text.quoted(name)),"created":\#(secret != nil)\#(part)}"#)
    }
    guard let secret else { return Terminal.line("\(name) was there already") }
    Terminal.line("created \(name)")
    Terminal.line("its secret, shown only now: \(secret)")
  }
}

struct ListDatabases: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Name all databases.")

  @OptionGroup var options: DatabaseOptionsGroup

  func run() async throws {
    let names = try await options.run(
      online: { client in
        let answer = try await client.answer(to: .init(path: ".admin/databases.json"))
        guard let names = Text.members("name", ofEach: answer.body) else {
          throw Failure(.serverFailed, "the server's answer is not a list: \(answer.text)")
        }
        return names
      },
      offline: { try await $0.names() })
    if options.json {
      Terminal.line("[\(names.map { #"{"name":\#(Text.quoted($0))}"# }.joined(separator: ","))]")
    } else {
      names.forEach(Terminal.line)
    }
  }
}

struct DeleteDatabase: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Remove a database with all its data.",
    discussion: "Asks first, unless --force says that you mean it.")

  @OptionGroup var options: DatabaseOptionsGroup
  @Argument(help: "Its name.") var name: String
  @Flag(name: .long, help: "Do not ask.") var force = false

  func run() async throws {
    try confirm()
    let wasThere = try await options.run(
      online: { client in
        _ = try await client.answer(to: .init(method: .DELETE, path: ".admin/databases/\(name).json"))
        return true
      },
      offline: { try await $0.delete(name) })
    guard wasThere else {
      throw Failure(.notFound, "there is no database \(name)", advice: "`dhole db list` shows what there is.")
    }
    Terminal.line(options.json ? #"{"name":\#(Text.quoted(name)),"deleted":true}"# : "deleted \(name)")
  }

  private func confirm() throws {
    guard !force else { return }
    guard isatty(STDIN_FILENO) == 1 else {
      throw Failure(.wrongInput, "nobody to ask", advice: "Say --force to delete \(name) with all its data.")
    }
    Terminal.errorLine("Delete \(name) with all its data? Type its name to go on:")
    guard readLine() == name else { throw Failure(.failed, "nothing was deleted") }
  }
}
