// A scan of blocks: xOpen to xClose.
#ifndef NDX_CURSOR_H
#define NDX_CURSOR_H

#include "sqlite.h"

int ndx_cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **into);
int ndx_cursor_close(sqlite3_vtab_cursor *base);
int ndx_cursor_filter(sqlite3_vtab_cursor *base, int order, const char *text, int count, sqlite3_value **arguments);
int ndx_cursor_next(sqlite3_vtab_cursor *base);
int ndx_cursor_eof(sqlite3_vtab_cursor *base);
int ndx_cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column);
int ndx_cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *into);

#endif
