import Identity

extension TreeServer {
  /// Where the server is, what is reachable with what, and what to try first.
  package var announcement: [String] {
    let scheme = configuration.tls == nil ? "http" : "https"
    let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
    let address = "\(scheme)://\(host):\(port)"
    let lines = [
      "dhole \(Version.current) listening on \(address)",
      "data in \(configuration.dataFolder), durability \(configuration.durability.rawValue)",
    ]
    let isAnyAddress = configuration.host == "0.0.0.0" || configuration.host == "::"
    let example = isAnyAddress ? "\(scheme)://127.0.0.1:\(port)" : address
    return lines + (configuration.isDevelopment ? development(example) : production(example))
  }

  private func development(_ address: String) -> [String] {
    let reach =
      configuration.isLoopback
      ? "every program on this machine" : "EVERYONE who can reach \(configuration.host):\(port)"
    return [
      "WARNING: --dev is for development. \(reach) can read and write everything:",
      "  rules are open, `owner` is the operator, tokens are not checked, databases are made on use.",
      "try: curl -X PUT -d '{\"a\":1}' '\(address)/x.json'",
    ]
  }

  /// Who gets in with what.
  private var reach: [String] {
    let methods = configuration.allowedSignIn.map(\.rawValue).sorted().joined(separator: ", ")
    var lines = [
      "open to everybody: /.health, the public keys at /.auth/jwks.json, the SDK at /.sdk/",
      "open to the admin secret: everything; to a database's own secrets and service accounts: that database",
      "open as rules allow: to tokens made with a database's secret, and to users who sign in by: "
        + (methods.isEmpty ? "nothing (--sign-in)" : methods),
    ]
    lines += configuration.identityProviders.map { provider in
      let databases = provider.databases?.joined(separator: ", ") ?? "all databases"
      return "open as rules allow: to tokens of \(provider.issuer), in \(databases)"
    }
    return lines
  }

  private func production(_ address: String) -> [String] {
    var lines: [String] = []
    if let newAdminSecret {
      lines += [
        "admin secret, shown only now: \(newAdminSecret)",
        "  keep it: only its digest is in \(configuration.dataFolder)/admin-secret",
      ]
    }
    if configuration.tls == nil && !configuration.isLoopback {
      lines.append("WARNING: without --tls-cert and --tls-key, secrets cross the network in the clear.")
    }
    lines += reach
    lines += [
      "closed: each database denies everything until its rules are installed with the admin secret:",
      "  curl -X PUT -H \"Authorization: Bearer $DHOLE_AUTH\" --data-binary @rules.json "
        + "'\(address)/.settings/rules.json'",
    ]
    return lines
  }
}
