// A store among the databases of a connection: what it has now, and its rows.
#ifndef NDX_STORE_H
#define NDX_STORE_H

#include "catalog.h"

typedef struct ndx_store {
    struct ndx_store *next;
    sqlite3 *connection;
    char *name;                       // of the database on the connection
    const char *schema;               // the text that it is compared with; NULL if the caller has done so
    ndx_catalog *catalog;             // of the state that was seen last
    sqlite3_stmt *probe, *select;
    // What the catalog was read at.
    uint32_t version;
    int changes, preparations;
    int is_provisional;               // inside a transaction that writes, which may be undone
} ndx_store;

/// The store that is attached as `name`; from `stores` if it is there, which it is afterwards. One whose tables, indexes and views are
/// not those of `schema`, unless that is NULL, is a failure that says what differs.
int ndx_store_open(
    sqlite3 *connection, const char *name, const char *schema, ndx_store **stores, ndx_store **into, char **message);

void ndx_store_close(ndx_store *store);

/// Reads the catalog anew if the store has changed. The first call of a statement says so by `is_first`.
int ndx_store_refresh(ndx_store *store, int is_first, char **message);

/// One neuron's activations on the images of one block: copies, so that no statement stays open.
typedef struct {
    int is_loaded;
    uint32_t block, neuron;
    uint32_t lanes;
    const ndx_layer *layer;
    float maximum;                    // NaN if all are
    uint8_t *bytes;                   // `lanes` float32, then positions
    size_t capacity;
} ndx_row;

enum { NDX_ROW_PASSED_BY = 1 };

/// Reads a row and checks its lengths, its checksum, its maximum, and that its key is in its place.
///
/// One whose maximum is below `floor`, or that is all NaN, is passed by, checked too; none is if `floor` is NaN.
/// Returns `SQLITE_OK`, `NDX_ROW_PASSED_BY`, or a failure that names layer, channel and block.
int ndx_row_read(
    ndx_row *row, ndx_store *store, const ndx_catalog *catalog, uint32_t block, uint32_t neuron, float floor, char **message);

/// A failure that says what is wrong with a row, and which it is.
int ndx_row_damaged(const ndx_catalog *catalog, uint32_t block, uint32_t neuron, const char *what, char **message);

void ndx_row_free(ndx_row *row);

/// The value of a lane, −0 as 0.
float ndx_row_value(const ndx_row *row, uint32_t lane);

/// y · width + x of a lane.
uint32_t ndx_row_position(const ndx_row *row, uint32_t lane);

#endif
