import ArgumentParser
import Glibc
import Server

/// Who is let in, and how.
struct IdentityOptions: ParsableArguments {
  @Option(
    name: .long,
    help: """
      The ways for users to sign in: any of anonymous, password, custom, weapp, with commas; or none. \
      Without it: all with --dev, otherwise custom.
      """)
  var signIn: String?
  @Option(name: .long, help: "Trust Firebase Auth's tokens for this project.") var firebaseProject: String?
  @Option(
    name: .long,
    help:
      "A JSON file of identity providers to trust: issuer, audiences, keys (address or file), databases."
  )
  var identityProviders: String?
  @Option(
    name: .long,
    help: """
      What this server's own tokens begin their issuer with. Without it: dhole, and with --dev what \
      Firebase's SDKs insist on.
      """)
  var issuer: String?
  @Option(name: .long, help: "The mini-program's appid at WeChat; its secret is in DHOLE_WECHAT_SECRET.")
  var wechatAppid: String?
  @Option(name: .long, help: "Where WeChat is.") var wechatUrl = "https://api.weixin.qq.com"
  @Option(
    name: .long,
    help: """
      Where codes for users are posted, to be sent by mail or SMS; signed with what is in \
      DHOLE_WEBHOOK_SECRET.
      """)
  var authWebhook: String?
  @Flag(name: .long, help: "A proxy in front says where callers are, in X-Forwarded-For.") var behindProxy =
    false

  func validate() throws {
    for url in [authWebhook, wechatUrl].compactMap({ $0 })
    where !url.hasPrefix("https://") && !url.hasPrefix("http://") {
      throw ValidationError("\(url) must begin with https:// or http://")
    }
    if wechatAppid != nil, environment("DHOLE_WECHAT_SECRET") == nil {
      throw ValidationError("--wechat-appid needs the mini-program's secret in DHOLE_WECHAT_SECRET")
    }
    guard issuer?.isEmpty != true else { throw ValidationError("--issuer must not be empty") }
  }

  func apply(to configuration: inout Configuration) throws {
    if let signIn { try configuration.allowSignIn(signIn) }
    configuration.issuer = issuer.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    if let firebaseProject {
      configuration.identityProviders.append(.firebase(project: firebaseProject))
    }
    if let identityProviders {
      configuration.identityProviders += try ProviderSettings.read(file: identityProviders)
    }
    if let wechatAppid {
      configuration.weChat = WeChatSettings(
        appID: wechatAppid, secret: environment("DHOLE_WECHAT_SECRET") ?? "",
        base: wechatUrl.hasSuffix("/") ? String(wechatUrl.dropLast()) : wechatUrl)
    }
    configuration.authWebhook = authWebhook
    configuration.authWebhookSecret = environment("DHOLE_WEBHOOK_SECRET")
    configuration.isBehindProxy = behindProxy
  }
}
