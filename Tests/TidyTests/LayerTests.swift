import Testing

/// Which modules each target may import: the arrows of the layout, which only go down.
@Suite struct LayerTests {
  private static let ours: [String: Set<String>] = [
    "JSONTree": [],
    "Rules": ["JSONTree"],
    "Transport": [],
    "Engine": ["JSONTree", "Rules"],
    "Identity": ["Engine", "JSONTree", "Rules"],
    "Storage": ["CSQLite", "Engine", "JSONTree"],
    "FirebaseWire": ["Engine", "JSONTree", "Rules", "Transport"],
    "EngineIOWire": ["JSONTree", "Transport"],
    "RESTWire": ["Engine", "JSONTree", "Rules", "Transport"],
    "Server": [
      "CSDK", "Engine", "EngineIOWire", "FirebaseWire", "Identity", "JSONTree", "RESTWire", "Rules",
      "Storage", "Transport",
    ],
    "dhole": ["JSONTree", "Rules", "Server"],
  ]

  private static let outside: [String: Set<String>] = [
    "JSONTree": ["Crypto"],
    "Rules": [],
    "Transport": ["Crypto", "Logging", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL", "NIOWebSocket"],
    "Engine": ["NIOCore"],
    "Identity": ["Crypto", "CryptoExtras", "FoundationEssentials", "JWTKit"],
    "Storage": ["Crypto", "NIOCore"],
    "FirebaseWire": ["NIOCore"],
    "EngineIOWire": ["NIOCore"],
    "RESTWire": ["NIOCore"],
    "Server": [
      "AsyncHTTPClient", "Crypto", "Foundation", "Logging", "NIOCore", "NIOHTTP1", "NIOPosix",
      "ServiceLifecycle", "UnixSignals",
    ],
    "dhole": [
      "ArgumentParser", "AsyncHTTPClient", "Foundation", "Logging", "NIOCore", "NIOHTTP1", "NIOPosix",
      "NIOSSL", "Yams",
    ],
  ]

  /// What the toolchain brings and any target may use.
  private static let system: Set = ["Dispatch", "Glibc", "Musl", "Darwin", "Synchronization", "_Concurrency"]

  private func isRoom(_ file: SourceFile) -> Bool {
    file.path.hasPrefix("Sources/") && Self.ours[file.target] != nil
  }

  @Test func `imports only go down the layers`() throws {
    for file in try SourceFile.all() where isRoom(file) {
      let allowed = Self.ours[file.target, default: []].union(Self.outside[file.target, default: []])
        .union(Self.system)
      for (module, line) in file.imports where !allowed.contains(module) {
        Issue.record("\(file.path):\(line) imports \(module), which \(file.target) may not know")
      }
    }
  }

  @Test func `every folder of sources has its place in the layers`() throws {
    for file in try SourceFile.all() where file.path.hasPrefix("Sources/") {
      #expect(Self.ours[file.target] != nil, "\(file.path): add \(file.target) to the layers")
    }
  }
}
