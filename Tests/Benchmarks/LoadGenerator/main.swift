import Glibc

let options = Options(Array(CommandLine.arguments.dropFirst()))
let load = Load(options)
let residentBefore = residentBytes(options.processID)
load.open()

if options.mode == .idle {
  sleep(2)
  let perConnection = (residentBytes(options.processID) - residentBefore) / options.connections
  print(#"{"mode":"idle","connections":\#(options.connections),"bytes_per_connection":\#(perConnection)}"#)
  exit(0)
}

_ = load.run(seconds: options.warmupSeconds)
load.latencies.clear()
let deliveredBefore = load.delivered
let serverBefore = processorSeconds(options.processID)
let clientBefore = processorSeconds(getpid())
let wall = load.run(seconds: options.measureSeconds)
let count = Double(load.delivered - deliveredBefore)
let server = processorSeconds(options.processID) - serverBefore
let client = processorSeconds(getpid()) - clientBefore
let p50 = load.latencies.percentile(0.5), p99 = load.latencies.percentile(0.99)
load.drain()

func rounded(_ value: Double) -> String {
  value.isFinite ? String(Int(value.rounded())) : "null"
}
print(
  #"{"mode":"\#(options.mode)","connections":\#(options.connections),"per_second":\#(rounded(count / wall)),"#
    + #""per_server_cpu_second":\#(server > 0 ? rounded(count / server) : "null"),"#
    + #""p50_us":\#(rounded(p50)),"p99_us":\#(rounded(p99)),"#
    + #""client_busy_percent":\#(rounded(100 * client / wall))}"#
)
