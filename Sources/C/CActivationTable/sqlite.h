// SQLite, through the program's own linked library (SQLITE_CORE) or through the pointers that a loaded extension is given.
#ifndef NDX_SQLITE_H
#define NDX_SQLITE_H

#include <sqlite3ext.h>
#ifndef SQLITE_CORE
extern const sqlite3_api_routines *sqlite3_api;
#endif

/// Sets `message`, freeing what it was, and returns `code`.
int ndx_fail(char **message, int code, const char *format, ...);

/// The same with what SQLite says of its last failure on `connection`, after `what` was tried.
int ndx_fail_sqlite(char **message, sqlite3 *connection, const char *what);

#endif
