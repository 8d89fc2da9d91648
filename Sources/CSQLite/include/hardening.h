// What of SQLite Swift cannot call, as it takes arguments of any number.
#ifndef NDX_HARDENING_H
#define NDX_HARDENING_H

struct sqlite3;

/// Makes a connection fit for a file from somebody else: no trigger of it runs, its views, indexes and constraints call none but harmless
/// functions and tables, and no statement writes to what only SQLite may. Returns SQLite's code.
int ndx_harden(struct sqlite3 *connection);

#endif
