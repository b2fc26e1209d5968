import ArgumentParser
import Server

/// The one binary: a server, and the commands that talk to one.
@main
struct Dhole: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dhole",
    abstract: "A realtime JSON-tree database that Firebase clients connect to.",
    discussion: """
      Start one with `dhole serve --dev`, then in another terminal `dhole watch /` and `dhole set /x 1`.

      Exit codes: 0 done, 1 failed, 2 no server there, 3 refused (permission or credential), 4 no such \
      database, 5 condition not met, 6 wrong input, 7 the server failed, 64 wrong usage.

      Shell completions: dhole --generate-completion-script bash|zsh|fish
      """,
    version: Version.current,
    subcommands: [
      Serve.self, Get.self, Set.self, Update.self, Push.self, Remove.self, Watch.self, Import.self,
      Export.self,
      Databases.self, Secrets.self, Users.self, Tokens.self, ServiceAccount.self, Keys.self, Audit.self,
      RulesCommand.self, Bench.self, ShowVersion.self,
    ])

  static func main() async {
    do {
      var command = try await asyncParseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let failure as Failure {
      failure.report(asJSON: CommandLine.arguments.contains("--json"))
      exit(withError: ExitCode(failure.code.rawValue))
    } catch {
      exit(withError: error)
    }
  }
}

struct ShowVersion: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Print the version.")

  @Flag(name: .long, help: "Print a JSON object.") var json = false

  func run() {
    Terminal.line(json ? #"{"version":"\#(Version.current)"}"# : "dhole \(Version.current)")
  }
}
