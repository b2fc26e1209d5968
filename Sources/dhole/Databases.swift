import ArgumentParser

struct Databases: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "db", abstract: "Create, list or delete databases.", subcommands: [])
}
