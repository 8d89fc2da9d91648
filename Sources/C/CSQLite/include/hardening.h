// What of SQLite Swift cannot call, as it takes arguments of any number.
#ifndef NDX_HARDENING_H
#define NDX_HARDENING_H

struct sqlite3;

/// Makes a connection fit for a file from somebody else: no trigger of it runs, no statement writes to what only SQLite may, and
/// nothing that the file defines calls a function, or reads a virtual table, that could do harm. Returns SQLite's code.
int ndx_harden(struct sqlite3 *connection);

/// Lets views call any function again, once a file's schema was found to be neurodex's own on this very connection: the view
/// `top_activation` of stores of 0.2 and earlier calls `->>`, which SQLite up to 3.40 takes for harmful by mistake (it marks its
/// functions of JSON as innocuous with the bit that means the opposite for functions of its own). Returns SQLite's code.
int ndx_trust_schema(struct sqlite3 *connection);

#endif
