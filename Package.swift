// swift-tools-version: 6.2
import PackageDescription

/// Fuzzers watch which way the code goes, so they need it compiled for that.
let isFuzzed = Context.environment["FUZZ"] == "1"

let settings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .treatAllWarnings(as: .error),
    // Debug builds, which the tests run, check every access; the release build saves some per cent of a put.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
  ] + (isFuzzed ? [.unsafeFlags(["-sanitize=fuzzer"])] : [])

func product(_ name: String, _ package: String) -> Target.Dependency {
  .product(name: name, package: package)
}

let crypto = product("Crypto", "swift-crypto")
let cryptoExtras = product("CryptoExtras", "swift-crypto")
let jwtKit = product("JWTKit", "jwt-kit")
let logging = product("Logging", "swift-log")
let nioCore = product("NIOCore", "swift-nio")
let nioEmbedded = product("NIOEmbedded", "swift-nio")
let nioHTTP1 = product("NIOHTTP1", "swift-nio")
let nioPosix = product("NIOPosix", "swift-nio")
let nioWebSocket = product("NIOWebSocket", "swift-nio")
let nioSSL = product("NIOSSL", "swift-nio-ssl")
let httpClient = product("AsyncHTTPClient", "async-http-client")
let lifecycle = product("ServiceLifecycle", "swift-service-lifecycle")
let unixSignals = product("UnixSignals", "swift-service-lifecycle")
let argumentParser = product("ArgumentParser", "swift-argument-parser")
let yams = product("Yams", "Yams")

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], path: "Tests/\(name)", swiftSettings: settings)
}

let package = Package(
  name: "dhole",
  products: [.executable(name: "dhole", targets: ["dhole"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", "4.0.0"..<"5.0.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
  ],
  targets: [
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .target(name: "CSDK"),
    library("JSONTree", [crypto]),
    library("Rules", ["JSONTree"]),
    library("Transport", [crypto, logging, nioCore, nioHTTP1, nioPosix, nioSSL, nioWebSocket]),
    library("Engine", ["JSONTree", "Rules", nioCore]),
    library("Identity", ["Engine", "JSONTree", "Rules", crypto, cryptoExtras, jwtKit]),
    library("Storage", ["CSQLite", "Engine", "JSONTree", crypto, nioCore]),
    library("FirebaseWire", ["Engine", "JSONTree", "Rules", "Transport", nioCore]),
    library("EngineIOWire", ["JSONTree", "Transport", nioCore]),
    library("RESTWire", ["Engine", "JSONTree", "Rules", "Transport", nioCore]),
    library(
      "Server",
      [
        "CSDK", "Engine", "EngineIOWire", "FirebaseWire", "Identity", "JSONTree", "RESTWire", "Rules",
        "Storage", "Transport", httpClient, lifecycle, logging, nioCore, nioHTTP1, nioPosix, unixSignals,
      ]),
    .executableTarget(
      name: "dhole",
      dependencies: [
        "JSONTree", "Rules", "Server", argumentParser, httpClient, logging, nioCore, nioHTTP1, nioPosix,
        nioSSL,
        yams,
      ],
      swiftSettings: settings),

    .target(
      name: "TestSupport", dependencies: ["Engine", "JSONTree", "Rules", "Transport", nioCore],
      path: "Tests/Support",
      swiftSettings: settings),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Engine", "EngineIOWire", "FirebaseWire", "JSONTree", "RESTWire", "Rules", "Storage", "TestSupport",
        "Transport", nioCore, nioEmbedded, nioPosix,
      ],
      path: "Tests/Fuzz/Targets", swiftSettings: settings),
    tests("FuzzTests", ["FuzzTargets"]),
    .executableTarget(
      name: "ws-echo", dependencies: ["TestSupport", "Transport", nioCore, nioPosix],
      path: "Tests/WebSocketEcho",
      exclude: ["autobahn.sh"],
      swiftSettings: settings),
    tests("JSONTreeTests", ["JSONTree"]),
    tests("RulesTests", ["JSONTree", "Rules"]),
    tests("TransportTests", ["Transport", nioCore, nioEmbedded, nioHTTP1, nioPosix]),
    tests("EngineTests", ["Engine", "JSONTree", "Rules", nioCore, nioEmbedded]),
    tests("StorageTests", ["CSQLite", "Engine", "JSONTree", "Storage", nioCore, nioPosix]),
    tests("IdentityTests", ["Engine", "Identity", "JSONTree", "Rules", crypto, cryptoExtras, jwtKit]),
    tests(
      "FirebaseWireTests", ["Engine", "FirebaseWire", "JSONTree", "Rules", "Transport", nioCore, nioEmbedded]),
    tests(
      "EngineIOWireTests",
      [
        "Engine", "EngineIOWire", "FirebaseWire", "JSONTree", "Rules", "Transport", nioCore, nioEmbedded,
        nioPosix,
      ]),
    tests(
      "RESTWireTests",
      ["Engine", "JSONTree", "RESTWire", "Rules", "Transport", nioCore, nioEmbedded, nioPosix]),
    tests(
      "ServerTests",
      [
        "Engine", "Identity", "JSONTree", "Server", "Transport", crypto, httpClient, logging, nioCore,
        nioHTTP1, nioPosix,
      ]),
    tests("SimulationTests", ["Engine", "JSONTree", "Rules", nioCore, nioEmbedded]),
    tests("CrashTests", ["JSONTree", httpClient, nioCore, nioPosix]),
    tests("InteropTests", []),
    tests("TidyTests", []),
  ],
)

// Benchmarks use `package` declarations, so they are targets of this manifest, built only when asked for.
if Context.environment["BENCHMARKS"] == "1" {
  package.targets += [
    .target(name: "CLinux", path: "Tests/Benchmarks/CLinux"),
    .executableTarget(
      name: "LoadGenerator", dependencies: ["CLinux"], path: "Tests/Benchmarks/LoadGenerator",
      swiftSettings: settings),
    .executableTarget(
      name: "Yardstick", dependencies: [nioCore, nioPosix, nioHTTP1], path: "Tests/Benchmarks/Yardstick",
      swiftSettings: settings),
    .executableTarget(
      name: "Microbench",
      dependencies: ["CSQLite", "Engine", "JSONTree", "Rules", "Storage", "TestSupport", nioCore, nioPosix],
      path: "Tests/Benchmarks/Microbench", swiftSettings: settings),
  ]
}

// `FUZZ=1 swift build -c release --product Fuzz`: libFuzzer comes with the compiler, and needs its linker.
if isFuzzed {
  package.targets += [
    .target(name: "CFuzz", path: "Tests/Fuzz/CFuzz"),
    .executableTarget(
      name: "Fuzz", dependencies: ["CFuzz", "FuzzTargets"], path: "Tests/Fuzz/Driver",
      swiftSettings: settings,
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
  ]
}
