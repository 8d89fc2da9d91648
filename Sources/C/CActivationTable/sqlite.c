#include "sqlite.h"

#include <stdarg.h>

#ifndef SQLITE_CORE
SQLITE_EXTENSION_INIT1
#endif

int ndx_fail(char **message, int code, const char *format, ...) {
    va_list facts;
    va_start(facts, format);
    sqlite3_free(*message);
    *message = sqlite3_vmprintf(format, facts);
    va_end(facts);
    return code;
}

int ndx_fail_sqlite(char **message, sqlite3 *connection, const char *what) {
    int code = sqlite3_extended_errcode(connection);
    if ((code & 0xff) == SQLITE_OK) code = SQLITE_ERROR;
    return ndx_fail(message, code, "%s: %s", what, sqlite3_errmsg(connection));
}
