import Engine
import Logging
import Rules

extension TreeServer {
  /// Says in the log what the rules refused, and why.
  static func report(_ denial: Explanation, in database: DatabaseID, to logger: Logger) {
    logger.debug(
      "permission denied",
      metadata: [
        "database": "\(database)", "rule": "\(denial.rule)", "path": "/\(denial.path)",
        "reason": "\(denial.reason)",
      ])
  }

  /// Says in the log what an operator should know of a database.
  static func report(_ trouble: DatabaseTrouble, to logger: Logger) {
    switch trouble {
    case .writesFailed(let database, let text):
      logger.error("writes failed", metadata: ["database": "\(database)", "error": "\(text)"])
    case .outcomeUnknown(let database, let text):
      logger.critical(
        "nobody knows whether writes are durable; others wait until that is found out",
        metadata: ["database": "\(database)", "error": "\(text)"])
    case .superseded(let database):
      logger.critical(
        "another process writes to this database: it takes no more writes until a restart",
        metadata: ["database": "\(database)"])
    case .checkpointFailed(let database, let text):
      logger.error("checkpoint failed", metadata: ["database": "\(database)", "error": "\(text)"])
    case .rulesUnreadable(let database, let text):
      logger.critical(
        "the stored rules no longer compile: only the operator gets in",
        metadata: ["database": "\(database)", "error": "\(text)"])
    }
  }
}
