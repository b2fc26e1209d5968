/// What a reply says about how a request went; clients make errors of these words.
package enum Status: String, Sendable, Hashable {
  case ok
  case permissionDenied = "permission_denied"
  case dataStale = "datastale"
  case tooBig = "too_big"
  case unavailable
  case invalidToken = "invalid_token"
  case expiredToken = "expired_token"
  case invalidParameters = "invalid_parameters"
  case failure
}

/// Every text that a Firebase client may be shown.
package enum FirebaseText {
  static let permissionDenied = "Permission denied"
  static let dataStale = "Transaction hash does not match"
  static let priorityOfNothing = "There is nothing here that could have a priority"
  static let signedOut = "unauthenticated"

  // Credentials.
  static let invalidToken = "Could not parse auth token."
  static let credentialRevoked = "Auth token has been revoked."
  static let expiredToken = "Auth token is expired."
  static let actingAsNeedsAdmin = "Only an administrator can act as somebody else"

  // Requests that make no sense.
  static let unknownAction = "Unknown action"
  static let missingBody = "The request has no body"
  static let missingPath = "The request names no path"
  static let missingValue = "The request has no value"
  static let missingCredential = "The request has no credential"
  static let invalidPath = "Invalid token in path"
  static let tooDeep = "The path is deeper than 32 levels"
  static let keyTooLong = "A key is longer than 768 bytes"
  static let overlappingPaths = "Two paths of the update overlap"
  static let unknownServerValue = "Unknown server value"
  static let invalidPriority = "A priority must be null, a number or a string"
  static let invalidValue = "A .value must be a boolean, a number or a string, and stand alone"
  static let numberOutOfRange = "A number is too large"
  static let invalidUnicode = "A text is not valid Unicode"
  static let unexpectedValue = "A part of the request is of the wrong type"
  static let invalidJSON = "The request is not valid JSON"
  static let invalidTag = "A listen's tag must be a whole number from 0 to 2147483647"

  // Queries.
  static let invalidQuery = "A part of the query is not valid"
  static let invalidLimit = "A query's limit must be a positive whole number"
  static let invalidBound = "A query's bound must be a value that its order can have"
  static let keyBoundNotString = "A query by key needs keys as its bounds"
  static let keyWithoutBound = "A query's bound has a key but no value"
  static let invalidIndex = "A query must be ordered by .key, .value, .priority or a path"

  // Limits.
  static let messageTooBig = "The request is larger than 16 MB"
  static let stringTooLong = "A text is longer than 10 MB"
  static let dataTooBig = "The data is larger than one request may read or write"
  static let credentialTooLong = "The credential is too long"
  static let overloaded = "The database has too much to do, try again later"
  static let unavailable = "The database can't take writes at the moment"
  static let closed = "The database is closing"

  // Closing a connection.
  static let tooManyWaiting = "too many requests are waiting"
  static let messageUnreadable = "the message is too long"
  static let databaseUnavailable = "the database can't be opened"
  static let unknownApp = "There is no such app: check the syncURL"
  static let unknownDatabase =
    "Firebase error. Please ensure that you have the URL of your Firebase Realtime Database instance "
    + "configured correctly."

  /// Why a get by an index that the rules do not declare is refused; the path has no leading slash.
  static func indexNotDefined(_ index: String, path: String) -> String {
    "Index not defined, add \".indexOn\": \"\(index)\", for path \"/\(path)\", to the rules"
  }

  /// A hint for developers that no client acts on.
  static func denied(_ reason: String) -> String {
    "Permission denied: \(reason)"
  }

  /// What developers see when a message can't be answered.
  static let unanswerable = "A message without a request number was ignored"
}
