// What of SQLite Swift cannot call, as it takes arguments of any number.
#ifndef NDX_HARDENING_H
#define NDX_HARDENING_H

struct sqlite3;

/// Makes a connection fit for a file from somebody else: no trigger of it runs, and no statement writes to what only SQLite may. Returns
/// SQLite's code. Its schema stays trusted, as SQLite up to 3.40 takes the JSON functions of our own views for harmful: what is not
/// neurodex's is refused when a store is opened, before any view of it is read.
int ndx_harden(struct sqlite3 *connection);

#endif
