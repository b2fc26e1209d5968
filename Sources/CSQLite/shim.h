#include <sqlite3.h>

/* What sqlite3.h offers only through variadic functions, which Swift can't call. */

/* Whether the write-ahead log stays as it is when the last connection closes. */
static inline int csqlite_keep_log_on_close(sqlite3 *database, int keeps) {
  return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keeps, (int *)0);
}

/* Refuses statements that could damage the file's structure, and functions named in a tampered schema. */
static inline int csqlite_defend(sqlite3 *database) {
  int code = sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
  if (code != SQLITE_OK) return code;
  return sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
}
