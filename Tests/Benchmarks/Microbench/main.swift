// Measurements inside one process. `Microbench NAME [FOLDER]` prints one line of JSON with a `ratio` to its
// yardstick, which is measured in the same run. The whole table: `make bench`.
import Glibc

let name = CommandLine.arguments.dropFirst().first ?? ""
let folder = CommandLine.arguments.dropFirst(2).first ?? "/tmp"

switch name {
case "parse": try JSONSpeed.parse()
case "write": try JSONSpeed.write()
case "sync": try DiskSpeed.sync(folder)
case "log": try await LogSpeed.run(folder)
case "engine-nodes": try await PutSpeed.nodes()
case "put-listens": try await PutSpeed.listens()
case "window": try await WindowSpeed.change()
case "first-window": try await WindowSpeed.first()
case "rules": try RulesSpeed.decisions()
case "pattern": try RulesSpeed.pattern()
default:
  let names = "parse|write|sync|log|engine-nodes|put-listens|window|first-window|rules|pattern"
  print("usage: Microbench \(names) [FOLDER]")
  exit(64)
}
