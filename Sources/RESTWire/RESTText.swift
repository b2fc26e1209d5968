/// Every text that a REST client can see.
enum RESTText {
  static let hint = "append .json to your request URI to use the REST API."
  static let invalidPath = "Invalid path: Invalid token in path"
  static let invalidParameters = "Invalid query parameters: bad percent-encoding or UTF-8"
  static let permissionDenied = "Permission denied"
  static let tokenInvalid = "Could not parse auth token."
  static let tokenExpired = "Auth token is expired."
  static let overrideInvalid = "auth_variable_override must be a JSON object or null"
  static let overrideNeedsAdmin = "auth_variable_override is only for administrators"
  static let unknownDatabase =
    "Firebase error. Please ensure that you spelled the name of your Firebase correctly"
  static let methodNotAllowed = "Method not allowed"

  static let noData = "Error: No data supplied."
  static let badValue = "Invalid data; couldn't parse JSON object, array, or value."
  static let badUpdate =
    "Invalid data; couldn't parse JSON object. Are you sending a JSON object with valid key names?"
  static let writeTooBig =
    "WRITE_TOO_BIG: Data to write exceeds the maximum size that can be modified with a single request."
  static let badWriteSizeLimit =
    "writeSizeLimit must be one of tiny, small, medium, large and unlimited"
  static let readTooBig =
    "The specified payload is too large, please request a location with less data."
  static let unavailable = "The database is not available now. Please try again later."
  static let overloaded = "The server is overloaded. Please try again later."

  static let orderByInvalid = "orderBy must be a valid JSON encoded path"
  static let orderByMissing = "orderBy must be defined when other query parameters are defined"
  static let bothLimits = "Only one of limitToFirst and limitToLast may be specified"
  static let bothStarts = "Only one of startAt and startAfter may be specified"
  static let bothEnds = "Only one of endAt and endBefore may be specified"
  static let equalToAndBounds = "equalTo cannot be specified in addition to startAt or endAt"
  static let equalToAndOpenBounds = "equalTo cannot be specified in addition to startAfter or endBefore"
  static let boundNotPrimitive = "Constraint index field must be a JSON primitive"
  static let keyBoundNotString = "Constraint index field must be a JSON string when ordering by key"

  static let shallowAlone =
    "shallow cannot be combined with query parameters other than limits and orderBy=\"$key\""
  static let badCallback = "callback must be a JavaScript identifier"
  static let badTimeout = "timeout must be a number followed by ms, s or min and at most 15min"
  static let timedOut = "The request took longer than its timeout allows."
  static let silentIfMatch = "print=silent is not supported together with if-match"
  static let badSnapshot = "X-Dhole-Snapshot must be keep, or a name together with X-Dhole-From"
  static let snapshotGone = "That snapshot is not kept any more. Start over."
  static let badSetting = "Invalid value for this setting"
  static let profileUnsupported = "Profiling is not supported by this server."
  static let settingUnsupported = "This setting is not supported by this server."

  static let credentialRevoked = "credential is no longer valid"

  static func mustBeInteger(_ name: String) -> String { "\(name) must be an integer" }

  static func mustBePositive(_ name: String) -> String { "\(name) must be positive" }

  static func ifMatchUnsupported(_ verb: RESTRequest.Verb) -> String {
    "if-match is not supported for \(verb.rawValue) requests"
  }

  /// `index` as in `.indexOn`; `path` without a leading slash.
  static func indexMissing(_ index: String, path: String) -> String {
    "Index not defined, add \".indexOn\": \"\(index)\", for path \"/\(path)\", to the rules"
  }

  static func disabled(_ database: String) -> String {
    "The Firebase database '\(database)' has been disabled by a database owner."
  }
}
