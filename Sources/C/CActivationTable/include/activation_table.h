// Every activation of a store as a row of SQL:
//
//   activation(layer TEXT, channel INT, image_id INT, value REAL, y INT, x INT, schema TEXT HIDDEN, neuron_id INT HIDDEN)
//
// A virtual table over the packed blocks (schema.sql). It can only be read; NaN is NULL and −0 is 0, as in SQL; images that
// were removed are not there. Of several stores on one connection `activation('name')` is the one attached under that name.
#ifndef NDX_ACTIVATION_TABLE_H
#define NDX_ACTIVATION_TABLE_H

struct sqlite3;

/// Gives a connection the table `activation`.
///
/// `schema` is the text of schema.sql, with which every store of the connection is compared before it is read; it has to outlive the
/// connection. NULL says that the caller has found the connection's main database to be a store of a version that this code reads, and
/// defined so. Then no other one is looked for, which takes PRAGMA statements that an authorizer may refuse; an authorizer is to be set
/// afterwards. Returns SQLite's code.
int ndx_activation_register(struct sqlite3 *connection, const char *schema);

#endif
