// The table on one connection, and its columns.
#ifndef NDX_TABLE_H
#define NDX_TABLE_H

#include "store.h"

typedef struct {
    sqlite3_vtab base;
    sqlite3 *connection;
    const char *schema;               // what stores are compared with; NULL: main is one, and no other is looked for
    ndx_store *stores;
} ndx_table;

/// In the order of the declaration.
enum { NDX_LAYER, NDX_CHANNEL, NDX_IMAGE, NDX_VALUE, NDX_Y, NDX_X, NDX_SCHEMA, NDX_NEURON, NDX_COLUMNS };

#define NDX_DECLARATION \
    "CREATE TABLE x(layer TEXT, channel INT, image_id INT, value REAL, y INT, x INT, schema TEXT HIDDEN, neuron_id INT HIDDEN)"

/// The store that is attached as `name`, or, for no name, the only one there is.
int ndx_table_store(ndx_table *table, const char *name, ndx_store **into);

#endif
